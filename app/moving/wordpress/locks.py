"""The rules of membership plugins that an export holds, asked of one text after the other."""

from collections.abc import Iterable

from app.i18n import _
from app.moving.wordpress import memberpress, rules, wxr
from app.moving.wordpress.index import Index
from app.moving.wordpress.memberpress import Rule, Text


class Locks:
    """Those of these files and of earlier parts, as far as they were in force."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self.rules = [memberpress.rule_of(*row) for row in index.published(memberpress.KIND)]

    def on(self, item: wxr.Item) -> Rule | None:
        """The rule that keeps an item from the public, if there is one."""
        terms = frozenset((one.taxonomy, one.slug) for one in item.terms)
        return self._first(item.kind, item.id, item.link, terms=terms)

    def on_earlier(self, number: str, tags: Iterable[str]) -> Rule | None:
        """The same of an article that an earlier part brought."""
        return self._first(self._index.kind(number), number, self._index.link(number), tags=frozenset(tags))

    def _first(
        self,
        kind: str,
        number: str,
        link: str,
        *,
        terms: frozenset[tuple[str, str]] = frozenset(),
        tags: frozenset[str] = frozenset(),
    ) -> Rule | None:
        if not self.rules:
            return None
        parents, is_whole = self._index.line_of(number)
        text = Text(kind, number, link, parents, is_whole, terms, tags)
        find = self._index.terms.named
        return next((one for one in self.rules if memberpress.locks(one, text, find, rules.tag_slug)), None)


def said(name: str, rule: Rule | None) -> str:
    """A line of the report about a text that was kept from the public."""
    return _("%(name)s, by the rule %(rule)s") % {"name": name, "rule": rule.words} if rule else name
