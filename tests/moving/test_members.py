"""Members out of other platforms' files: the columns of each, accounts and mails once, Stripe's customers matched."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from app import db
from app.accounts.models import User
from app.errors import BadInput
from app.moving import members
from app.moving.days import day
from app.moving.member_files import read
from tests import factories
from tests.billing import till as tills

FILES = {
    "memberpress": "ID,Username,Email,First Name,Last Name,Memberships,Inactive Memberships,Registered\n"
    '7,ann,Ann@Example.com,Ann,Lee,"Yoga, Monthly",,2021-03-04 05:06:07\n',
    "woocommerce": "Name,Username,Last Active,Date Registered,Email,Orders,Total Spend,AOV\n"
    "Ann Lee,ann,2024-01-01,2021-03-04 05:06:07,ann@example.com,3,30.00,10.00\n",
    "uscreen": "User ID,Name,Email,Created At,Subscription Status,Segments,Lifetime Spent\n"
    "9,Ann Lee,ann@example.com,2021-03-04T05:06:07Z,active,,100\n",
    "teachable": "id,fullname,email,joined_at,role,unsubscribe_from_marketing_emails\n"
    "3,Ann Lee,ann@example.com,2021-03-04 05:06:07 UTC,student,false\n",
    "kajabi": "First Name,Last Name,Name,Email,External User ID,Products,Offers,Tags,Subscribed,Created At\n"
    "Ann,Lee,Ann Lee,ann@example.com,,Course,Offer,,true,2021-03-04 05:06:07\n",
}


@pytest.mark.parametrize("platform", FILES)
def test_each_platform_is_known_by_its_columns(platform: str) -> None:
    columns, rows = read(FILES[platform].splitlines(keepends=True))
    (row,) = rows
    assert columns.platform == platform
    assert (row.email.lower(), row.name) == ("ann@example.com", "Ann Lee")
    assert row.joined_at == datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("March 4, 2021", datetime(2021, 3, 4, tzinfo=UTC)),
        ("2021-03-04T05:06:07.123+00:00", datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("2021-03-04 05:06:07 -0500", datetime(2021, 3, 4, 10, 6, 7, tzinfo=UTC)),
        ("31.12.2021", datetime(2021, 12, 31, tzinfo=UTC)),
        ("5/1/21", datetime(2021, 5, 1, tzinfo=UTC)),
        ("13/01/2021", datetime(2021, 1, 13, tzinfo=UTC)),
        ("05-01-2021", datetime(2021, 5, 1, tzinfo=UTC)),
        ("Mar 4, 2021 at 5:06 PM", datetime(2021, 3, 4, 17, 6, tzinfo=UTC)),
        ("1614834367", datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("Thu, 04 Mar 2021 05:06:07 +0100", datetime(2021, 3, 4, 4, 6, 7, tzinfo=UTC)),
        ("yesterday", None),
        ("0001-01-01", None),
        ("", None),
    ],
)
def test_days_are_read_as_they_are_written(text: str, shown: datetime | None) -> None:
    assert day(text) == shown


def test_a_file_that_excel_wrote_in_europe_is_read() -> None:
    """It begins with how its columns are parted, and its days with the day."""
    text = (
        '\ufeffsep=;\r\n\r\n"Name";"E-Mail";"Join Date"\r\n"Ann\r\nLee";Ann Lee <ann@example.com>;5/1/2021\r\n'
        ";mailto:bo@example.com;\r\n"
    )
    _columns, rows = read(text.splitlines(keepends=True))
    ann, bo = rows
    assert (ann.line, ann.email, ann.joined_at) == (4, "ann@example.com", datetime(2021, 1, 5, tzinfo=UTC))
    assert (bo.line, bo.email, bo.joined_at) == (6, "bo@example.com", None)


def test_a_file_without_addresses_is_refused_with_its_first_line() -> None:
    with pytest.raises(BadInput, match="Its first line reads: Name, Phone"):
        read(["Name,Phone\n"])
    with pytest.raises(BadInput, match="empty"):
        read(["\n", ",,\n"])


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "members.csv"
    path.write_bytes(text.encode(encoding))
    return path


async def users() -> dict[str, User]:
    async with db.transaction() as session:
        return {one.email: one for one in await session.scalars(select(User))}


@pytest.mark.usefixtures("database")
async def test_everybody_gets_an_account_and_one_mail(tmp_path: Path) -> None:
    async with db.transaction() as session:
        await factories.user(session, email="known@example.com", name="Mine")
    text = "Email;Name\nann@example.com;Änn\nKNOWN@example.com;Theirs\nnonsense;X\nAnn@example.com;Again\n\n"
    file = write(tmp_path, text, "cp1252")
    dry = await members.take(file, "", is_dry=True, mails=True)
    assert set(await users()) == {"known@example.com"}
    told = await members.take(file, "", is_dry=False, mails=True)
    assert dry.outcomes == told.outcomes
    assert told.outcomes == {members.NEW: 1, members.KNOWN: 1, members.NO_EMAIL: 1, members.AGAIN: 1}
    assert told.rows == 4
    assert told.odd == ["line 4: “nonsense”"]
    found = await users()
    assert (found["ann@example.com"].name, found["ann@example.com"].password_hash) == ("Änn", "!")
    assert found["known@example.com"].name == "Mine"
    assert (await tills.mails()).count("moved_in") == 1
    again = await members.take(file, "", is_dry=False, mails=True)
    assert again.outcomes[members.NEW] == 0
    assert (await tills.mails()).count("moved_in") == 1


@pytest.mark.usefixtures("database")
async def test_nobody_is_mailed_when_that_was_said(tmp_path: Path) -> None:
    await members.take(write(tmp_path, FILES["kajabi"]), "", is_dry=False, mails=False)
    assert "moved_in" not in await tills.mails()
