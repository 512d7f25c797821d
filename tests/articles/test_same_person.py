"""What a ban is held against: one mailbox in its spellings, one network, and nobody else."""

import pytest

from app.articles.same_person import is_in, network_of, person_of
from app.errors import BadInput


@pytest.mark.parametrize(
    ("typed", "mailbox"),
    [
        ("Dana@Example.com", "dana@example.com"),
        ("dana+spam@example.com", "dana@example.com"),
        ("d.a.n.a+x+y@gmail.com", "dana@gmail.com"),
        ("D.ana@GoogleMail.com", "dana@gmail.com"),
        ("da_na-x@protonmail.com", "danax@proton.me"),
        ("d.ana@example.com", "d.ana@example.com"),  # another person, at most providers
        ("dana@bücher.example", "dana@xn--bcher-kva.example"),
        ("+tag@example.com", "+tag@example.com"),
    ],
)
def test_one_mailbox_has_many_spellings(typed: str, mailbox: str) -> None:
    assert person_of(typed) == mailbox


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        (" 203.0.113.7/24 ", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4/64", "2001:db8:1:2::/64"),
    ],
)
def test_a_network_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert network_of(typed) == kept


@pytest.mark.parametrize(
    "typed", ["", "everybody", "0.0.0.0/0", "10.0.0.0/8", "::/0", "2001:db8::/16", "1.2.3"]
)
def test_what_is_no_network_or_half_the_world_is_refused(typed: str) -> None:
    with pytest.raises(BadInput):
        network_of(typed)


@pytest.mark.parametrize(
    ("ip", "network", "inside"),
    [
        ("203.0.113.7", "203.0.113.0/24", True),
        ("::ffff:203.0.113.7", "203.0.113.0/24", True),
        ("203.0.114.7", "203.0.113.0/24", False),
        ("2001:db8::1", "203.0.113.0/24", False),
        ("2001:db8::1", "2001:db8::/64", True),
        ("testclient", "203.0.113.0/24", False),
        ("", "203.0.113.0/24", False),
    ],
)
def test_a_machine_is_in_a_network_or_not(ip: str, network: str, inside: bool) -> None:
    assert is_in(ip, network) is inside
