"""Adds the headers of a session to those of a response."""

from __future__ import annotations

import re
from collections.abc import Collection

#: Headers as WSGI has them.
Headers = list[tuple[str, str]]

# A directive of Cache-Control. It may hold a quoted string, in which a comma does not end it.
_DIRECTIVE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
# The directives that would let a shared cache store the response.
_SHARED = re.compile(r"(?:public|s-maxage)\b", re.IGNORECASE)


def parse(lines: bytes) -> Headers:
    r"""Returns the headers of the library's text.

    >>> parse(b"Vary: Cookie\r\nSet-Cookie: a=b: c\r\n")
    [('Vary', 'Cookie'), ('Set-Cookie', 'a=b: c')]
    """
    if not lines:
        return []
    return [tuple(line.split(": ", 1)) for line in lines.decode("latin-1")[:-2].split("\r\n")]  # type: ignore[misc]


def merge(headers: Headers, added: Headers, given_before: Collection[str] = ()) -> Headers:
    """Returns a response's headers together with those of a session.

    >>> merge([("Cache-Control", "public, max-age=60"), ("Vary", "Accept")],
    ...       [("Set-Cookie", "session=x; Path=/"), ("Vary", "Cookie"), ("Cache-Control", "private")])
    [('Cache-Control', 'max-age=60, private'), ('Vary', 'Accept, Cookie'), ('Set-Cookie', 'session=x; Path=/')]

    :param given_before: the Set-Cookie values that the session gave before, which the new ones replace.
    """
    merged = _without_cookies(headers, given_before) if given_before else list(headers)
    present = {name.lower() for name, _ in headers}
    cookies = []
    for header in added:
        name, value = header
        if name == "Set-Cookie":
            cookies.append(header)
        elif name.lower() not in present:
            merged.append(header)
        elif name == "Vary":
            _join(merged, name, _vary(_values(merged, name), value))
        else:
            _join(merged, name, _cache_control(_values(merged, name), value))
    return merged + cookies


def _without_cookies(headers: Headers, given_before: Collection[str]) -> Headers:
    before = {_identity(cookie) for cookie in given_before}
    return [each for each in headers if each[0].lower() != "set-cookie" or _identity(each[1]) not in before]


def _identity(cookie: str) -> tuple[str, str, str]:
    """Returns the name, the path and the domain of a cookie. Browsers tell cookies apart by these."""
    pair, *rest = cookie.split(";")
    attributes = {name.strip().lower(): value.strip() for name, _, value in (each.partition("=") for each in rest)}
    return pair.partition("=")[0].strip(), attributes.get("path", ""), attributes.get("domain", "").lower().lstrip(".")


def _values(headers: Headers, wanted: str) -> list[str]:
    return [value for name, value in headers if name.lower() == wanted.lower()]


def _join(headers: Headers, wanted: str, value: str | None) -> None:
    """Replaces the headers of this name by one, in the place of the first. None leaves them as they are."""
    if value is None:
        return
    first, *others = [index for index, (name, _) in enumerate(headers) if name.lower() == wanted.lower()]
    for index in reversed(others):
        del headers[index]
    headers[first] = headers[first][0], value


def _vary(values: list[str], token: str) -> str | None:
    present = {each.strip().lower() for value in values for each in value.split(",")}
    if token.lower() in present or "*" in present:
        return None
    return ", ".join([*(value for value in values if value.strip()), token])


def _cache_control(values: list[str], directive: str) -> str | None:
    given = [each.strip() for value in values for each in _DIRECTIVE.findall(value) if each.strip()]
    kept = [each for each in given if not _SHARED.match(each)]
    strong = {"no-store", "private"} if directive == "private" else {"no-store"}
    if strong.isdisjoint(each.lower() for each in kept):
        kept.append(directive)
    return None if kept == given else ", ".join(kept)
