"""What accounts decide: which addresses, names and passwords are accepted, and how often one may try. Pure."""

import hashlib
import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from app.errors import BadInput
from app.i18n import N_, _

PASSWORD_MIN = 10
# Longer ones would only make hashing slow; nobody types them.
PASSWORD_MAX = 200
NAME_MAX = 120
BAN_REASON_MAX = 1000

# The long ones of the usual lists of leaked passwords; shorter ones are refused by their length already.
_LISTED = """
    1234567890 0123456789 12345678910 123456789a 1q2w3e4r5t 1qaz2wsx3edc qwertyuiop qwerty1234 qwerty12345
    qwerty123456 asdfghjkl1 asdfghjkl; zxcvbnm123 password12 password123 password1234 password12345 passw0rd123
    mypassword mypassword1 yourpassword changeme123 changemenow letmein123 letmeinnow welcome123 welcome1234
    iloveyou12 iloveyou123 iloveyouso sunshine123 princess123 football123 baseball123 superman123 administrator
    admin12345 adminadmin stretching stretching1 correcthorse abcdefghij abcdefghijk abc1234567 a1b2c3d4e5
    987654321a 9876543210 1111111111 q1w2e3r4t5 trustno1trustno1 monkey12345 dragon12345 michael123
"""
COMMON = frozenset(_LISTED.split())


@dataclass(frozen=True)
class Limit:
    """At most `tries` within `window`, counted for each bucket."""

    name: str
    tries: int
    window: timedelta


# There is no limit for an address alone at signing in: anybody could then lock anybody out.
SIGN_IN_PAIR = Limit("in", 10, timedelta(minutes=15))
SIGN_IN_NETWORK = Limit("in-net", 60, timedelta(minutes=15))
# Mail goes to an address that somebody typed, so the mailbox itself is protected, from wherever it is asked.
LETTER_ADDRESS = Limit("mail", 5, timedelta(hours=1))
LETTER_NETWORK = Limit("mail-net", 60, timedelta(hours=1))
REAUTHENTICATE = Limit("again", 10, timedelta(minutes=15))
# Each opens a page of Stripe's, or tries a card.
CARD_PAGE = Limit("card", 20, timedelta(hours=1))


@dataclass(frozen=True)
class Bucket:
    """One thing that is counted, and how far it may go."""

    key: str
    limit: Limit


def network(ip: str) -> str:
    """What one household or server can use at will: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def shortened(ip: str) -> str:
    """The network of an address: /24 of IPv4, /48 of IPv6, which is what one household or provider gives out.

    Empty for what is no address.
    """
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))


def network_name(network: str) -> str:
    """A shortened network as people read it: 203.0.113.x, or the first three groups of an IPv6 address."""
    if not network:
        return ""
    start = network.partition("/")[0]
    return start.removesuffix(".0") + ".x" if "." in start else start.removesuffix("::") + ":…"


def _bucket(limit: Limit, *parts: str) -> Bucket:
    # Hashed, because what was typed may be of any length, and need not be kept in clear.
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    return Bucket(f"{limit.name}:{digest}", limit)


def _counted(email: str) -> str:
    # Cleaned first: one domain can be written in many ways in Unicode, and each would have a count of its own.
    try:
        return clean_email(email)
    except BadInput:
        return email.strip().lower()


def sign_in_buckets(email: str, ip: str) -> tuple[Bucket, Bucket]:
    """The address from this network, and the network."""
    return (_bucket(SIGN_IN_PAIR, _counted(email), network(ip)), _bucket(SIGN_IN_NETWORK, network(ip)))


def letter_buckets(email: str, ip: str) -> tuple[Bucket, Bucket]:
    return (_bucket(LETTER_ADDRESS, _counted(email)), _bucket(LETTER_NETWORK, network(ip)))


def reauthentication_bucket(user_id: UUID) -> Bucket:
    return _bucket(REAUTHENTICATE, str(user_id))


def card_bucket(customer_id: str) -> Bucket:
    return _bucket(CARD_PAGE, customer_id)


def clean_email(typed: str) -> str:
    """The address as it is kept: lower case, domain in ASCII.

    Raises:
        BadInput: when it is not an address that mail can reach.
    """
    sentence = _("This does not look like an e-mail address. It should be like name@example.com.")
    if len(typed) > 1000:  # reading a megabyte as an address would take long
        raise BadInput(sentence, field="email")
    try:
        # test_environment only lets the reserved TLD "test" through; nothing is looked up.
        found = validate_email(
            typed.strip(), check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except EmailNotValidError:
        raise BadInput(sentence, field="email") from None
    address = (found.ascii_email or "").lower()
    # `=?…?=` is legal before the @, but mail programs read it as an encoded word: as another address.
    if not address or len(address) > 254 or "=?" in address:
        raise BadInput(sentence, field="email")
    return address


def tidy(typed: str) -> str:
    """The text without control characters: PostgreSQL refuses NUL, and nobody types the others."""
    return "".join(c for c in typed if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))


def clean_name(typed: str) -> str:
    """The name with single spaces.

    Raises:
        BadInput: when it is empty, too long, or an address of the web (names appear in mail and on pages).
    """
    name = " ".join(tidy(typed).split())
    if not name:
        raise BadInput(_("Please tell us your name."), field="name")
    if len(name) > NAME_MAX:
        raise BadInput(_("This name is too long. Please keep it under 120 letters."), field="name")
    if re.search(r"https?://|www\.", name, re.IGNORECASE):
        raise BadInput(_("A name cannot hold a web address."), field="name")
    return name


def check_new_password(password: str, email: str) -> None:
    """Whether this may become the password of the account with this address.

    Raises:
        BadInput: saying what to do instead.
    """

    def refuse(sentence: str) -> None:
        raise BadInput(sentence, field="password")

    bare = password.strip().lower()
    if len(password) < PASSWORD_MIN:
        refuse(_("Please choose at least 10 characters."))
    if len(password) > PASSWORD_MAX:
        refuse(_("Please choose at most 200 characters."))
    if bare in (email.lower(), email.lower().partition("@")[0]):
        refuse(_("Your e-mail address is the first thing that others try. Please choose something else."))
    if bare in COMMON or len(set(bare)) < 4:
        refuse(_("This password is on every list of common ones. Please choose something else."))


def fingerprint(*state: str) -> str:
    """A short digest of the state that a mailed link depends on; when the state changes, the link is dead."""
    return hashlib.sha256("\0".join(state).encode()).hexdigest()[:24]


def can_ban(actor_id: UUID, target_id: UUID, *, target_is_staff: bool, reason: str) -> None:
    """Whether this member of staff may ban that account.

    Raises:
        BadInput: when the target is oneself or staff, or no reason is given.
    """
    if actor_id == target_id:
        raise BadInput(_("You cannot close your own account here."), field="reason")
    if target_is_staff:
        raise BadInput(_("This is a staff account. It cannot be closed here."), field="reason")
    if not reason.strip():
        raise BadInput(_("Please give a reason. Only staff will read it."), field="reason")
    if len(reason) > BAN_REASON_MAX:
        raise BadInput(_("Please keep the reason under 1000 letters."), field="reason")


# The order matters: Edge and Opera also call themselves Chrome, and Chrome calls itself Safari.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "Chromebook"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
_ON = N_("%(browser)s on %(system)s")


def device_name(user_agent: str) -> str:
    """A device in words, "Firefox on Windows"; good enough to recognise one's own, never used to decide."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    if browser and system:
        return _(_ON) % {"browser": browser, "system": system}
    return browser or system or _("Unknown device")
