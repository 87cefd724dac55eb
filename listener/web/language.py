"""Which of the two languages a browser is shown."""

from aiohttp import web

from listener.web.config import Language

COOKIE = "lang"


def choose(request: web.Request, default: Language) -> Language:
    """``?lang=``, else the cookie that an earlier one left, else what the browser prefers, else *default*."""
    return (
        known(request.query.get("lang", ""))
        or known(request.cookies.get(COOKIE, ""))
        or preferred(request.headers.get("Accept-Language", ""))
        or default
    )


def known(tag: str) -> Language | None:
    """The language of a tag such as zh-Hant-TW; None for another language."""
    match tag.strip().lower().replace("_", "-").split("-"):
        case ["zh", *_]:
            return "zh"
        case ["en", *_]:
            return "en"
        case _:
            return None


def preferred(header: str) -> Language | None:
    """The one of an Accept-Language header with the higher weight, the earlier where equal (RFC 9110, 12.5.4)."""
    best: Language | None = None
    highest = 0.0
    for item in header.split(","):
        tag, *parameters = item.split(";")
        language, weight = known(tag), quality(parameters)
        if language and weight > highest:
            best, highest = language, weight
    return best


def quality(parameters: list[str]) -> float:
    """The ``q`` of an item, 1 where it has none, 0 where it is no number."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def remember(request: web.Request, response: web.Response) -> None:
    """Keep what ``?lang=`` chose for a year."""
    if language := known(request.query.get("lang", "")):
        response.set_cookie(COOKIE, language, max_age=365 * 86400, samesite="Lax", httponly=True, path="/")
