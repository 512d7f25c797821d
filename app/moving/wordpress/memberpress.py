"""Which texts MemberPress kept from the public: its rules are items of an export of “All content”, as posts are.

Who may read is in tables of the plugin's own, which no export has; that not everybody may is said by each rule alone.
Where a rule cannot be told, it locks: a text that stays a draft is seen to, one that is out cannot be taken back. Pure.

Source: MemberPress, app/models/MeprRule.php (`get_types`, `get_rules`) and app/controllers/MeprRulesCtrl.php
(`register_post_type`, which leaves `can_export` as it is: true).
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from app.moving.names import names
from app.moving.wordpress import wxr

KIND = "memberpressrule"
# What else the plugin and its courses leave in an export.
SIGNS = names(
    "memberpressproduct memberpressgroup memberpresscoupon mp-reminder mpcs-course mpcs-lesson mpcs-quiz"
)
META = names("_mepr_rules_type _mepr_rules_content _is_mepr_rules_content_regexp")
_TAXONOMIES = {"category": "category", "tag": "post_tag"}
# An expression of somebody else's must not take minutes on 600 characters: no groups, at most two repetitions.
_PLAIN = re.compile(r"[^(){}\[\]]*")
_REPEATED = re.compile(r"[*+?]")


@dataclass(frozen=True)
class Rule:
    """`kind`: what it is about, as MemberPress says it: all, all_posts, single_page, category, custom, …"""

    title: str
    kind: str
    content: str
    is_regexp: bool

    @property
    def words(self) -> str:
        return f"“{self.title}” ({self.kind} {self.content})".replace(" )", ")")


@dataclass(frozen=True)
class Text:
    """A post that a rule may lock. `parents`: those above it; `is_line_whole`: all of them are known. `terms`:
    (taxonomy, slug); of an article of an earlier part there are `tags` instead."""

    kind: str
    id: str
    link: str
    parents: tuple[str, ...] = ()
    is_line_whole: bool = True
    terms: frozenset[tuple[str, str]] = frozenset()
    tags: frozenset[str] = field(default=frozenset())


# (taxonomy, number) → that term, or None where the file does not name it.
Find = Callable[[str, str], wxr.Term | None]


def packed(item: wxr.Item) -> str:
    """A rule's fields, to be kept as its content."""
    return json.dumps({name: item.meta[name] for name in sorted(META) if name in item.meta})


def rule_of(title: str, content: str) -> Rule:
    """Of a rule's title and its packed fields. Without them it is about everything, as in MemberPress itself."""
    said = json.loads(content or "{}")
    kind = str(said.get("_mepr_rules_type", "")).strip() or "all"
    is_regexp = str(said.get("_is_mepr_rules_content_regexp", "")).strip() not in ("", "0", "false")
    return Rule(title, kind, str(said.get("_mepr_rules_content", "")).strip(), is_regexp)


def locks(rule: Rule, text: Text, find: Find, tag_of: Callable[[wxr.Term], str]) -> bool:
    """Whether not everybody may read the text, by this rule. `tag_of`: the tag here that a term became."""
    if rule.kind == "partial":
        # A part of a text, which a shortcode or a block in it says (`rules.is_gated`).
        return False
    if rule.kind == "all":
        return not _is_excepted(rule, text)
    if rule.kind == "custom":
        return _is_at(rule, text.link)
    start, _line, rest = rule.kind.partition("_")
    if rule.kind.startswith("all_tax_"):
        return _has(rule.kind.removeprefix("all_tax_"), rule.content, text, find, tag_of)
    if start == "all":
        return rest in (text.kind, f"{text.kind}s") and not _is_excepted(rule, text)
    if start == "single":
        return rest == text.kind and rule.content == text.id
    if start == "parent":
        return rest == text.kind and (rule.content in text.parents or not text.is_line_whole)
    if rule.kind in _TAXONOMIES:
        return _has(_TAXONOMIES[rule.kind], rule.content, text, find, tag_of)
    if found := re.fullmatch(r"tax_(.+?)\|\|cpt_(.+)", rule.kind):
        return found[2] == text.kind and _has(found[1], rule.content, text, find, tag_of)
    return True


def _is_excepted(rule: Rule, text: Text) -> bool:
    return text.id in re.sub(r"\s", "", rule.content).split(",")


def _is_at(rule: Rule, link: str) -> bool:
    try:
        parts = urlsplit(link)
        wanted = rule.content if rule.is_regexp or "://" not in rule.content else urlsplit(rule.content).path
    except ValueError:
        return True
    place = f"{parts.path}?{parts.query}" if parts.query else parts.path
    if not rule.is_regexp:
        return place.startswith(wanted)
    if _PLAIN.fullmatch(wanted) is None or len(_REPEATED.findall(wanted)) > 2:
        return True
    try:
        return re.search(wanted, place[:600], re.IGNORECASE) is not None
    except re.error:
        return True


def _has(taxonomy: str, content: str, text: Text, find: Find, tag_of: Callable[[wxr.Term], str]) -> bool:
    term = find(taxonomy, content)
    if term is None:
        return any(one[0] == taxonomy for one in text.terms) or bool(text.tags)
    return (taxonomy, term.slug) in text.terms or tag_of(term) in text.tags
