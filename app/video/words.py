"""What people read about uploads and videos: sizes, states, stages and reasons, in the reader's language."""

from babel.numbers import format_decimal

from app.i18n import N_, _, current_locale
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
ENCODING_UP_TO = N_("Encoding up to %(size)s")
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
    if video.state == "encoding" and video.stage:
        return _(ENCODING_UP_TO) % {"size": video.stage}
    return _(STATES[video.state])


def failure(video: Video) -> str | None:
    """Why a video failed, as a sentence; None unless it did."""
    if video.state != "failed" or video.failure is None:
        return None
    words = video.failure_words
    if not words.get("message"):
        return _(video.failure)
    translated = _(words["message"])
    return translated % words["params"] if words.get("params") else translated
