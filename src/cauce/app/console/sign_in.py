"""Signing in with an API key: a plain page with a form, which works before any script runs."""

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cauce.app.console.frame import STYLE
from cauce.app.console.language import LANGUAGES, Words
from cauce.app.console.sessions import COOKIE, HOURS
from cauce.app.console.visit import Desk, words_of

_LONGEST = 1_000


def sign_in_page(desk: Desk, request: Request, *, refused: str = "", status: int = 200) -> Response:
    """The page; ``refused`` says why an attempt failed."""
    words = words_of(request)
    title, key = escape(words.say("Sign in")), escape(words.say("API key"))
    purpose = escape(words.say("Why you read personal data"))
    made = escape(words.say("A key is made with this command:"))
    alert = f'<p class="note bad" role="alert">{escape(refused)}</p>' if refused else ""
    options = "".join(f"<option>{escape(one)}</option>" for one in desk.purposes)
    body = f"""<!doctype html>
<html lang="{words.language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Cauce</title><link rel="stylesheet" href="{STYLE}"></head>
<body><div class="page"><header class="top"><span class="mark">Cauce</span>
<div class="who">{_languages(words)}</div></header>
<main><form class="card narrow" action="/sign-in" method="post">
<h1>{title}</h1>{alert}
<label class="field"><span>{key}</span>
<input name="key" type="password" required autofocus autocomplete="current-password"></label>
<label class="field"><span>{purpose}</span>
<select name="purpose">{options}</select></label>
<button class="button first" type="submit">{title}</button>
<p>{made} <code>cauce key create api NAME</code></p>
</form></main></div></body></html>"""
    return HTMLResponse(body, status)


def _languages(words: Words) -> str:
    links = []
    for language, label in LANGUAGES.items():
        current = ' aria-current="true"' if language == words.language else ""
        links.append(f'<a href="/language/{language}" lang="{language}"{current}>{label}</a>')
    return " ".join(links)


async def sign_in(desk: Desk, request: Request) -> Response:
    """Begin a session with the key of the form; any former one of this browser ends."""
    words = words_of(request)
    form = await request.form(max_files=0, max_fields=5, max_part_size=_LONGEST * 4)
    key, purpose = str(form.get("key", "")).strip(), str(form.get("purpose", ""))
    if purpose not in desk.purposes:
        refused = words.say("Choose why you read personal data.")
        return sign_in_page(desk, request, refused=refused, status=400)
    name = desk.sessions.begin(key, purpose) if len(key) <= _LONGEST else None
    if name is None:
        refused = words.say("This key is unknown or was revoked.")
        return sign_in_page(desk, request, refused=refused, status=403)
    desk.sessions.end(request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/people", 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, name, max_age=HOURS * 3_600, httponly=True, samesite="strict", secure=secure)
    return answer


def sign_out(desk: Desk, request: Request) -> Response:
    """End the session."""
    desk.sessions.end(request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE)
    return answer
