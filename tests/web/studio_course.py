"""What tests of the studio's courses share: a teacher, rows by their titles, and pages as people read them."""

import re
from html import unescape
from uuid import UUID

import httpx
from sqlalchemy import select

from app import db
from app.accounts.models import AuditEntry
from app.catalog.models import Course, Lesson, Section
from app.practice.models import Practice

ID, OTHER = UUID(int=7), UUID(int=8)
COURSE = {"title": "Lower body", "summary": "From the thigh to the hip.", "body_md": "## Why\n\nWords."}


async def trail() -> list[str]:
    async with db.transaction() as session:
        return list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


async def courses() -> list[Course]:
    async with db.transaction() as session:
        return list(await session.scalars(select(Course).order_by(Course.position)))


async def sections() -> list[Section]:
    async with db.transaction() as session:
        return list(await session.scalars(select(Section).order_by(Section.position)))


async def lessons() -> list[Lesson]:
    async with db.transaction() as session:
        return list(
            await session.scalars(
                select(Lesson)
                .join(Section, Section.id == Lesson.section_id)
                .order_by(Section.position, Lesson.position)
            )
        )


async def titles() -> dict[str, list[str]]:
    """Titles of lessons by the title of their section, in order."""
    found: dict[str, list[str]] = {section.title: [] for section in await sections()}
    names = {section.id: section.title for section in await sections()}
    for lesson in await lessons():
        found[names[lesson.section_id]].append(lesson.title)
    return found


async def practise_in(zone: str) -> None:
    async with db.transaction() as session:
        session.add(Practice(id=1, time_zone=zone))


async def new_course(client: httpx.AsyncClient, **values: str) -> str:
    """Begin a course in the browser; its address in the studio."""
    answer = await client.post("/studio/courses", data={**COURSE, **values})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


async def new_section(client: httpx.AsyncClient, course: str, title: str = "Outer muscles") -> str:
    """Its id."""
    answer = await client.post(f"{course}/sections", data={"title": title})
    assert answer.status_code == 303, answer.text
    return str((await sections())[-1].id)


async def new_lesson(client: httpx.AsyncClient, course: str, section: str, **values: str) -> str:
    """Its address in the studio."""
    answer = await client.post(
        f"{course}/lessons", data={"title": "Hamstrings", "section_id": section, **values}
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


def field(page: str, name: str) -> str:
    """The value of an input, or the text of a textarea."""
    own = rf'(?:type="hidden"|id="{name}") name="{name}"'
    if found := re.search(rf'<input[^>]* {own}[^>]*? value="([^"]*)"', page):
        return unescape(found[1])
    found = re.search(rf'<textarea[^>]* name="{name}"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    assert found, name
    return unescape(found[1])


def chosen(page: str, name: str) -> str:
    """The value of the option that a select shows."""
    select_ = re.search(rf'<select[^>]* name="{name}".*?</select>', page, re.DOTALL)
    assert select_, name
    found = re.search(r'<option value="([^"]*)" selected', select_[0])
    return found[1] if found else ""


def error(page: str, field_id: str) -> str:
    """The sentence beside a field; the field has to name it."""
    assert re.search(rf'aria-describedby="{field_id}-error[^"]*"', page), field_id
    found = re.search(rf'id="{field_id}-error">([^<]*)<', page)
    assert found, field_id
    return unescape(found[1])
