"""What the records of a WordPress export say, as dataclasses.

Source: WordPress, wp-admin/includes/export.php (WXR 1.0 to 1.2).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from html import unescape

from app.moving.names import names
from app.moving.wordpress.records import Node

_STAMP = re.compile(r"(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2}):(\d{2})")
_TAG = re.compile(r"<[^<>]*>")
# Elements of an item that are read; what else stands there is counted and listed.
READ = names(
    "title link pubDate dc:creator guid description content:encoded excerpt:encoded wp:post_id wp:post_date"
    " wp:post_date_gmt wp:post_modified wp:post_modified_gmt wp:comment_status wp:ping_status wp:post_name wp:status"
    " wp:post_parent wp:menu_order wp:post_type wp:post_password wp:is_sticky wp:attachment_url category wp:postmeta"
    " wp:comment"
)


@dataclass(frozen=True)
class Author:
    id: str
    login: str
    email: str
    name: str


@dataclass(frozen=True)
class Term:
    """A category, a tag or a term of another taxonomy. `number`: by which menus name it."""

    taxonomy: str
    slug: str
    name: str
    parent: str = ""
    number: str = ""
    description: str = ""


@dataclass(frozen=True)
class Comment:
    id: str
    parent: str
    user_id: str
    name: str
    email: str
    url: str
    kind: str
    approved: str
    at: datetime | None
    body: str


@dataclass(frozen=True)
class Item:
    """A post, a page, an attachment, a menu's line: whatever WordPress keeps as a post."""

    id: str
    kind: str
    status: str
    title: str
    slug: str
    link: str
    guid: str
    creator: str
    parent: str
    order: int
    content: str
    excerpt: str
    password: str
    attachment_url: str
    is_sticky: bool
    takes_comments: bool
    at: datetime | None
    changed_at: datetime | None
    terms: tuple[Term, ...]
    meta: dict[str, str]
    comments: tuple[Comment, ...]
    old_slugs: tuple[str, ...] = ()
    # Names of everything in the element, for the report's sums.
    meta_keys: tuple[str, ...] = ()
    unread: tuple[str, ...] = field(default=())


def author(node: Node) -> Author:
    login = node.get("wp:author_login")
    return Author(
        id=node.get("wp:author_id"),
        login=login,
        email=node.get("wp:author_email").strip(),
        name=unescape(node.get("wp:author_display_name")).strip() or login,
    )


# How the three kinds of records name the same: address, name, parent, description.
_TERM_FIELDS = {
    "wp:category": ("wp:category_nicename", "wp:cat_name", "wp:category_parent", "wp:category_description"),
    "wp:tag": ("wp:tag_slug", "wp:tag_name", "", "wp:tag_description"),
}
_OTHER_FIELDS = ("wp:term_slug", "wp:term_name", "wp:term_parent", "wp:term_description")


def term(node: Node) -> Term:
    slug, name, parent, description = (node.get(one) for one in _TERM_FIELDS.get(node.name, _OTHER_FIELDS))
    taxonomy = {"wp:category": "category", "wp:tag": "post_tag"}.get(node.name) or node.get(
        "wp:term_taxonomy"
    )
    number = node.get("wp:term_id").strip()
    return Term(taxonomy, slug, unescape(name).strip(), parent, number, plain(description))


def item(node: Node, zone: tzinfo) -> Item:
    """An item; `zone` is where its local times were written, for those that have no other."""
    metas = [child for child in node.children if child.name == "wp:postmeta"]
    comments = [child for child in node.children if child.name == "wp:comment"]
    meta: dict[str, str] = {}
    for one in metas:
        meta.setdefault(one.get("wp:meta_key"), one.get("wp:meta_value"))
    order = node.get("wp:menu_order").strip()
    return Item(
        id=node.get("wp:post_id").strip(),
        kind=node.get("wp:post_type").strip() or "post",
        status=node.get("wp:status").strip() or "publish",
        title=plain(node.get("title")),
        slug=node.get("wp:post_name").strip(),
        link=unescape(node.get("link").strip()),
        guid=unescape(node.get("guid").strip()),
        creator=node.get("dc:creator").strip(),
        parent=node.get("wp:post_parent").strip(),
        order=int(order) if re.fullmatch(r"-?\d{1,9}", order) else 0,
        content=node.get("content:encoded"),
        excerpt=node.get("excerpt:encoded"),
        password=node.get("wp:post_password"),
        attachment_url=node.get("wp:attachment_url").strip(),
        is_sticky=node.get("wp:is_sticky").strip() == "1",
        takes_comments=node.get("wp:comment_status").strip() != "closed",
        at=instant(node.get("wp:post_date_gmt"), node.get("wp:post_date"), node.get("pubDate"), zone),
        changed_at=instant(node.get("wp:post_modified_gmt"), node.get("wp:post_modified"), "", zone),
        terms=tuple(_item_terms(node.children)),
        meta=meta,
        comments=tuple(comment(one, zone) for one in comments),
        old_slugs=tuple(
            v for one in metas if one.get("wp:meta_key") == "_wp_old_slug" if (v := one.get("wp:meta_value"))
        ),
        meta_keys=tuple(one.get("wp:meta_key") for one in metas),
        unread=tuple(child.name for child in node.children if child.name not in READ),
    )


def _item_terms(children: Iterable[Node]) -> Iterable[Term]:
    for child in children:
        if child.name == "category":
            name = unescape(child.text).strip()
            # WXR 1.0 wrote each category twice, the first time without its address.
            if "nicename" in child.attrs:
                taxonomy = child.attrs.get("domain", "category")
                taxonomy = "post_tag" if taxonomy == "tag" else taxonomy
                yield Term(taxonomy, child.attrs["nicename"], name)


def comment(node: Node, zone: tzinfo) -> Comment:
    return Comment(
        id=node.get("wp:comment_id").strip(),
        parent=node.get("wp:comment_parent").strip(),
        user_id=node.get("wp:comment_user_id").strip(),
        name=plain(node.get("wp:comment_author")),
        email=node.get("wp:comment_author_email").strip(),
        url=node.get("wp:comment_author_url").strip(),
        kind=node.get("wp:comment_type").strip() or "comment",
        approved=node.get("wp:comment_approved").strip(),
        at=instant(node.get("wp:comment_date_gmt"), node.get("wp:comment_date"), "", zone),
        body=node.get("wp:comment_content"),
    )


def plain(text: str) -> str:
    """One line without tags and references."""
    return " ".join(unescape(_TAG.sub("", text)).split())


def instant(gmt: str, local: str, rfc2822: str, zone: tzinfo) -> datetime | None:
    """When it was: by the time in UTC, else the local one, else the feed's; drafts have zeros or nothing at all."""
    for text, place in ((gmt, UTC), (local, zone)):
        found = _STAMP.match(text.strip())
        if found is None:
            continue
        try:
            at = datetime(*(int(part) for part in found.groups()), tzinfo=place)  # type: ignore[arg-type, misc]
        except ValueError:
            continue
        # Before the first blog: zeros that went through a time zone.
        if at.year >= 1970:
            return at.astimezone(UTC)
    try:
        at = parsedate_to_datetime(rfc2822.strip())
    except (ValueError, TypeError, IndexError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at.astimezone(UTC) if at.year >= 1970 else None
