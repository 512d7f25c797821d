"""The documentation says what is: settings table, links, commands, the tree."""

import re
from pathlib import Path

import pytest

from app.cli import cli
from app.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_settings_table_is_the_settings() -> None:
    table = dict(re.findall(r"^\| `([A-Z_]+)` \| (?:`[^`]*`)? ?\| (.+) \|$", README, re.MULTILINE))
    fields = {
        str(field.validation_alias or f"LIMBER_{name.upper()}"): field.description
        for name, field in Settings.model_fields.items()
    }
    assert table == fields


def test_the_defaults_in_the_table_are_the_defaults() -> None:
    shown = dict(re.findall(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`)? ?\|", README, re.MULTILINE))
    for name, field in Settings.model_fields.items():
        variable = str(field.validation_alias or f"LIMBER_{name.upper()}")
        default = "" if field.default in ("", None) else str(field.default)
        assert shown[variable] == default, variable


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_is_named_exists(page: Path) -> None:
    known = {
        command.name or command.callback.__name__ for command in cli.registered_commands if command.callback
    }
    known |= {group.name for group in cli.registered_groups if group.name}
    for command in re.findall(r"`limber ([a-z]+)", page.read_text("utf-8")):
        assert command in known, f"{page.name} names `limber {command}`"
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for target in re.findall(r"`make ([a-z-]+)", page.read_text("utf-8")):
        assert target in targets, f"{page.name} names `make {target}`"


def test_the_tree_names_folders_that_exist() -> None:
    tree = README.split("```")[3]
    for name in re.findall(r"^([a-z]+)/", tree, re.MULTILINE):
        assert (ROOT / name).is_dir(), name
