"""Opens sessions, all with the same options."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from khufu import _errors, _seconds
from khufu._callbacks import CallbackHandle
from khufu._handle import Handle
from khufu._headers import Headers
from khufu._native import lib
from khufu._options import FormatOptions, Options, OptionsHandle
from khufu._seconds import Duration, Time
from khufu._session import Session
from khufu._subject import Subject

if TYPE_CHECKING:
    from typing_extensions import Unpack

F = TypeVar("F", bound="Factory")
R = TypeVar("R")
Accept = Mapping[str, FormatOptions]


class Factory:
    """Opens sessions, all with the same options.

    A factory never changes. All threads of a program can share one, and its child processes can use it after a fork.

    >>> import khufu
    >>> factory = khufu.Factory(secret="itsaseekreet", httponly=True)
    >>> with factory.open("session=nonsense") as session:
    ...     session.load_result, len(session)
    ('malformed', 0)

    The options are those of docs/options.md. A value is text, a number, a bool or a ``timedelta``; None unsets an
    option. Secrets may be bytes. ``previous_secret`` also takes a list. ``serializer`` also takes a
    :class:`khufu.Serializer`, as Pyramid's factories do, and ``store`` a :class:`khufu.Store`.

    :param accept: other formats that can open sessions, tried in this order: the name of each and its options.
    :raises OptionError: if the name or the value of an option is wrong; the message says what is allowed.
    """

    def __init__(self, *, accept: Accept | None = None, **options: Unpack[Options]) -> None:
        made = OptionsHandle()
        made.set_all(options, accept or {})
        self._start(made)

    @classmethod
    def from_ini(
        cls: type[F],
        file: str | os.PathLike[str],
        section: str = "",
        prefix: str = "",
        *,
        accept: Accept | None = None,
        **options: Unpack[Options],
    ) -> F:
        """Makes a factory with the options in an INI file, such as a Pyramid application's own settings.

        ``Factory.from_ini("production.ini", "app:main", "khufu.")`` reads lines such as ``khufu.secret = …``. Each
        line of the value of ``khufu.previous_secret`` is a secret.

        :param section: the section's name; "": the lines before the first section.
        :param prefix: the beginning of the options' names; lines with other names are ignored.
        :param options: further options, which replace those of the file.
        :raises OptionError: if an option is wrong; the message names the file, the line, the option and what is
            allowed.
        """
        with open(file, encoding="utf-8") as opened:
            ini = opened.read()
        made = OptionsHandle()
        factory = cls.__new__(cls)
        try:
            made.load(ini, section, prefix)
            made.set_all(options, accept or {})
            factory._start(made)
        except _errors.OptionError as error:
            raise _errors.OptionError(f"{os.fspath(file)}: {error}") from None
        return factory

    def _start(self, made: OptionsHandle) -> None:
        self._handle = made.factory()
        self._callbacks = made.callbacks
        self._store_timeout = float(made.get(b"store_timeout"))

    def open(
        self,
        cookie_header: str | bytes | None = None,
        *,
        now: Time | None = None,
        timeout: Duration | None = None,
        passive: bool = False,
    ) -> Session:
        """Opens the session of a request.

        A bad cookie never raises an exception: the session is new and empty then, and :attr:`Session.load_result` says
        why.

        :param cookie_header: the value of the request's whole ``Cookie`` header.
        :param now: opens the session as if this were the current time, for tests and replays.
        :param timeout: how long the store may take, if that is less than the option store_timeout.
        :param passive: True: reading the session neither renews its cookie nor extends its life, for polls and health
            checks. The session can still be changed.
        :raises StoreError: if the store failed, and the option store_on_error is fail.
        """
        return self._session(lib.khufu_session_open_with, cookie_header, now, timeout, passive)

    def open_value(
        self,
        value: str | bytes | None,
        *,
        now: Time | None = None,
        timeout: Duration | None = None,
        passive: bool = False,
    ) -> Session:
        """Opens the session of a cookie's value that was sent in another way, such as in another header or a message.
        :attr:`Session.value` is such a value. Without a value the session is new.

        >>> import khufu
        >>> factory = khufu.Factory(secret="itsaseekreet")
        >>> session = factory.open()
        >>> session["a"] = 1
        >>> headers = session.commit()
        >>> factory.open_value(session.value)["a"]
        1
        """
        function = lib.khufu_session_open_with if value is None else lib.khufu_session_open_value
        return self._session(function, value, now, timeout, passive)

    def transact(
        self,
        cookie_header: str | bytes | None,
        change: Callable[[Session], R],
        headers: Iterable[tuple[str, str]] = (),
        *,
        now: Time | None = None,
        timeout: Duration | None = None,
    ) -> tuple[R, Headers]:
        """Calls a function with the request's session, and commits the session.

        If the commit raises :class:`ConflictError`, the session is opened again, as it is by now, and the function is
        called again with it, until store_timeout is over. So the function should only use the session. Requests that
        set the same key do not conflict: the later commit wins.

        >>> import khufu
        >>> factory = khufu.Factory(secret="itsaseekreet", type="store")
        >>> def visit(session):
        ...     return session.increment("visits")
        >>> visits, headers = factory.transact(None, visit, [("Content-Type", "text/plain")])
        >>> visits, [name for name, value in headers]
        (1, ['Content-Type', 'Vary', 'Cache-Control', 'Set-Cookie'])

        :param cookie_header: the value of the request's whole ``Cookie`` header.
        :param change: the function. If it raises an exception, nothing is committed.
        :param headers: the headers of the response.
        :param now: opens the session as if this were the current time, for tests and replays.
        :param timeout: for how many seconds to begin again, and how long the store may take for each call, if that is
            less than the option store_timeout.
        :return: the function's last result, and the response's headers with those of the session.
        :raises ConflictError: if the time is over.
        :raises Error: what :meth:`open` and :meth:`Session.commit` raise. If it comes from commit, its attribute
            ``headers`` has the response's headers: if the function invalidated the session, they clear the browser's
            cookie although the store failed.
        """
        waiting = self._store_timeout if timeout is None else min(self._store_timeout, _seconds.limit(timeout))
        give_up = time.monotonic() + waiting
        while True:
            with self.open(cookie_header, now=now, timeout=timeout) as session:
                result = change(session)
                try:
                    session.commit(timeout=timeout)
                    return result, session.add_headers_to(list(headers))
                except _errors.Error as error:
                    if not isinstance(error, _errors.ConflictError) or time.monotonic() >= give_up:
                        error.headers = session.add_headers_to(list(headers))
                        raise

    def subject(self, name: str) -> Subject:
        """Finds the sessions that :attr:`Session.subject` has given to a user, in this process or another.

        :raises ArgumentError: if the factory keeps its sessions in cookies.
        :raises StoreError: if the store failed.
        """
        return Subject(self, self._handle, name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"  # It does not show the options, because one of them is the secret.

    def _session(
        self, function: Any, sent: str | bytes | None, now: Time | None, timeout: Duration | None, passive: bool
    ) -> Session:
        data = sent.encode("latin-1", "replace") if isinstance(sent, str) else sent or b""
        flags = lib.KHUFU_OPEN_PASSIVE if passive else 0
        how = _seconds.moment(now), _seconds.limit(timeout), flags
        return self._new_session(function, self._handle, data, len(data), *how)

    def _new_session(self, *opening: Any) -> Session:
        return Session(self, *opening)

    def _new_handle(self, error: Callable[[Any], Any]) -> Handle:
        """Returns a handle for what the factory opens, given the function that tells the handle's errors."""
        return CallbackHandle(error) if self._callbacks else Handle(error)
