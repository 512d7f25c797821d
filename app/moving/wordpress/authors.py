"""Whose articles are whose here."""

from sqlalchemy import select

from app import db
from app.accounts.models import User
from app.accounts.rules import clean_email
from app.errors import BadInput
from app.i18n import N_, _
from app.moving.wordpress import comments, report
from app.moving.wordpress.index import Index
from app.moving.wordpress.report import Report


async def match(index: Index, people: comments.People, told: Report, in_file: int) -> None:
    """Whose articles are whose here: by e-mail address, among the staff."""
    async with db.transaction() as session:
        for login, number, email, name in index.authors.all():
            try:
                address = clean_email(email)
            except BadInput:
                address = ""
            people.add_author(number, address)
            user = await session.scalar(select(User.id).where(User.email == address, User.role == "staff"))
            if user is not None:
                index.authors.set_user(login, user)
                people.users[number] = user
                told.count(report.AUTHORS, N_("authors"), N_("matched by e-mail with a member of staff"))
                continue
            told.count(report.AUTHORS, N_("authors"), N_("without a staff account here: listed"))
            told.note(
                N_("Authors without a staff account here: their articles name the practice as the author"),
                f"{name} ({login}, {email or _('no e-mail')})",
            )
    told.count(report.AUTHORS, N_("authors"), N_("named again"), in_file - len(index.authors.all()))
