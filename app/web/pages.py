"""Pages: a template, a dataclass as its context, and the few things that every page shows."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from app import i18n
from app.accounts.permissions import Viewer
from app.billing.trouble import TROUBLE, Trouble, told_trouble, trouble_of
from app.clock import use_zone, utcnow
from app.db import Db, Querying
from app.practice.queries import PRACTICE, PracticeView, practice, practice_of
from app.question import Answers, Fact, ask
from app.settings import get_settings
from app.templating import environment
from app.web import origin, theme
from app.web.guard import MaybeViewer, cookie_name, set_session_cookie, viewer_of

# A way back travels in addresses and mailed links, which break (or fill a stranger's mailbox) when it is long.
LONGEST_NEXT = 1000


@dataclass(frozen=True)
class DemoSignIn:
    email: str
    role: str


@dataclass(frozen=True)
class DemoInfo:
    """What the demo banner tells: where the mail is, and who can sign in."""

    outbox_url: str
    stripe_url: str
    password: str
    sign_ins: tuple[DemoSignIn, ...]


def demo_info() -> DemoInfo | None:
    settings = get_settings()
    if not settings.is_demo:
        return None
    return DemoInfo(
        outbox_url=settings.outbox_url,
        stripe_url=settings.stripe_api_base,
        password="limber-demo",  # noqa: S106 (the demo's public password)
        sign_ins=(
            DemoSignIn("teacher@example.com", "teacher"),
            DemoSignIn("member@example.com", "member"),
            DemoSignIn("visitor@example.com", "visitor"),
        ),
    )


@dataclass(frozen=True)
class Frame:
    """What base.html needs beside the page itself; built once per request."""

    viewer: Viewer | None
    practice: PracticeView
    csp_nonce: str
    path: str
    # A payment of the viewer's that did not go through.
    trouble: Trouble | None = None
    # The article that brought them here, by its slug.
    came_from: str = ""
    # "light" or "dark" while the teacher looks at what was not saved yet.
    preview: str = ""

    def context(self) -> dict[str, Any]:
        return {
            "viewer": self.viewer,
            "practice": self.practice,
            "csp_nonce": self.csp_nonce,
            "path": self.path,
            "trouble": self.trouble,
            "came_from": self.came_from,
            "demo": demo_info(),
            "now": utcnow(),
            "language": i18n.language_tag(i18n.current_locale()),
            "direction": i18n.direction(i18n.current_locale()),
            "theme": theme.address(self.practice.accent),
            "preview": self.preview,
            "base_url": get_settings().base_url,
        }


def _as_at(facts: PracticeView) -> None:
    """Tell days, times and everything else as they are told at the practice."""
    use_zone(facts.time_zone)
    i18n.use_locale(facts.language)


def draw(template: str, frame: Frame, page: Any) -> str:
    """Render `templates/<template>` with `page` (a dataclass) beside the frame.

    Raises:
        jinja2.UndefinedError: when the template names what neither has.
    """
    _as_at(frame.practice)
    return environment().get_template(template).render(frame.context(), page=page)


class Pages:
    """Renders pages of one request. `await page.show("auth/login.html", LoginPage(...))`."""

    def __init__(
        self, request: Request, db: Querying, viewer: Viewer | None, facts: PracticeView | None = None
    ) -> None:
        self.request = request
        self.db = db
        self.viewer = viewer
        self.facts = facts
        # Of the frame, where it was asked for with the page.
        self.found: Answers | None = None

    async def _trouble(self) -> Trouble | None:
        if self.viewer is None:
            return None
        if self.found is not None:
            return told_trouble(self.found, utcnow())
        return await trouble_of(self.db, self.viewer.user_id, utcnow())

    async def show(
        self, template: str, page: Any = None, *, status: int = 200, headers: dict[str, str] | None = None
    ) -> HTMLResponse:
        """The whole page (or fragment) as a response; pages of signed-in people are never stored by caches."""
        frame = Frame(
            viewer=self.viewer,
            practice=self.facts or await practice(self.db),
            csp_nonce=self.request.state.csp_nonce,
            path=self.request.url.path,
            trouble=await self._trouble(),
            came_from=origin.of(self.request),
        )
        cache = "private, no-store" if self.viewer else "no-cache"
        response = HTMLResponse(
            draw(template, frame, page),
            status_code=status,
            headers={"Cache-Control": cache, **(headers or {})},
        )
        token = self.request.cookies.get(cookie_name())
        if self.viewer and token:
            set_session_cookie(response, token)
        return response


async def pages_of(request: Request, db: Querying, viewer: Viewer | None) -> Pages:
    """The same by hand, for routes that keep no transaction open while they call other servers."""
    facts = await practice(db)
    _as_at(facts)
    return Pages(request, db, viewer, facts)


async def opened(
    request: Request, db: Querying, *facts: Fact, mine: tuple[Fact, ...] = (), **values: Any
) -> tuple[Pages, Answers]:
    """For pages that are read all the time: who looks, and by one question all that the page and its frame show.

    `mine`: facts about the viewer, which are not asked (and so not among the answers) where there is none. `user_id` is
    given.
    """
    viewer = await viewer_of(request, db)
    if viewer is not None:
        facts = (*facts, TROUBLE, *mine)
    found = await ask(db, PRACTICE, *facts, user_id=viewer.user_id if viewer else None, **values)
    told = practice_of(found)
    _as_at(told)
    page = Pages(request, db, viewer, told)
    page.found = found
    return page, found


async def _pages(request: Request, db: Db, viewer: MaybeViewer) -> Pages:
    # Before the route runs, not only when it draws: sentences with days in them are made in between.
    return await pages_of(request, db, viewer)


Page = Annotated[Pages, Depends(_pages)]


def safe_next(value: str | None, default: str = "/library") -> str:
    """A path on this site to go back to; anything else (`//evil`, `https:…`, control characters) is the default."""
    if not value or len(value) > LONGEST_NEXT or not value.startswith("/") or value.startswith(("//", "/\\")):
        return default
    if any(ord(c) < 32 or c == "\\" for c in value):
        return default
    return value
