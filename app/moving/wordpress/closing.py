"""What the report says of everything that is no article, and what is done at an import's end: tags, archives, files."""

from datetime import datetime

from app import db
from app.articles import old_addresses
from app.i18n import N_, _
from app.moving.names import names
from app.moving.wordpress import addresses, memberpress, report, rules, wxr
from app.moving.wordpress.index import Index
from app.moving.wordpress.menus import Menus
from app.moving.wordpress.report import Report, number
from app.moving.wordpress.survey import Read, Survey

NOT_TAKEN = N_("not taken over")
OTHER_KINDS = N_("Items of other kinds that have words; --also KIND takes one over as articles")
GATED = N_(
    "Texts of which a plugin showed a part to members only: drafts now, so please look at them before all can read them"
)
RULES = N_("Rules of MemberPress, which say what not everybody may read")
BROKEN = N_("Parts of the file that could not be read")
UNUSED = N_("Files of the media library that no article taken over shows: left where they are")
# Plugins that note in tables or settings of their own what members alone may read: by shortcodes and kinds of items.
UNRULED = {
    "Paid Memberships Pro": ("[pmpro_", frozenset[str]()),
    "WooCommerce Memberships": ("[wcm_", names("wc_membership_plan wc_user_membership")),
    "WishList Member": ("[wlm_", frozenset[str]()),
    "s2Member": ("[s2", frozenset[str]()),
}
# WordPress's own bookkeeping; nobody wrote anything in them.
SILENT = names(
    "revision customize_changeset oembed_cache user_request custom_css wp_global_styles wp_font_family"
    " wp_font_face wp_template wp_template_part wp_navigation acf-field acf-field-group scheduled-action"
    " shop_order shop_order_refund"
    " shop_coupon elementor_library feedback flamingo_contact flamingo_inbound wpcf7_contact_form"
)
ATTACHMENTS = {
    2: N_("in articles, and stored here"),
    1: N_("in articles, but not to be had"),
    0: N_("in no article that is taken over: left where they are"),
}


def unreadable(one: Read, told: Report) -> tuple[str, str, str]:
    """Where a record that could not be read is counted."""
    told.note(BROKEN, _("at character %(at)s: %(why)s") % {"at": number(one.record.at), "why": one.why})
    section = {"item": report.ITEMS, "wp:author": report.AUTHORS}.get(one.record.kind, report.TERMS)
    return section, one.record.kind, N_("could not be read: not taken over")


def tell_fields(item: wxr.Item, told: Report) -> None:
    """Every field and element of an item, by its name."""
    for key in item.meta_keys:
        is_read = key in rules.META_READ
        told.count(report.META, key or "?", N_("read") if is_read else NOT_TAKEN)
    for name in item.unread:
        told.count(report.ELEMENTS, name, NOT_TAKEN)
    if item.kind not in rules.ARTICLES:
        return
    if item.is_sticky:
        told.note(N_("Posts that stayed on top: here the newest comes first"), item.title)
    if item.kind == "post" and not item.takes_comments and item.status == "publish":
        told.note(N_("Posts that were closed for comments: here every article takes responses"), item.title)


def tell_other(item: wxr.Item, told: Report) -> None:
    """An item that is no article. Attachments, reusable blocks and menus are told at the end, when their use is
    known."""
    if item.kind == "attachment" and (words := wxr.plain(item.content)):
        told.note(
            N_("Descriptions of files in the media library: no place here"), f"“{item.title}”: {words[:2000]}"
        )
    if item.kind in ("attachment", "wp_block", "nav_menu_item"):
        return
    if item.kind == memberpress.KIND:
        is_on = item.status == "publish"
        told.count(
            report.ITEMS, item.kind, N_("read: texts that it locks are drafts") if is_on else NOT_TAKEN
        )
        told.note(RULES, memberpress.rule_of(item.title, memberpress.packed(item)).words)
        return
    told.count(report.ITEMS, item.kind, NOT_TAKEN)
    if item.kind not in SILENT and (item.content.strip() or item.title):
        told.note(OTHER_KINDS, f"{item.kind} “{item.title}” ({item.link or item.id})")


class Terms:
    """Counts the file's terms; whether an article has one is known at the end."""

    def __init__(self, index: Index, told: Report) -> None:
        self._index = index
        self._told = told
        self._seen = 0

    def take(self, term: wxr.Term) -> None:
        self._index.terms.count(term)
        if term.description:
            self._told.note(
                N_("Descriptions of categories and tags: no place here"),
                f"“{term.name}”: {term.description[:2000]}",
            )

    def tell(self) -> None:
        for taxonomy, times, used in self._index.terms.counts():
            if taxonomy in rules.TECHNICAL:
                self._told.count(
                    report.TERMS, taxonomy, N_("of menus, themes and plugins: not taken over"), times
                )
                continue
            self._told.count(report.TERMS, taxonomy, N_("now tags"), used)
            self._told.count(
                report.TERMS, taxonomy, N_("in no article that is taken over: left out"), times - used
            )


async def finish(
    index: Index, told: Report, found: Survey, terms: Terms, menus: Menus, now: datetime, *, is_dry: bool
) -> None:
    """Tell what is known only now, and let the old site's menus and archives lead on."""
    terms.tell()
    await menus.finish(now, is_dry=is_dry)
    for is_used, times in index.attachments():
        told.count(report.ITEMS, "attachment", ATTACHMENTS[is_used], times)
    index.notes.add_unused(UNUSED)
    for is_used, times in index.reusables():
        words = (
            N_("reusable blocks: put where they are used") if is_used else N_("reusable blocks in no article")
        )
        told.count(report.ITEMS, "wp_block", words, times)
    if not is_dry:
        await _lead_on(index, told, found)
    _remark(told, found, is_dry=is_dry)


async def _lead_on(index: Index, told: Report, found: Survey) -> None:
    base = addresses.path_of(found.site.url)
    async with db.transaction() as session:
        for term in index.terms.used():
            here = rules.tag_slug(term)
            root = {"category": "category", "post_tag": "tag"}.get(term.taxonomy, term.taxonomy)
            below = [f"{base}/{root}/{term.parent}/{term.slug}"] if term.parent else []
            paths = [f"{base}/{root}/{term.slug}", *below]
            told.changes += await old_addresses.remember_target(session, paths, f"/articles/tag/{here}")
        told.changes += await old_addresses.remember_target(session, [f"{base}/feed"], "/feed.xml")
        authors = [f"{base}/author/{login}" for login, *_rest in index.authors.all()]
        told.changes += await old_addresses.remember_target(session, authors, "/articles")


def _remark(told: Report, found: Survey, *, is_dry: bool) -> None:
    say = told.remarks.append
    for name in found.cut_off:
        say(
            _(
                "%(name)s ends in the middle. What stands before its end was imported; import the whole file when you"
                " have it."
            )
            % {"name": name}
        )
    if found.repairs.forbidden:
        say(
            _("%(n)s control characters that XML forbids were left out.")
            % {"n": number(found.repairs.forbidden)}
        )
    if found.repairs.foreign_bytes:
        say(
            _("%(n)s bytes are no UTF-8; they were read as Windows-1252.")
            % {"n": number(found.repairs.foreign_bytes)}
        )
    if found.repairs.mended_records:
        say(
            _("%(n)s parts were no proper XML and were mended.") % {"n": number(found.repairs.mended_records)}
        )
    for plugin in sorted(_without_rules(told, found)):
        say(
            _(
                "This site uses %(plugin)s, whose rules are in no export: what was published there is published here."
                " Please look for texts that were for members."
            )
            % {"plugin": plugin}
        )
    if _lacks_rules(told, found):
        say(
            _(
                "This site uses MemberPress, and no part of the export so far has one of its rules: what was published"
                " there is published here. If some of it is for members, import an export of “All content”: its rules"
                " make drafts of what they lock."
            )
        )
    say(
        _(
            "Of commenters' e-mail addresses only a hash was kept; their IP addresses, websites and what plugins noted"
            " of them were left out."
        )
    )
    if not told.changes:
        say(_("Nothing changed: all of it was here already."))
    elif is_dry:
        say(_("This was a dry run: nothing was written."))


def _lacks_rules(told: Report, found: Survey) -> bool:
    """Whether the site had members, and nothing says what they alone could read."""
    codes = told.counts.get(report.SHORTCODES, {})
    has_members = not memberpress.SIGNS.isdisjoint(found.kinds) or any(
        one.startswith("[mepr") for one in codes
    )
    return has_members and not told.index.published(memberpress.KIND)


def _without_rules(told: Report, found: Survey) -> set[str]:
    """Membership plugins that the site used and whose rules cannot be known."""
    codes = told.counts.get(report.SHORTCODES, {})
    return {
        plugin
        for plugin, (start, kinds) in UNRULED.items()
        if not kinds.isdisjoint(found.kinds) or any(code.startswith(start) for code in codes)
    }
