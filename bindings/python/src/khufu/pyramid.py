"""Sessions for Pyramid.

In an application's setup::

    config.set_session_factory(khufu.pyramid.SessionFactory("itsaseekreet", httponly=True))

or, with settings such as ``khufu.secret = itsaseekreet`` in the ini file::

    config.include("khufu.pyramid")

Unless an option says otherwise, the sessions are those of ``pyramid.session.SignedCookieSessionFactory``: khufu opens
the cookies that Pyramid wrote, and Pyramid opens those that khufu wrote.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from pyramid.exceptions import ConfigurationError
from pyramid.interfaces import ISession, ISessionFactory
from zope.interface import implementer

import khufu
from khufu._factory import Accept
from khufu._headers import Headers
from khufu._options import OptionsButSecret
from khufu._seconds import Duration

if TYPE_CHECKING:
    from typing_extensions import Unpack

PREFIX = "khufu."

with contextlib.suppress(ImportError):  # pyramid_retry need not be installed
    import pyramid_retry

    pyramid_retry.mark_error_retryable(khufu.ConflictError)


@implementer(ISession)
class Session(khufu.Session):
    """The ``request.session`` of a Pyramid application.

    A response callback commits it and adds its headers to the response. A view can also commit it, to know that it was
    saved. The callback then saves only later changes.
    """

    __slots__ = ("_has_failed",)

    def __init__(self, *arguments: Any) -> None:
        self._has_failed = False
        super().__init__(*arguments)

    def commit(self, *, exception: bool = False, timeout: Duration | None = None) -> Headers:
        """Saves the session, as :meth:`khufu.Session.commit` does. If it raises an exception that the view catches, the
        response callback tries again, and adds the headers that clear the cookie of an invalidated session. It does not
        raise the exception again.
        """
        try:
            return super().commit(exception=exception, timeout=timeout)
        except khufu.Error:
            self._has_failed = True
            raise

    def respond(self, request: Any, response: Any) -> None:
        """Commits the session and adds its headers to the response: Pyramid's response callback."""
        try:
            added = super().commit(exception=getattr(request, "exception", None) is not None)
        except khufu.Error:
            if not self._has_failed:
                raise
            added = self.headers
        if added:
            response.headerlist = self._merged(response.headerlist, added)


@implementer(ISessionFactory)
class SessionFactory(khufu.Factory):
    """Pyramid's session factory. The options are those of :class:`khufu.Factory`.

    >>> from pyramid.testing import DummyRequest
    >>> import khufu.pyramid
    >>> factory = khufu.pyramid.SessionFactory("itsaseekreet", httponly=True)
    >>> session = factory(DummyRequest())
    >>> session.new
    True

    :param secret: text or bytes, as in Pyramid; for encryption 32 bytes, or 64 hexadecimal digits as text.
    """

    _cookie_name = "session"

    def __init__(
        self, secret: str | bytes | None = None, *, accept: Accept | None = None, **options: Unpack[OptionsButSecret]
    ) -> None:
        self._cookie_name = options.get("cookie_name") or "session"
        super().__init__(accept=accept, secret=secret, **options)

    def __call__(self, request: Any) -> Session:
        """Opens the session of a request, and adds a response callback that commits it.

        :raises StoreError: if the store failed, and the option store_on_error is fail.
        """
        header = request.environ.get("HTTP_COOKIE")
        if header is None:  # pyramid.testing.DummyRequest has cookies without a header
            session = cast(Session, self.open_value(request.cookies.get(self._cookie_name)))
        else:
            session = cast(Session, self.open(header))
        request.add_response_callback(session.respond)
        return session

    def _new_session(self, *opening: Any) -> Session:
        return Session(self, *opening)


def from_settings(settings: Mapping[str, Any], prefix: str = PREFIX) -> SessionFactory:
    """Makes a session factory with the settings whose names begin with a prefix.

    >>> from_settings({"khufu.secret": "itsaseekreet", "khufu.httponly": "true", "other": "1"})
    <SessionFactory>

    Each line of ``khufu.previous_secret`` is a secret.

    :raises ConfigurationError: if a setting is wrong. The message names the file, if the settings have a ``__file__``,
        the option and what is allowed.
    """
    options = {name[len(prefix) :]: _lines(name, value) for name, value in settings.items() if name.startswith(prefix)}
    try:
        return SessionFactory(**options)
    except khufu.OptionError as error:
        place = settings.get("__file__", "the application's settings")
        raise ConfigurationError(f"{place}, settings {prefix}*: {error}") from None


def _lines(name: str, value: Any) -> Any:
    if isinstance(value, str) and name.rpartition(".")[2] in ("previous_secret", "previous_secret_hex"):
        return [line.strip() for line in value.splitlines() if line.strip()]
    return value


def includeme(config: Any) -> None:
    """Sets the session factory that the application's ``khufu.*`` settings describe."""
    config.set_session_factory(from_settings(config.registry.settings))
