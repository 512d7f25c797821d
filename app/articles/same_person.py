"""When two addresses are one person's, and two machines one household's: what a ban is held against. Pure."""

import ipaddress

from app.accounts.rules import clean_email
from app.errors import BadInput
from app.i18n import _

# Their mailboxes do not care for these signs before the @, nor for which of their names stands behind it.
# Sources: https://support.google.com/mail/answer/7436150, https://proton.me/support/creating-aliases
_SAME = {
    "gmail.com": ("gmail.com", "."),
    "googlemail.com": ("gmail.com", "."),
    "proton.me": ("proton.me", ".-_"),
    "protonmail.com": ("proton.me", ".-_"),
    "protonmail.ch": ("proton.me", ".-_"),
    "pm.me": ("proton.me", ".-_"),
}
# Nothing larger than a company's or a town's provider is closed by mistake.
WIDEST = {4: 16, 6: 32}


def person_of(email: str) -> str:
    """The mailbox behind an address: without case, without what stands after a plus sign, and at the providers that
    ignore them without dots. Elsewhere dots tell people apart.

    Raises:
        BadInput: (field "email") when it is no address.
    """
    name, _at, domain = clean_email(email).rpartition("@")
    domain, ignored = _SAME.get(domain, (domain, ""))
    # "+tag@…" alone would be everybody.
    name = name.partition("+")[0] or name
    return f"{name.translate(str.maketrans('', '', ignored)) or name}@{domain}"


def network_of(typed: str) -> str:
    """An address or a network as bans keep it ("203.0.113.7/32").

    Raises:
        BadInput: (field "who") when it is neither, or wider than WIDEST.
    """
    try:
        found = ipaddress.ip_network(typed.strip(), strict=False)
    except ValueError:
        raise BadInput(
            _("This is neither an e-mail address nor a network such as 203.0.113.7 or 203.0.113.0/24."),
            field="who",
        ) from None
    if found.prefixlen < WIDEST[found.version]:
        raise BadInput(_("This network is too large: it would shut out thousands of people."), field="who")
    return str(found)


def is_in(ip: str, network: str) -> bool:
    """Whether the machine at `ip` is in a network that `network_of` wrote; what is no address is in none."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address in ipaddress.ip_network(network)
