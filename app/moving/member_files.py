"""Members out of other platforms' CSV files: which column is what, and what one row says. Pure."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parseaddr
from typing import Protocol

from app.errors import BadInput
from app.i18n import _
from app.moving.days import day

# Names as these platforms write them, in small letters and without signs. Each finds its own first.
EMAIL = ("email", "emailaddress", "useremail", "billingemail", "customeremail", "memberemail", "mail")
NAME = ("name", "fullname", "displayname", "username", "customername", "membername", "customer")
FIRST = ("firstname", "billingfirstname", "first")
LAST = ("lastname", "billinglastname", "last", "surname")
JOINED = (
    "registered",
    "dateregistered",
    "userregistered",
    "joinedat",
    "createdat",
    "joined",
    "joindate",
    "signupdate",
    "created",
    "createdon",
    "dateadded",
    "datecreated",
    "signedupat",
    "signedup",
    "registrationdate",
    "registeredat",
    "membersince",
    "startdate",
)
CUSTOMER = ("stripecustomerid", "stripecustomer", "stripeid", "customeridstripe", "gatewaycustomerid")
# What tells one platform's file from another's; none of it decides anything but the report's words.
MARKS = {
    "memberpress": (
        "memberships",
        "inactivememberships",
        "subscriptionnumber",
        "membership",
        "activetxncount",
    ),
    "woocommerce": (
        "totalspend",
        "aov",
        "lastactive",
        "billingemail",
        "orders",
        "billingfirstname",
        "customeremail",
    ),
    "uscreen": (
        "subscriptionstatus",
        "subscriptiontitle",
        "segments",
        "origin",
        "lifetimespent",
        "lifetimevalue",
    ),
    "teachable": (
        "joinedat",
        "joindate",
        "unsubscribefrommarketingemails",
        "lastsigninat",
        "lastsignin",
        "role",
    ),
    "kajabi": ("products", "offers", "subscribed", "externaluserid", "signincount"),
}
MEMBERSHIPS = (
    "memberships",
    "membership",
    "subscription",
    "subscriptionstatus",
    "subscriptiontitle",
    "plan",
    "products",
    "offers",
    "courses",
    "coursesenrolled",
)
LONGEST_FIELD = 200_000
_SEPARATOR = re.compile(r"\ufeff?\"?sep=([,;\t|])\"?", re.IGNORECASE)


@dataclass(frozen=True)
class Columns:
    """Where in a row is what; None: the file does not say it."""

    platform: str
    email: int
    name: int | None
    first: int | None
    last: int | None
    joined: int | None
    customer: int | None
    memberships: tuple[int, ...]
    is_day_first: bool = False


@dataclass(frozen=True)
class Row:
    """One person. `line` in the file, from 1; `has_membership`: the file names something that was bought."""

    line: int
    email: str
    name: str
    joined_at: datetime | None
    stripe_id: str
    has_membership: bool


def read(text: Iterable[str], platform: str = "") -> tuple[Columns, Iterator[Row]]:
    """The columns that were found, and the people, one after the other.

    Raises:
        BadInput: the file is empty, or no column of it holds e-mail addresses.
    """
    lines = iter(text)
    csv.field_size_limit(LONGEST_FIELD)
    delimiter = ""
    skipped = 0
    for first in lines:
        said = _SEPARATOR.fullmatch(first.strip())
        if not said and first.strip(" \t\r\n,;\ufeff"):
            break
        # Excel says what stands between the columns in a line of its own.
        delimiter, skipped = (said[1] if said else delimiter), skipped + 1
    else:
        raise BadInput(_("This file is empty."))
    delimiter = delimiter or max(",;\t", key=first.count)
    rows = csv.reader(_chain(first, lines), delimiter=delimiter)
    # Where a semicolon stands between columns, the day stands before the month.
    columns = replace(find_columns(next(rows), platform), is_day_first=delimiter == ";")
    return columns, _rows(rows, columns, skipped)


def find_columns(header: list[str], platform: str = "") -> Columns:
    """Which column is what, by its name.

    Raises:
        BadInput: there is none for e-mail addresses.
    """
    names = [re.sub(r"[^a-z0-9]", "", name.lower().removeprefix("\ufeff")) for name in header]

    def place(wanted: tuple[str, ...]) -> int | None:
        return next((names.index(name) for name in wanted if name in names), None)

    email = place(EMAIL)
    if email is None:
        raise BadInput(
            _("No column of this file is called “Email”. Its first line reads: %(names)s")
            % {"names": ", ".join(header)[:300]}
        )
    marks = {kind: sum(name in names for name in wanted) for kind, wanted in MARKS.items()}
    likely = max(marks, key=lambda kind: marks[kind])
    return Columns(
        platform=platform or (likely if marks[likely] else ""),
        email=email,
        name=place(NAME),
        first=place(FIRST),
        last=place(LAST),
        joined=place(JOINED),
        customer=place(CUSTOMER),
        memberships=tuple(n for n, name in enumerate(names) if name in MEMBERSHIPS),
    )


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


class _Reader(Protocol):
    """What `csv.reader` gives."""

    line_num: int

    def __next__(self) -> list[str]: ...


def _rows(rows: _Reader, columns: Columns, skipped: int) -> Iterator[Row]:
    while True:
        line = rows.line_num + 1 + skipped
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            # A field of a megabyte, or a NUL: the row is told as one without an address.
            row = ["?"]
        if any(cell.strip() for cell in row):
            yield _row(row, columns, line)


def _row(row: list[str], columns: Columns, line: int) -> Row:
    def cell(place: int | None) -> str:
        return row[place].strip() if place is not None and place < len(row) else ""

    both = " ".join(part for part in (cell(columns.first), cell(columns.last)) if part)
    customer = cell(columns.customer)
    return Row(
        line=line,
        email=_bare(cell(columns.email)),
        name=both or cell(columns.name),
        joined_at=day(cell(columns.joined), is_day_first=columns.is_day_first),
        stripe_id=customer if re.fullmatch(r"cus_\w{1,60}", customer) else "",
        has_membership=any(
            cell(place) not in ("", "0", "None", "none", "-") for place in columns.memberships
        ),
    )


def _bare(address: str) -> str:
    """The address alone, of `Ann Lee <ann@example.com>` and `mailto:ann@example.com`."""
    found = parseaddr(address)[1] if "<" in address else address
    return found.removeprefix("mailto:") or address
