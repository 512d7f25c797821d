"""What becomes of WordPress's posts and comments here: states, titles, summaries and addresses. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from app.accounts.rules import tidy
from app.catalog.rules import slugify
from app.i18n import N_
from app.moving.names import names
from app.moving.wordpress import memberpress, wxr

TITLE_MAX = 200
SUMMARY_MAX = 320
NAME_MAX = 120
ARTICLES = frozenset({"post", "page"})
# Taxonomies that say how a site looks rather than what a text is about.
TECHNICAL = names(
    "nav_menu post_format wp_theme wp_template_part_area wp_pattern_category link_category elementor_library_type"
    " elementor_library_category elementor_font_type product_type product_visibility product_shipping_class author"
    " language post_translations term_language term_translations translation_priority yst_prominent_words layout_type"
    " layout_category layout_pack scope module_width fl-builder-template-category fl-builder-template-type action-group"
    " amp_validation_error bp-email-type media_category wpmf-category attachment_category jp_pay_product"
    " following_users"
)
# Co-Authors Plus keeps an article's authors as terms.
WRITERS = "author"
# SEO plugins' sentence for search results, which is what a summary is for here too.
DESCRIPTIONS = (
    "_yoast_wpseo_metadesc",
    "rank_math_description",
    "_aioseo_description",
    "_aioseop_description",
    "_seopress_titles_desc",
    "_genesis_description",
)
# Fields of an item that are read; all others are counted by name and listed.
META_READ = (
    names(
        "_thumbnail_id _wp_attached_file _wp_attachment_image_alt _wp_old_slug footnotes _menu_item_type"
        " _menu_item_object _menu_item_object_id _menu_item_url _menu_item_menu_item_parent"
    )
    | frozenset(DESCRIPTIONS)
    | memberpress.META
)

PUBLISHED = N_("published")
DRAFT = N_("now drafts")
SCHEDULED = N_("scheduled: come out here on their day, listed below")
PRIVATE = N_("private: now drafts")
PASSWORD = N_("behind a password: now drafts, without it")
GATED = N_("for members, wholly or in part: now drafts, listed below")
TRASH = N_("in the trash: not taken over")


# Shortcodes, blocks and fields with which membership plugins keep words from the public.
_GATES = (
    "members?_only|member|members|membership|memberonly|members_access|members_logged_in|restrict|restricted|rcp_restrict"
    "|private|private_content|loggedin|is_logged_in|mepr-show|mepr-active|mepr-rule|mepr-product-purchased|mepr-membership-purchased|s2if|wlm_private|wlm_ismember"
    "|ihc-hide-content|pms-restrict|um_loggedin|um_show_content|wcm_restrict|accessally_has_any_tag"
    "|accessally_has_all_tags|swpm_protected|wpmem_logged_in|arm_restrict_content|emember_protected|paywall"
)
_GATE = re.compile(
    rf"\[(?:{_GATES})(?=[\s\]])|<!-- wp:(?:jetpack/paywall|jetpack/subscriber-view|premium-content/\w"
    r"|pmpro/membership|memberpress/protected-content|restrict-content-pro/\w)",
    re.IGNORECASE,
)
_GATE_FIELDS = {
    "_jetpack_newsletter_access": ("subscribers", "paid_subscribers"),
    "pms-content-restrict-user-status": ("loggedin",),
    "_rcp_is_paid": ("1",),
    "rcp_access_level": ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10"),
}


# Lessons are for those who are enrolled, which every course plugin keeps in tables of its own.
LESSONS = names(
    "sfwd-lessons sfwd-topic sfwd-quiz lp_lesson lp_quiz lesson topics tutor_quiz tutor_assignments llms_lesson"
    " llms_quiz mpcs-lesson mpcs-quiz mpcs-assignment stm-lessons stm-quizzes"
)
# Of an article that waits for another part of the export these are kept: what translating it asks for.
META_KEPT = META_READ | frozenset(_GATE_FIELDS) | {"_members_access_role"}


def is_gated(content: str, meta: Mapping[str, str]) -> bool:
    """Whether not everybody could read all of a published text: what a membership plugin kept to itself."""
    if meta.get("_members_access_role") or _GATE.search(content):
        return True
    return any(meta.get(name, "").lower() in values for name, values in _GATE_FIELDS.items())


@dataclass(frozen=True)
class Fate:
    """The state that an article gets here (None: it is not taken over), and the report's words for it."""

    state: str | None
    words: str


def fate(item: wxr.Item, *, is_locked: bool = False) -> Fate:
    """What becomes of a post: only what everybody could read, now or on its day, is so here.

    `is_locked`: a rule of a plugin's kept it from the public.
    """
    if item.status in ("trash", "auto-draft"):
        return Fate(None, TRASH)
    if item.status == "private":
        return Fate("draft", PRIVATE)
    if item.status not in ("publish", "future"):
        return Fate("draft", DRAFT)
    if item.password:
        return Fate("draft", PASSWORD)
    if is_locked or item.kind in LESSONS or is_gated(item.content, item.meta):
        return Fate("draft", GATED)
    return Fate("published", SCHEDULED if item.status == "future" else PUBLISHED)


def comment_state(approved: str) -> str:
    """The state of a response here, by WordPress's `comment_approved`."""
    if approved in ("1", "approve", "approved"):
        return "approved"
    if approved == "spam":
        return "spam"
    return "removed" if approved in ("trash", "post-trashed") else "pending"


def title_of(item: wxr.Item, untitled: str) -> str:
    """At most as long as titles are here; `untitled` stands for none."""
    return cut(" ".join(tidy(item.title).split()), TITLE_MAX) or untitled


def summary_of(excerpt: str, meta: Mapping[str, str], before_more: str, body: str) -> str:
    """One or two sentences: the excerpt, else what the SEO plugin holds, else what is before "more", else the start.

    All are plain text already.
    """
    described = (meta.get(name, "") for name in DESCRIPTIONS)
    # Descriptions with variables (%%title%%) are filled in by the plugin on each visit.
    kept = (text for text in described if "%" not in text)
    for text in (excerpt, *kept, before_more, body):
        if words := " ".join(tidy(text).split()):
            return cut(words, SUMMARY_MAX)
    return ""


def name_of(name: str, nobody: str) -> str:
    return cut(" ".join(tidy(name).split()), NAME_MAX) or nobody


def slug_for(slug: str, title: str, number: str) -> str:
    """The address that an article asks for: its own, as far as addresses here can be so."""
    # Squarespace writes whole paths, with their endings.
    last = re.sub(r"\.(?:html?|php)\Z", "", unquote(slug).rstrip("/").rpartition("/")[2])
    return slugify(last) or slugify(title) or f"article-{slugify(number) or 'x'}"


def tag_slug(term: wxr.Term) -> str:
    return slugify(unquote(term.slug)) or slugify(term.name)


def cut(text: str, most: int) -> str:
    """At most so long, ended after a sentence or a word."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    ended = re.match(r"(.*[.!?…])\s", head, re.DOTALL)
    if ended and len(ended[1]) > most // 2:
        return ended[1]
    return (head.rpartition(" ")[0] or head).rstrip(" ,;:–-") + "…"
