"""The errors that people may meet: each has an HTTP status, a machine word and a sentence for the reader."""

from typing import Any

from app.i18n import _


class LimberError(Exception):
    """Base of everything we raise on purpose; `sentence` is shown to the person as it is."""

    status = 500
    code = "error"

    @property
    def members(self) -> dict[str, Any]:
        """What a program is told besides the sentence, as JSON."""
        return {}

    def __init__(self, sentence: str | None = None, *, field: str | None = None) -> None:
        self.sentence = sentence or self.default_sentence()
        self.field = field
        super().__init__(self.sentence)

    def default_sentence(self) -> str:
        return _("Something went wrong on our side. Please try again in a minute.")


class BadInput(LimberError):
    """What was typed cannot be used; `field` names the form field, where there is one."""

    status = 422
    code = "bad-input"


class NotFound(LimberError):
    status = 404
    code = "not-found"

    def default_sentence(self) -> str:
        return _("This page is not here. It may have moved, or the link is incomplete.")


class SignInRequired(LimberError):
    status = 401
    code = "sign-in-required"

    def default_sentence(self) -> str:
        return _("Please log in to watch the paid videos.")


class PaymentRequired(LimberError):
    """Signed in, but no entitlement covers the lesson."""

    status = 402
    code = "payment-required"

    def default_sentence(self) -> str:
        return _("This lesson is part of the membership.")


class Forbidden(LimberError):
    status = 403
    code = "forbidden"

    def default_sentence(self) -> str:
        return _("Your account is not allowed to do this.")


class CrossSite(Forbidden):
    code = "cross-site"

    def default_sentence(self) -> str:
        return _("This request came from another site, so nothing was changed.")


class LinkExpired(LimberError):
    """A mailed link that is too old, was used already, or was cut off."""

    status = 410
    code = "link-expired"

    def default_sentence(self) -> str:
        return _("This link no longer works. Please ask for a new one.")


class Conflict(LimberError):
    status = 409
    code = "conflict"


class Gone(LimberError):
    status = 410
    code = "gone"


class TooLarge(LimberError):
    status = 413
    code = "too-large"

    def default_sentence(self) -> str:
        return _("That is more than this page can take. Please go back and send less.")


class Locked(LimberError):
    """Somebody else is writing the same thing at this moment."""

    status = 423
    code = "locked"


class TooMany(LimberError):
    status = 429
    code = "too-many"

    def default_sentence(self) -> str:
        return _("That was a lot in a short time. Please wait a few minutes and try again.")


class Unavailable(LimberError):
    """A part we depend on does not answer; trying again later can help."""

    status = 503
    code = "unavailable"

    def default_sentence(self) -> str:
        return _("This does not answer at the moment. Please try again in a minute.")
