"""What people read about uploads and videos: sizes, states, stages and reasons, in the reader's language."""

from babel.numbers import format_decimal

from app.i18n import N_, _, current_locale, ngettext
from app.templating import clock
from app.video.models import Video

UNITS = ("bytes", "kB", "MB", "GB", "TB")
STATES = {
    "queued": N_("Waiting for its turn"),
    "checking": N_("Checking the film"),
    "encoding": N_("Encoding"),
    "packaging": N_("Packing the stream"),
    "verifying": N_("Checking the result"),
    "ready": N_("Ready"),
    "failed": N_("Failed"),
}
STOPPED = N_("You stopped this. Press “Try again” to have the film encoded after all.")
# What queued work waits for; kept as the stage of its video.
NO_ROOM, NO_STORAGE = "no-room", "no-storage"
WAITS = {
    NO_ROOM: N_("Waiting for space on the disk"),
    NO_STORAGE: N_("Waiting for the storage to answer"),
}
BUSY = frozenset(STATES) - {"ready", "failed"}


def size(count: int) -> str:
    """`1.2 GB`, in the decimal units that operating systems and cameras print."""
    power, value = 0, float(count)
    while value >= 999.5 and power < len(UNITS) - 1:
        value, power = value / 1000, power + 1
    pattern = "#,##0.#" if value < 10 and power > 1 else "#,##0"
    return f"{format_decimal(value, pattern, locale=current_locale())} {UNITS[power]}"


def bit_rate(bits_per_s: int) -> str:
    """`2.8 Mbit/s`."""
    value = format_decimal(bits_per_s / 1e6, "#,##0.0", locale=current_locale())
    return _("%(value)s Mbit/s") % {"value": value}


def stage(video: Video) -> str:
    """The state of a video in a few words, with its detail where there is one."""
    waits = WAITS.get(video.stage) if video.state == "queued" else None
    return _(waits or STATES[video.state])


def beginning(video: Video) -> str:
    """How far a film under way can be watched already; empty while it cannot be."""
    if not video.begun_version:
        return ""
    until = clock(video.begun_s)
    return _("It can be watched up to %(time)s so far; the rest is added while it is encoded.") % {
        "time": until
    }


def again(queued: int, under_way: int, no_original: int) -> str:
    """What came of having every video encoded once more."""
    said = [
        ngettext("%(n)d video waits to be encoded again.", "%(n)d videos wait to be encoded again.", queued)
        % {"n": queued}
    ]
    if under_way:
        left = ngettext(
            "%(n)d is being worked on already and was left.",
            "%(n)d are being worked on already and were left.",
            under_way,
        )
        said.append(left % {"n": under_way})
    if no_original:
        lacking = ngettext(
            "The uploaded file of %(n)d was not kept, so it stays as it is.",
            "The uploaded files of %(n)d were not kept, so they stay as they are.",
            no_original,
        )
        said.append(lacking % {"n": no_original})
    return " ".join(said)


def failure(video: Video) -> str | None:
    """Why a video failed, as a sentence; None unless it did."""
    if video.state != "failed" or video.failure is None:
        return None
    words = video.failure_words
    if not words.get("message"):
        return _(video.failure)
    translated = _(words["message"])
    return translated % words["params"] if words.get("params") else translated
