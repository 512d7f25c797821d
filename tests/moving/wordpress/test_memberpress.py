"""What MemberPress kept from the public comes in as a draft, whichever rule said so and whenever that rule comes."""

from pathlib import Path

import pytest
from sqlalchemy import update

from app import db
from app.articles.models import Article
from app.moving.wordpress import memberpress, rules, wxr
from app.moving.wordpress.memberpress import Rule, Text
from tests.moving.wordpress.exports import SITE, Export, Item
from tests.moving.wordpress.running import articles, run

HIPS = wxr.Term("category", "hips", "Hips", "", "7")
PAID = wxr.Term("post_tag", "paid", "Paid", "", "8")
POST = Text("post", "1", f"{SITE}/2019/05/hip/", terms=frozenset({("category", "hips")}))
PAGE = Text("page", "5", f"{SITE}/members/hip/", parents=("4", "3"))


def _find(taxonomy: str, name: str) -> wxr.Term | None:
    return next(
        (one for one in (HIPS, PAID) if one.taxonomy == taxonomy and name in (one.number, one.slug)), None
    )


def _locks(kind: str, content: str, text: Text, *, is_regexp: bool = False) -> bool:
    return memberpress.locks(Rule("R", kind, content, is_regexp), text, _find, rules.tag_slug)


@pytest.mark.parametrize(
    ("kind", "content", "text", "expected"),
    [
        ("all", "", POST, True),
        ("all", "2, 1 ,3", POST, False),
        ("all", "11", POST, True),
        ("all_posts", "", POST, True),
        ("all_posts", "1", POST, False),
        ("all_post", "", POST, True),
        ("all_posts", "", PAGE, False),
        ("all_pages", "", PAGE, True),
        ("single_post", "1", POST, True),
        ("single_post", "2", POST, False),
        ("single_page", "1", POST, False),
        ("parent_page", "3", PAGE, True),
        ("parent_page", "5", PAGE, False),
        ("parent_page", "9", PAGE, False),
        # Somewhere above it is a page that no part has brought.
        ("parent_page", "9", Text("page", "5", "", ("4",), is_line_whole=False), True),
        ("category", "7", POST, True),
        ("category", "7", PAGE, False),
        ("tag", "8", POST, False),
        ("all_tax_category", "hips", POST, True),
        ("all_tax_category", "99", POST, True),
        ("all_tax_post_tag", "99", POST, False),
        ("tax_category||cpt_page", "7", POST, False),
        ("tax_category||cpt_post", "7", POST, True),
        ("category", "7", Text("post", "1", "", tags=frozenset({"hips"})), True),
        ("category", "7", Text("post", "1", "", tags=frozenset({"knees"})), False),
        ("partial", "", POST, False),
        ("custom", "/members/", PAGE, True),
        ("custom", "/members/", POST, False),
        ("custom", f"{SITE}/members/", PAGE, True),
        ("of a further plugin", "x", POST, True),
    ],
)
def test_a_rule_locks_what_it_is_about(kind: str, content: str, text: Text, expected: bool) -> None:
    assert _locks(kind, content, text) is expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^/members/.*", True),
        ("/Members/", True),
        ("^/2019", False),
        # What cannot be tried in a moment, or at all, locks.
        ("(a+)+$", True),
        (".*.*.*=x", True),
        ("[", True),
        ("*", True),
    ],
)
def test_a_rule_with_an_expression_is_tried_if_it_is_simple(pattern: str, expected: bool) -> None:
    assert _locks("custom", pattern, PAGE, is_regexp=True) is expected


def _rule(item_id: int, kind: str | None, content: str = "", *, status: str = "publish") -> Item:
    meta = [("_mepr_rules_content", content), ("_mepr_rules_drip_enabled", "")]
    if kind is not None:
        meta.append(("_mepr_rules_type", kind))
    return Item(
        item_id,
        title=f"Rule {item_id}",
        body="",
        kind="memberpressrule",
        status=status,
        link=f"{SITE}/?post_type=memberpressrule&p={item_id}",
        meta=meta,
    )


PAID_POST = Item(1, "Paid", slug="paid", body="The whole lesson.")
FREE = Item(2, "Free", slug="free")
ABOVE = Item(3, "Inside", kind="page", slug="inside", link=f"{SITE}/inside/")
BELOW = Item(4, "Below", kind="page", slug="below", link=f"{SITE}/inside/below/", parent=3)
SORTED = Item(5, "Sorted", slug="sorted", terms=[("category", "hips", "Hips")])
TEXTS = [PAID_POST, FREE, ABOVE, BELOW, SORTED]
RULES = [
    _rule(50, "single_post", "1"),
    _rule(51, "parent_page", "3"),
    _rule(52, "category", "2"),
    _rule(53, "all", status="trash"),
]
# Its number in the file is 2.
TERMS = [("category", "hips", "Hips")]
LOCKED = {"Paid": "draft", "Free": "published", "Inside": "published", "Below": "draft", "Sorted": "draft"}


async def _states() -> dict[str, str]:
    return {title: one.state for title, one in (await articles()).items()}


@pytest.mark.usefixtures("database")
async def test_what_rules_lock_is_a_draft_and_listed_with_its_rule(tmp_path: Path) -> None:
    # Rules stand behind what they lock.
    file = Export([*TEXTS, *RULES], terms=TERMS).write(tmp_path)
    told = await run(file)
    assert await _states() == LOCKED
    assert f"“Paid” ({SITE}/2019/05/paid/), by the rule “Rule 50” (single_post 1)" in told.text
    assert "“Rule 53” (all)" in told.text
    assert "memberpressrule: 3 read: texts that it locks are drafts, 1 not taken over" in told.text
    assert "This site uses MemberPress" not in told.text
    assert not told.differing
    assert (await run(file)).changes == 0


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("kind", ["all", None])
async def test_a_rule_about_everything_leaves_nothing_published(tmp_path: Path, kind: str | None) -> None:
    await run(Export([*TEXTS, _rule(50, kind)]).write(tmp_path))
    assert set((await _states()).values()) == {"draft"}


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("is_first", [True, False])
async def test_rules_of_another_part_lock_all_the_same(tmp_path: Path, is_first: bool) -> None:
    ruled = Export(RULES, terms=TERMS).write(tmp_path, "rules.xml")
    texts = Export(TEXTS, terms=TERMS).write(tmp_path, "texts.xml")
    for file in (ruled, texts) if is_first else (texts, ruled):
        told = await run(file)
        assert not told.differing
    assert await _states() == LOCKED
    if not is_first:
        assert "keeps from the public: drafts now (3):" in told.text
    for file in (texts, ruled, Export([*TEXTS, *RULES], terms=TERMS).write(tmp_path)):
        assert (await run(file)).changes == 0
    assert await _states() == LOCKED


@pytest.mark.usefixtures("database")
async def test_what_was_edited_here_stays_published_and_is_listed(tmp_path: Path) -> None:
    await run(Export(TEXTS).write(tmp_path))
    async with db.transaction() as session:
        await session.execute(update(Article).where(Article.slug == "paid").values(body_md="Mine."))
    dry = await run(Export(RULES[:1]).write(tmp_path, "2.xml"), is_dry=True)
    told = await run(Export(RULES[:1]).write(tmp_path, "2.xml"))
    assert (await _states())["Paid"] == "published"
    for one in (dry, told):
        assert "still published, so please look at them (1):\n  “Paid”" in one.text


@pytest.mark.usefixtures("database")
async def test_a_dry_run_tells_of_a_later_rule_and_withdraws_nothing(tmp_path: Path) -> None:
    await run(Export(TEXTS).write(tmp_path))
    told = await run(Export(RULES[:1]).write(tmp_path, "2.xml"), is_dry=True)
    assert (await _states())["Paid"] == "published"
    assert "drafts now (1):\n  “Paid”" in told.text


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    "sign", [Item(9, "Plan", kind="memberpressproduct"), Item(9, "Account", body="[mepr-account-form]")]
)
async def test_a_site_of_members_without_any_rule_is_said(tmp_path: Path, sign: Item) -> None:
    told = await run(Export([*TEXTS, sign]).write(tmp_path))
    assert "This site uses MemberPress, and no part of the export so far has one of its rules" in told.text
    assert (await _states())["Paid"] == "published"
    told = await run(Export([*RULES], terms=TERMS).write(tmp_path, "2.xml"))
    assert "This site uses MemberPress" not in told.text
    assert (await _states())["Paid"] == "draft"


@pytest.mark.usefixtures("database")
async def test_a_part_that_a_shortcode_keeps_makes_the_whole_a_draft(tmp_path: Path) -> None:
    codes = (
        'mepr-show rules="50"',
        "mepr-active memberships='12'",
        'mepr-rule id="50"',
        "mepr-product-purchased id='1'",
    )
    items = [
        Item(n, f"T{n}", body=f"Free. [{code}]Paid.[/{code.split()[0]}]") for n, code in enumerate(codes, 1)
    ]
    name = "memberpress/protected-content"
    block = f'<!-- wp:{name} {{"rule":50}} --><p>Paid.</p><!-- /wp:{name} -->'
    await run(Export([*items, Item(9, "T9", body=block)]).write(tmp_path))
    assert set((await _states()).values()) == {"draft"}


@pytest.mark.usefixtures("database")
async def test_plugins_whose_rules_no_export_holds_are_said(tmp_path: Path) -> None:
    items = [Item(1, "Join", body="[pmpro_levels]"), Item(2, "Gold", kind="wc_membership_plan")]
    told = await run(Export([*items, FREE]).write(tmp_path))
    for plugin in ("Paid Memberships Pro", "WooCommerce Memberships"):
        assert f"This site uses {plugin}, whose rules are in no export" in told.text
    assert "s2Member" not in told.text


@pytest.mark.usefixtures("database")
async def test_lessons_of_a_course_plugin_are_drafts(tmp_path: Path) -> None:
    items = [Item(1, "Hip lesson", kind="sfwd-lessons"), Item(2, "Free")]
    told = await run(Export(items).write(tmp_path), also=frozenset({"sfwd-lessons"}))
    assert await _states() == {"Hip lesson": "draft", "Free": "published"}
    assert "sfwd-lessons: 1 for members, wholly or in part: now drafts" in told.text


@pytest.mark.usefixtures("database")
async def test_a_rule_finds_its_category_that_another_part_describes(tmp_path: Path) -> None:
    """Some tools describe the terms in the first part only, whether its articles have them or not."""
    knees = Item(6, "Knees", slug="knees", terms=[("category", "knees", "Knees")])
    await run(Export([RULES[2]], terms=TERMS).write(tmp_path, "1.xml"))
    await run(Export([SORTED, knees]).write(tmp_path, "2.xml"))
    assert await _states() == {"Sorted": "draft", "Knees": "published"}
