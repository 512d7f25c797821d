"""What our code generator and context make of templates is what Jinja makes of them."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader, Environment, StrictUndefined, UndefinedError, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from app import i18n
from app.template_code import Drawing, Writer, written


class Ours(Environment):
    code_generator_class = Writer
    context_class = Drawing


class Named:
    """Says itself as HTML, as a form's field may."""

    def __html__(self) -> str:
        return "<b>named</b>"


@pass_context
def path_of(context: Context) -> str:
    return f"<{context['path']}>"


PARTS = {
    "base.html": "<title>{% block title %}{{ title }}{% endblock %}</title>{% block main %}{% endblock %}",
    "parts.html": (
        "{% macro button(label, kind='a') %}<{{ kind }}>{{ label }}{% if caller is defined %}{{ caller() }}{% endif %}"
        "</{{ kind }}>{% endmacro %}"
    ),
}
PAGES = [
    "{{ title }} {{ markup }} {{ number }} {{ nothing }} {{ named }} {{ 1.5 }} {{ true }}",
    "{% extends 'base.html' %}{% block title %}{{ super() }} · {{ title }}{% endblock %}"
    "{% block main %}{{ title ~ markup }}{% endblock %}",
    "{% from 'parts.html' import button %}{{ button(title) }}{{ button(markup, kind=title) }}"
    "{% call button(title) %}{{ title }}{% endcall %}",
    "{% set whole %}<i>{{ title }}</i>{% endset %}{{ whole }}{{ whole | length }}",
    "{% filter upper %}{{ title }}<i>{% endfilter %}",
    "{% for one in titles %}{{ loop.index }}{{ one }}{{ path_of() }}{% endfor %}{{ title.upper() }}",
    "{% from 'parts.html' import button %}{% for one in titles %}{{ button(one) }}{{ one.strip() }}{% endfor %}",
    "{% autoescape false %}{{ title }}{% endautoescape %}{{ title | safe }}{{ title | e }}",
    "{{ _('Free & < easy') }} {{ _('Out on %(day)s', day=title) }} {{ gettext('100 %%') }}",
    "{% set said = _('Free') %}{{ said ~ title }}{{ (said, title) | join('<') }}",
]
GIVEN: dict[str, Any] = {
    "title": "<a> & \"b\" 'c'",
    "markup": Markup("<em>x</em>"),
    "number": 12,
    "nothing": None,
    "named": Named(),
    "titles": ["<", " b "],
    "path": "/p&q",
    "path_of": path_of,
}


def drawn(kind: type[Environment], page: str, given: Mapping[str, Any], *, autoescape: bool = True) -> str:
    made = kind(
        loader=DictLoader({**PARTS, "page": page}),
        autoescape=autoescape,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]
    return made.get_template("page").render(given)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("autoescape", [True, False])
def test_pages_are_drawn_as_jinja_draws_them(page: str, *, autoescape: bool) -> None:
    ours = drawn(Ours, page, GIVEN, autoescape=autoescape)
    assert ours == drawn(Environment, page, GIVEN, autoescape=autoescape)
    assert ours


@given(st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.floats(), st.text().map(Markup)))
def test_values_are_written_as_they_are_escaped(value: object) -> None:
    assert str(written(value)) == str(escape(value))


def test_a_value_is_escaped_wherever_it_stands() -> None:
    for page in ("{{ t }}", "{% set x %}{{ t }}{% endset %}{{ x }}", "{% for c in [t] %}{{ c }}{% endfor %}"):
        assert drawn(Ours, page, {"t": "<script>"}) == "&lt;script&gt;"


def test_what_is_not_there_is_an_error_as_before() -> None:
    with pytest.raises(UndefinedError, match="'missing' is undefined"):
        drawn(Ours, "{{ missing }}", {})
    with pytest.raises(UndefinedError, match="has no attribute 'missing'"):
        drawn(Ours, "{{ title.missing }}", {"title": "x"})
    with pytest.raises(UndefinedError, match="'missing' is undefined"):
        drawn(Ours, "{{ missing('x') }}", {})
