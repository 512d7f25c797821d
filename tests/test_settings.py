"""Which settings are refused, before anything listens."""

import pytest
from pydantic import ValidationError

from app.settings import Settings

GOOD = {
    "env": "production",
    "base_url": "https://limber.test",
    "media_keys": "m1:" + "media-" * 8,
    "link_keys": "l1:" + "links-" * 8,
    "trusted_proxies": "127.0.0.1,10.0.0.0/8",
}
DEMO = {"env": "demo", "base_url": "http://127.0.0.1:8000", "host": "127.0.0.1"}


@pytest.mark.parametrize("values", [GOOD, DEMO, DEMO | {"base_url": "http://localhost:8000", "host": "::1"}])
def test_good_settings_are_taken(values: dict[str, str]) -> None:
    assert Settings(**values).env == values["env"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (DEMO | {"host": "0.0.0.0"}, "only runs on loopback"),
        (DEMO | {"host": "::"}, "only runs on loopback"),
        (DEMO | {"base_url": "https://limber.test"}, "only runs on loopback"),
        (DEMO | {"base_url": "http://127.0.0.1@limber.test"}, "only runs on loopback"),
        (DEMO | {"base_url": "http://127.0.0.1.limber.test"}, "only runs on loopback"),
        (GOOD | {"base_url": "http://limber.test"}, "https://"),
        (GOOD | {"base_url": "javascript://limber.test"}, "https://example.com"),
        (GOOD | {"media_keys": ""}, "LIMBER_MEDIA_KEYS"),
        (GOOD | {"link_keys": "l1:short"}, "LIMBER_LINK_KEYS"),
        (GOOD | {"link_keys": GOOD["media_keys"]}, "different secrets"),
        (GOOD | {"edge_key": "short"}, "LIMBER_EDGE_KEY"),
        (GOOD | {"edge_key": "x" * 32 + '";'}, "LIMBER_EDGE_KEY"),
        (GOOD | {"trusted_proxies": "*"}, "LIMBER_TRUSTED_PROXIES"),
        (GOOD | {"trusted_proxies": "127.0.0.1, *"}, "LIMBER_TRUSTED_PROXIES"),
        (GOOD | {"stripe_secret_key": "sk_test_x", "stripe_webhook_secrets": ""}, "STRIPE_WEBHOOK_SECRET"),
    ],
)
def test_dangerous_settings_are_refused_in_a_sentence(values: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Settings(**values)  # type: ignore[arg-type]
