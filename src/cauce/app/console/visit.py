"""A visit: who looks at a page, in which language, and the space as it is now."""

from typing import NamedTuple

from starlette.requests import Request

from cauce.app.compose import Composition
from cauce.app.console import language as languages
from cauce.app.console import sessions
from cauce.app.console.following import Following
from cauce.app.console.language import Words
from cauce.app.console.sessions import Session, Sessions
from cauce.vocabulary.moment import Clock


class Desk(NamedTuple):
    """What all pages share."""

    following: Following
    sessions: Sessions
    clock: Clock
    purposes: tuple[str, ...]


class Visit(NamedTuple):
    """One open page."""

    desk: Desk
    words: Words
    name: str
    path: str

    @property
    def session(self) -> Session:
        """Who acts; raises ``SignedOut`` once the session has ended."""
        return self.desk.sessions.find(self.name)

    @property
    def composition(self) -> Composition:
        """The space as it is now."""
        return self.desk.following.now()


def words_of(request: Request) -> Words:
    """The language of a request."""
    chosen = request.cookies.get(languages.COOKIE, "")
    return Words(languages.choose(chosen, request.headers.get("accept-language", "")))


def visit_of(desk: Desk, request: Request) -> Visit:
    """The visit that a request begins."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return Visit(desk, words_of(request), request.cookies.get(sessions.COOKIE, ""), path)
