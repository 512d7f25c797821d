"""What an import found and did, in words whose numbers add up to the file's."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.i18n import N_, _
from app.moving.wordpress.index import Index

# Of each list so many lines are printed; the report's file has them all.
SHOWN = 8
# So that a hostile file's endless names do not fill the memory.
MOST_NAMES = 2_000

ITEMS = N_("Items")
COMMENTS = N_("Comments")
TERMS = N_("Categories, tags and other terms")
AUTHORS = N_("Authors")
META = N_("Fields of items (postmeta)")
SHORTCODES = N_("Shortcodes in the texts taken over")
BLOCKS = N_("Blocks in the texts taken over")
PICTURES = N_("Pictures in the texts")
LINKS = N_("Links in the texts")
ELEMENTS = N_("Elements of items that are not known")
SECTIONS = (ITEMS, COMMENTS, TERMS, AUTHORS, META, ELEMENTS, SHORTCODES, BLOCKS, PICTURES, LINKS)

OTHERS = N_("others")


@dataclass
class Report:
    """Counts by section, name and outcome; `expected` is what was counted in the file apart from what was done.

    `is_muted`: changes are counted, and nothing else.
    """

    index: Index
    title: str = ""
    counts: dict[str, dict[str, Counter[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Counter))
    )
    expected: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)
    changes: int = 0
    is_muted: bool = False

    def count(self, section: str, name: str, outcome: str, times: int = 1) -> None:
        """`times` things called `name` came to this end."""
        if times <= 0 or self.is_muted:
            return
        names = self.counts[section]
        if name not in names and len(names) >= MOST_NAMES:
            name = OTHERS
        names[name][outcome] += times

    def note(self, heading: str, line: str) -> None:
        """One line of a list that the teacher should read."""
        if not self.is_muted:
            self.index.notes.add(heading, line)

    def total(self, section: str) -> int:
        return sum(sum(outcomes.values()) for outcomes in self.counts.get(section, {}).values())

    @property
    def differing(self) -> list[str]:
        """The sections whose outcomes are not as many as the file's things."""
        return [s for s in SECTIONS if s in self.expected and self.expected[s] != self.total(s)]

    def lines(self, *, shown: int | None = SHOWN) -> Iterator[str]:
        """The report, line by line; `shown` None: with every line of every list."""
        yield self.title
        for section in SECTIONS:
            if self.counts.get(section) or self.expected[section]:
                yield ""
                yield from self._section(section)
        for heading, count in self.index.notes.headings():
            yield ""
            yield f"{_(heading)} ({number(count)}):"
            yield from (f"  {line}" for line in self.index.notes.lines(heading, shown))
            if shown is not None and count > shown:
                yield "  " + _("… and %(n)s more in the report’s file") % {"n": number(count - shown)}
        yield ""
        yield from self.remarks
        yield self._sums()

    def _section(self, section: str) -> Iterator[str]:
        yield f"{_(section)}: {number(self.expected[section] or self.total(section))}"
        by_size = sorted(self.counts[section].items(), key=lambda one: (-sum(one[1].values()), one[0]))
        for name, outcomes in by_size:
            parts = ", ".join(f"{number(n)} {_(words)}" for words, n in outcomes.most_common())
            yield f"  {_(name)}: {parts}"

    def _sums(self) -> str:
        if not self.differing:
            return _("The numbers add up to the file’s: everything was imported, translated or listed above.")
        parts = "; ".join(
            f"{_(s)}: {number(self.expected[s])} ≠ {number(self.total(s))}" for s in self.differing
        )
        return _("The numbers do not add up (in the file ≠ accounted for): %(parts)s") % {"parts": parts}

    def write(self, path: Path) -> None:
        """The whole report as a text file."""
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in self.lines(shown=None))


def number(n: int) -> str:
    return f"{n:,}"


Say = Callable[[str], None]
