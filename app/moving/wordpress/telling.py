"""What the report says of one text: its shortcodes and blocks by what became of them, and what had no place."""

from app.i18n import N_
from app.moving.markdown import Converted
from app.moving.wordpress import report
from app.moving.wordpress.content import Found
from app.moving.wordpress.report import Report

UNKNOWN_CODES = N_("Shortcodes that are not known here: left visible in the text")
EMPTY_BLOCKS = N_("Blocks that WordPress fills on each visit, so that the file holds no words of them")
UNSAID = N_(
    "Words that plugins' blocks keep among their settings: not taken over, so please copy what you need"
)
LACKING = N_("Pictures of galleries that the file does not have, by their numbers")
DROPPED = N_("Parts of texts that have no place here")


def tell(found: Found, converted: Converted, name: str, told: Report) -> None:
    """Count and list everything of the text called `name`."""
    _tell_codes(found, name, told)
    _tell_blocks(found, name, told)
    if found.page_breaks:
        told.note(N_("Texts in several pages (<!--nextpage-->): one page now, with a line between"), name)
    if found.dead_anchors:
        told.note(
            N_("Links within a text to places that cannot be linked to: their words stay"),
            f"{name}: {found.dead_anchors}",
        )
    if converted.dropped:
        parts = ", ".join(f"{n} × {what}" for what, n in sorted(converted.dropped.items()))
        told.note(DROPPED, f"{name}: {parts}")
    if converted.aligned:
        told.note(
            N_("Texts with words or pictures set to a side: here they stand in the column"),
            f"{name}: {converted.aligned}",
        )


def _tell_codes(found: Found, name: str, told: Report) -> None:
    for code, times in found.shortcodes.items():
        told.count(report.SHORTCODES, f"[{code}]", N_("translated"), times)
    for code, times in found.unknown_shortcodes.items():
        told.count(report.SHORTCODES, f"[{code}]", N_("not known: left visible in the text"), times)
        told.note(UNKNOWN_CODES, f"[{code}] × {times} in {name}")
    if found.lacking:
        told.note(LACKING, f"{name}: {', '.join(found.lacking)}")
    told.expected[report.SHORTCODES] += found.shortcodes_seen


def _tell_blocks(found: Found, name: str, told: Report) -> None:
    for block, times in found.blocks.items():
        told.count(report.BLOCKS, block, N_("translated"), times)
    for block, times in found.foreign_blocks.items():
        told.count(report.BLOCKS, block, N_("of a plugin: their words are taken over"), times)
    for block, times in found.empty_blocks.items():
        told.count(report.BLOCKS, block, N_("without words of their own in the file: listed"), times)
        told.note(EMPTY_BLOCKS, f"{block} × {times} in {name}")
    for block, words in found.unsaid:
        told.note(UNSAID, f"{block} in {name}: {words}")
    told.expected[report.BLOCKS] += found.blocks_seen
