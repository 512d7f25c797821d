"""Templates: every one compiles, every string goes through gettext, nothing inline that the CSP forbids."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import nodes

from app.practice.queries import PracticeView
from app.templating import TEMPLATES, environment
from app.web.pages import Frame

HTML = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))
TEXT = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.txt"))

JINJA = re.compile(r"\{#.*?#\}|\{%-?\s*trans\b.*?\bendtrans\s*-?%\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
TAGS = re.compile(r"<(script|style|code|pre)\b.*?</\1>|<!--.*?-->|<[^>]*>", re.DOTALL)
TRANSLATED_ATTRIBUTES = re.compile(r'\b(?:alt|title|placeholder|aria-label)="([^"{]*[A-Za-z]{2}[^"{]*)"')
# Macros write attributes piecewise, outside any tag.
ATTRIBUTE = re.compile(r'[a-z-]+="[^"]*"')
WORD = re.compile(r"[A-Za-z]{2,}")
# Names that are the same in every language.
UNTRANSLATED = set("Limber nbsp amp middot mdash ndash hellip rarr larr times laquo raquo".split())  # noqa: SIM905 (reads better)


@pytest.mark.parametrize("name", [*HTML, *TEXT])
def test_the_template_compiles(name: str) -> None:
    environment().get_template(name)


@pytest.mark.parametrize("name", HTML)
def test_no_page_takes_a_name_of_the_frame_around_it(name: str) -> None:
    """A `set` outside the blocks is seen by base.html too: a page's own "preview" once lit it in the dark, and sent
    its form into a new tab."""
    tree = environment().parse((TEMPLATES / name).read_text("utf-8"))
    if tree.find(nodes.Extends) is None:
        return
    frame = Frame(None, PracticeView(), "", "/").context()
    assert {one.name for one in tree.find_all(nodes.Name) if one.ctx == "store"} & frame.keys() == set()


def bare_words(text: str) -> set[str]:
    """Words of a template that no translation call surrounds."""
    text = re.sub(r"\{% block body_class %\}.*?\{% endblock %\}", "", text)
    stripped = ATTRIBUTE.sub(" ", TAGS.sub(" ", JINJA.sub("~", text)))
    return set(WORD.findall(stripped)) - UNTRANSLATED


@pytest.mark.parametrize("name", HTML)
def test_every_string_goes_through_gettext(name: str) -> None:
    text = (TEMPLATES / name).read_text("utf-8")
    assert bare_words(text) == set()
    assert TRANSLATED_ATTRIBUTES.findall(JINJA.sub("{", text)) == []


@pytest.mark.parametrize("name", HTML)
def test_nothing_inline_that_the_policy_forbids(name: str) -> None:
    text = (TEMPLATES / name).read_text("utf-8")
    if not name.startswith("email/"):
        assert not re.search(r"\sstyle\s*=", text), "style= is refused by the CSP"
        assert "<style" not in text
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", JINJA.sub("", text)), (
        "event attributes are refused by the CSP"
    )
    assert "javascript:" not in text
    assert "|safe" not in text.replace(" ", "") or name in SAFE, (
        "unescaped output outside sanitised article text"
    )
    for script in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in script or "nonce=" in script, script


# Where HTML that nh3 has sanitised is printed as it is.
SAFE = {
    "articles/article.html",
    "articles/_response.html",
    "_parts/responses.html",
    "_parts/reading.html",
    "courses/lesson.html",
    "courses/course.html",
    "studio/articles/_preview.html",
    "studio/articles/edit.html",
    "studio/responses.html",
}


def test_a_link_for_readers_looks_like_one() -> None:
    """A button without a frame is a word like any other; in the studio's rows others stand beside it."""
    shown = [path for path in TEMPLATES.rglob("*.html") if "studio" not in path.parts]
    assert [path.name for path in shown if "btn-ghost" in path.read_text("utf-8")] == []


def test_the_catalogue_of_strings_can_be_extracted(tmp_path: Path) -> None:
    """`make translations` finds the sentences of templates and of Python alike."""
    root = TEMPLATES.parent
    catalogue = tmp_path / "messages.pot"
    extract = [str(Path(sys.executable).parent / "pybabel"), "-q", "extract", "-F", "locale/babel.cfg"]
    extract += ["--ignore-dirs=.*", "-k", "_", "-k", "N_", "-o", str(catalogue), "app", "templates"]
    subprocess.run(extract, cwd=root, check=True)
    found = catalogue.read_text("utf-8")
    assert "Skip to the content" in found
    assert "Please log in to watch the paid videos." in found
    # In templates/_parts, and in a template with {% do %}.
    assert "You are here" in found
    assert "Time zone" in found
