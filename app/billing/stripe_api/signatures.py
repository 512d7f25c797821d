"""Whether Stripe signed a webhook."""

from datetime import datetime

import stripe

from app.errors import BadInput
from app.i18n import _

TOLERANCE_S = 300


class BadSignature(BadInput):
    """A webhook that Stripe did not sign with one of our secrets, or not just now."""

    status = 400
    code = "bad-signature"

    def default_sentence(self) -> str:
        return _("The signature of this event is not valid.")


def verify(raw: bytes, header: str, secrets: tuple[str, ...], now: datetime) -> None:
    """Check that Stripe signed exactly these bytes with one of our secrets, within 300 s of now, either way.

    Source: https://docs.stripe.com/webhooks#verify-manually
    Raises:
        BadSignature: for anything else; also when we have no secret.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise BadSignature from fault
    # The library compares text, which Python does in constant time for ASCII only and refuses for anything else.
    if not header.isascii():
        raise BadSignature
    for secret in filter(None, secrets):
        try:
            stripe.WebhookSignature.verify_header(text, header, secret, TOLERANCE_S)  # type: ignore[no-untyped-call]
        except stripe.SignatureVerificationError:
            continue
        # The library lets signatures from the future pass; they would keep for ever.
        signed_at = int(next(part for part in header.split(",") if part.startswith("t="))[2:])
        if signed_at > now.timestamp() + TOLERANCE_S:
            raise BadSignature
        return
    raise BadSignature
