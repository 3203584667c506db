"""The console's application: sign-in, language, files, and the pages."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from fastapi import FastAPI
from nicegui import ui
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from cauce.app.compose import Composition
from cauce.app.console import language as languages
from cauce.app.console.following import Following
from cauce.app.console.people_page import people_page
from cauce.app.console.review_page import review_page
from cauce.app.console.sessions import Sessions, SignedOut
from cauce.app.console.sign_in import sign_in, sign_in_page, sign_out
from cauce.app.console.visit import Desk, Visit, visit_of
from cauce.app.console.what_if_page import what_if_page
from cauce.govern.keys import KeyRing
from cauce.vocabulary.moment import Clock

_ASSETS = Path(__file__).parent / "assets"
_YEAR_SECONDS = 31_536_000

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
        "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

Call = Callable[[Request], Awaitable[Response]]


def create_console(composition: Composition, keys: KeyRing, clock: Clock) -> FastAPI:
    """The application over one space."""
    following = Following(composition)
    desk = Desk(following, Sessions(keys, monotonic), clock, composition.settings.purposes)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.middleware("http")(_guarded)
    _doors(app, desk)
    _pages(desk)
    app.mount("/assets", StaticFiles(directory=_ASSETS))
    ui.run_with(app, title="Cauce", dark=None, tailwind=False, show_welcome_message=False)
    return app


async def _guarded(request: Request, call_next: Call) -> Response:
    """Refuse forms that another site sends; no page may be framed or load anything from elsewhere."""
    if request.method not in ("GET", "HEAD") and _foreign(request):
        return PlainTextResponse("This form came from another site.", 403)
    answer = await call_next(request)
    answer.headers.update(_HEADERS)
    return answer


def _foreign(request: Request) -> bool:
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc != request.headers.get("host", "")


def _doors(app: FastAPI, desk: Desk) -> None:
    """The routes beside the pages."""

    @app.get("/health")
    def health() -> Response:
        return JSONResponse({"status": "ok"})

    @app.get("/")
    def start() -> Response:
        return RedirectResponse("/people")

    @app.get("/sign-in")
    def page(request: Request) -> Response:
        return sign_in_page(desk, request)

    @app.post("/sign-in")
    async def entered(request: Request) -> Response:
        return await sign_in(desk, request)

    @app.post("/sign-out")
    def left(request: Request) -> Response:
        return sign_out(desk, request)

    @app.get("/language/{chosen}")
    def spoken(chosen: str, request: Request) -> Response:
        back = urlsplit(request.headers.get("referer", ""))
        here = back.netloc == request.headers.get("host", "") and back.path.startswith("/")
        where = f"{back.path}?{back.query}" if here and not back.path.startswith("//") else "/"
        answer = RedirectResponse(where, 303)
        if chosen in languages.LANGUAGES:
            answer.set_cookie(languages.COOKIE, chosen, max_age=_YEAR_SECONDS, httponly=True, samesite="lax")
        return answer


def _pages(desk: Desk) -> None:
    """The pages, for those who are signed in."""

    def visited(request: Request) -> Visit | Response:
        visit = visit_of(desk, request)
        try:
            _ = visit.session
        except SignedOut:
            return RedirectResponse("/sign-in", 303)
        return visit

    @ui.page("/people", response_timeout=30)
    async def people(
        request: Request, identifier: str = "", as_of: str = "", other: str = ""
    ) -> Response | None:
        visit = visited(request)
        if not isinstance(visit, Visit):
            return visit
        await people_page(visit, identifier, as_of, other)
        return None

    @ui.page("/review", response_timeout=30)
    async def review(request: Request) -> Response | None:
        visit = visited(request)
        if not isinstance(visit, Visit):
            return visit
        await review_page(visit)
        return None

    @ui.page("/what-if", response_timeout=30)
    async def what_if(request: Request) -> Response | None:
        visit = visited(request)
        if not isinstance(visit, Visit):
            return visit
        await what_if_page(visit)
        return None
