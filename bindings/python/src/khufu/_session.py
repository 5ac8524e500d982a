"""One request's session."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, MutableMapping
from types import TracebackType
from typing import Any, TypeVar

from khufu import _errors, _headers, _options, _seconds, _values
from khufu._errors import WrongTypeError
from khufu._handle import Handle
from khufu._headers import Headers
from khufu._native import ffi, lib
from khufu._seconds import Duration

Self = TypeVar("Self", bound="Session")


class Session(MutableMapping[str, Any]):
    """The session of one request's visitor: a dictionary with the methods of Pyramid's ``ISession``.

    Keys are text. Values have the types of JSON; a tuple is read back as a list by the next request.

    >>> import khufu
    >>> session = khufu.Factory(secret="itsaseekreet").open()
    >>> session["user"] = "zoe"
    >>> session.setdefault("cart", []).append("A-1")
    >>> dict(session)
    {'user': 'zoe', 'cart': ['A-1']}

    Values are ordinary lists and dicts. A change *inside* one is saved if :meth:`changed` is called or if the session
    is changed anyway. Commit sets only keys whose JSON differs, so a store can merge the changes of several requests.
    After commit, read a value again before you change it.

    One thread at a time may use a session.
    """

    # _values has the values that were read or set, and _texts the JSON texts of those that can be changed in place.
    __slots__ = ("__weakref__", "_cookies", "_factory", "_handle", "_texts", "_values")

    def __init__(self, factory: Any, function: Any, *arguments: Any) -> None:
        # The factory keeps its callbacks alive. The library may call them as long as the session lives.
        self._factory = factory
        self._values: dict[str, Any] = {}
        self._texts: dict[str, bytes] = {}
        self._cookies: list[str] = []
        self._handle: Handle = factory._new_handle(lib.khufu_session_error)
        self._handle.open("khufu_session **", lib.khufu_session_free, function, *arguments)

    # The dictionary

    def __getitem__(self, key: str) -> Any:
        """Returns the value of a key.

        :raises KeyError: if there is no such key.
        :raises WrongTypeError: if the value is a list or a dict that holds NaN or an infinity, which Python may have
            stored.
        """
        if key in self._values:
            return self._values[key]
        try:
            name = key.encode()
            text = self._handle.text(lib.khufu_session_get, name, len(name))
        except (AttributeError, UnicodeEncodeError):
            text = self._unusual(key)
        except WrongTypeError as error:
            text = self._not_finite(key, name, error)
        if text is None:
            raise KeyError(key)
        value = _values.loads(text)
        self._keep(key, value, text)
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        """Sets a key.

        :raises TypeError: if JSON has no such value; the message names the key.
        :raises ValueError: if the value holds NaN or itself, or is nested deeper than 500 levels.
        """
        self._keep(key, value, self._write(lib.khufu_session_set, key, value))

    def __delitem__(self, key: str) -> None:
        name = _lookup(key)
        if not self._handle.call(lib.khufu_session_delete, name, len(name)):
            raise KeyError(key)
        self._forget(key)

    def __contains__(self, key: object) -> bool:
        try:
            name = _lookup(key)
        except KeyError:
            return isinstance(key, str) and key in self._all()
        found = ffi.new("bool *")
        self._handle.call(lib.khufu_session_contains, name, len(name), found)
        return bool(found[0])

    def __len__(self) -> int:
        return int(self._handle.ask(lib.khufu_session_length))

    def __iter__(self) -> Iterator[str]:
        """Returns the keys in the order in which they were added. The loop may change the session."""
        return iter(self._all())

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._all()))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def copy(self) -> dict[str, Any]:
        """Returns a dict of all keys and values."""
        return dict(self)

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return self.copy() | dict(other)

    def __ror__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return dict(other) | self.copy()

    def __ior__(self: Self, other: Mapping[str, Any]) -> Self:
        self.update(other)
        return self

    def popitem(self) -> tuple[str, Any]:
        """Deletes the key that was added last, and returns it with its value."""
        for key in reversed(self):
            return key, self.pop(key)
        raise KeyError("popitem(): the session is empty")

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Returns the value of a key. If there is no such key, it is first set to ``default``."""
        try:
            return self[key]
        except KeyError:
            pass
        self._keep(key, default, self._write(lib.khufu_session_setdefault, key, default, ffi.NULL, ffi.NULL))
        return default

    def update(self, other: Any = (), /, **more: Any) -> None:
        """Sets several keys, or none if one of the values is wrong."""
        values = dict(other, **more)
        texts = {}
        for key, value in values.items():
            _values.name(key)
            texts[key] = _values.dumps(value, f"key {key!r}")
        text = _values.object_of(texts)
        try:
            self._handle.call(lib.khufu_session_update, text, len(text))
        except _errors.JSONError:
            # One of the values is nested too deeply. Setting it alone raises an exception that names its key.
            with self._factory.open() as other:
                for key, value in values.items():
                    other[key] = value
            raise
        for key, value in values.items():
            self._keep(key, value, texts[key])

    def clear(self) -> None:
        """Deletes every key. The session stays the same one; :meth:`invalidate` begins a new one."""
        self._handle.call(lib.khufu_session_clear)
        self._forget_all()

    def append(self, key: str, value: Any) -> None:
        """Adds a value to the list at a key. If there is no such key, it is set to a new list.

        If several requests append to a session in a store at the same time, all of their values are kept.

        :raises WrongTypeError: if the key holds something other than a list.
        """
        self._write_back(key)
        self._write(lib.khufu_session_append, key, value)
        self._forget(key)

    def increment(self, key: str, by: int = 1) -> int:
        """Adds to the integer at a key, and returns the sum. If there is no such key, the integer is 0.

        If several requests add to a session in a store at the same time, the numbers of all of them count.

        >>> import khufu
        >>> session = khufu.Factory(secret="itsaseekreet").open()
        >>> session.increment("visits"), session.increment("visits", 2)
        (1, 3)

        :raises WrongTypeError: if the key holds something other than an integer.
        :raises RangeError: if the sum does not fit in 64 bits.
        """
        name, result = _values.name(key), ffi.new("int64_t *")
        try:
            self._handle.call(lib.khufu_session_increment, name, len(name), by, result)
        except OverflowError:
            raise _errors.RangeError(f"key {key!r}: the number to add does not fit in 64 bits") from None
        self._forget(key)
        return int(result[0])

    # Flash messages

    def flash(self, msg: Any, queue: str = "", allow_duplicate: bool = True) -> None:
        """Adds a message to the end of a queue, for a later request to show.

        >>> import khufu
        >>> session = khufu.Factory(secret="itsaseekreet").open()
        >>> session.flash("Saved.")
        >>> session.pop_flash(), session.pop_flash()
        (['Saved.'], [])

        :param allow_duplicate: False: a message that is in the queue is not added again.
        """
        where = f"flash queue {queue!r}"
        name, text = _values.text(queue, "a queue"), _values.dumps(msg, where)
        self._write_back(f"_f_{queue}")
        self._call(where, lib.khufu_session_flash, text, len(text), name, len(name), allow_duplicate)
        self._forget(f"_f_{queue}")

    def pop_flash(self, queue: str = "") -> list[Any]:
        """Takes all messages out of a queue, and returns them. The oldest comes first."""
        name = _values.text(queue, "a queue")
        self._write_back(f"_f_{queue}")
        text = self._handle.text(lib.khufu_session_pop_flash, name, len(name))
        self._forget(f"_f_{queue}")
        return list(_values.loads(text or b"[]"))

    def peek_flash(self, queue: str = "") -> list[Any]:
        """Returns the messages of a queue, which stay there. The oldest comes first."""
        messages = self.get(f"_f_{queue}", [])
        if not isinstance(messages, list):
            raise WrongTypeError(f"the key '_f_{queue}' holds something other than a list")
        return messages

    # CSRF tokens

    def get_csrf_token(self) -> str:
        """Returns the CSRF token. A session that has none gets a new one."""
        return self._token(lib.khufu_session_csrf_token)

    def new_csrf_token(self) -> str:
        """Sets a new CSRF token of 40 hexadecimal digits, and returns it."""
        return self._token(lib.khufu_session_new_csrf_token)

    def check_csrf_token(self, token: str | bytes | None) -> bool:
        """Returns True if a token is the session's. They are compared in constant time. A session without a token
        refuses every token."""
        data = token.encode("utf-8", "backslashreplace") if isinstance(token, str) else token or b""
        valid = ffi.new("bool *")
        self._handle.call(lib.khufu_session_check_csrf_token, data, len(data), valid)
        return bool(valid[0])

    # The session's life

    def changed(self) -> None:
        """Marks the session changed, so that commit saves it. Call it after a change inside a list or a dict."""
        self._handle.call(lib.khufu_session_mark_changed)

    def invalidate(self) -> None:
        """Drops all data and starts over with a new session. If nothing is set afterwards, commit clears the browser's
        cookie. Log a user out with it."""
        self._handle.call(lib.khufu_session_invalidate)
        self._forget_all()

    def regenerate_id(self) -> None:
        """Gives a session in a store a new id at commit: call it when a user has logged in."""
        self._handle.call(lib.khufu_session_regenerate_id)

    @property
    def created(self) -> float:
        """When the session began, in seconds since the Unix epoch."""
        return float(self._handle.ask(lib.khufu_session_created))

    @property
    def accessed(self) -> float:
        """When the session was last read or written."""
        return float(self._handle.ask(lib.khufu_session_accessed))

    @property
    def renewed(self) -> float:
        """When the session's cookie was written."""
        return float(self._handle.ask(lib.khufu_session_renewed))

    @property
    def new(self) -> bool:
        """True if the session began with this request."""
        return bool(self._handle.ask(lib.khufu_session_is_new))

    @property
    def is_changed(self) -> bool:
        """True if commit would save the session."""
        return bool(self._handle.ask(lib.khufu_session_is_changed))

    @property
    def load_result(self) -> str:
        """How the request's cookie was opened: none, loaded, loaded_previous_secret, loaded_other_format, expired,
        bad_signature, malformed, unsupported, missing or store_error."""
        result = self._handle.ask(lib.khufu_session_load_result)
        return str(ffi.string(lib.khufu_load_result_name(result)).decode())

    @property
    def load_format(self) -> str | None:
        """The name of the accepted format that opened the session, if ``load_result`` is loaded_other_format."""
        return ffi.string(self._handle.ask(lib.khufu_session_load_format)).decode() or None

    @property
    def error(self) -> str | None:
        """The message of the last call that failed. After opening: why the cookie was refused."""
        return self._handle.detail() or None

    @property
    def id(self) -> str | None:
        """A name for a session in a store, which may be logged, because it does not open the session. None before the
        first commit, and for a session in a cookie."""
        return _decoded(self._handle.text(lib.khufu_session_id))

    @property
    def subject(self) -> str | None:
        """The user whose session this is, for :meth:`Factory.subject`, or None. Only a store keeps subjects."""
        return _decoded(self._handle.text(lib.khufu_session_subject))

    @subject.setter
    def subject(self, subject: str | None) -> None:
        data = _values.text(subject or "", "a subject")
        self._handle.call(lib.khufu_session_set_subject, data, len(data))

    # The cookie and the response

    def set_lifetime(self, lifetime: Duration | None) -> None:
        """Sets after how many seconds without use the session expires ("remember me"). None: as the options say.

        A store keeps the lifetime. In a cookie it is only the Max-Age of the next commit's cookie.
        """
        seconds = _seconds.seconds(lifetime or 0)
        if not 0 <= seconds < 2**64:
            raise _errors.RangeError(f"a lifetime must be at least 0 seconds and at most 10000000000, not {lifetime}")
        self._handle.call(lib.khufu_session_set_lifetime, int(seconds))

    def set_attribute(self, name: str, value: object) -> None:
        """Sets an attribute of the next commit's cookie: max_age, secure, httponly, samesite or partitioned.

        :raises OptionError: if there is no such attribute or its value is wrong.
        """
        key, data = _values.text(name, "an attribute's name"), _options.text(name, value).encode()
        self._handle.call(lib.khufu_session_set_attribute, key, len(key), data, len(data))

    @property
    def value(self) -> str | None:
        """The value that the session's cookie has now, for :meth:`Factory.open_value`.

        None if there is no cookie, or if a session in a cookie was changed and not committed."""
        return _decoded(self._handle.text(lib.khufu_session_value))

    def commit(self, *, exception: bool = False, timeout: Duration | None = None) -> Headers:
        """Saves the session if it changed, and returns the headers that the response needs.

        >>> import khufu
        >>> session = khufu.Factory(secret="itsaseekreet").open(now=1700000000)
        >>> session["a"] = 1
        >>> [name for name, value in session.commit()]
        ['Set-Cookie', 'Vary', 'Cache-Control']

        :param exception: True: the request ended in an exception. Without the option set_on_exception nothing is saved
            then, except that an invalidated session ends.
        :param timeout: how long the store may take, if that is less than the option store_timeout.
        :raises TypeError: if a value was changed to one that JSON does not have. The message names the key.
        :raises ValueError: if a value was changed so that it holds NaN or itself. The message names the key.
        :raises TooLargeError: if the session does not fit into a cookie.
        :raises Error: UnsupportedError, StoreError, ConflictError, GoneError, ReservedKeyError or RandomError.
        """
        waiting = _seconds.limit(timeout)
        if self._texts and self.is_changed:
            self._write_back(*self._texts)
        self._handle.call(lib.khufu_session_commit_with, lib.KHUFU_COMMIT_EXCEPTION if exception else 0, waiting)
        self._forget_all()
        return self.headers

    @property
    def headers(self) -> Headers:
        """The headers that the response needs after the commits so far."""
        return _headers.parse(self._handle.text(lib.khufu_session_headers) or b"")

    def add_headers_to(self, headers: Headers) -> Headers:
        """Returns a response's headers together with those of the session.

        Cookies that this session has added before are replaced. ``Vary`` and ``Cache-Control`` are merged: ``no-store``
        and ``private`` are kept, ``public`` and ``s-maxage`` are removed.
        """
        return self._merged(headers, self.headers)

    def _merged(self, headers: Headers, added: Headers) -> Headers:
        merged = _headers.merge(headers, added, self._cookies)
        self._cookies += [value for name, value in added if name == "Set-Cookie" and value not in self._cookies]
        return merged

    def close(self) -> None:
        """Frees the session and wipes its data from memory. Changes that were not committed are lost."""
        self._forget_all()
        self._handle.close()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Values that were read or set

    def _unusual(self, key: object) -> bytes | None:
        """Returns the JSON text of a key that the library cannot look up, because it cannot be written as UTF-8. Python
        may have stored such a key."""
        values = self._all()
        return _values.dumps(values[key], "a key") if isinstance(key, str) and key in values else None

    def _not_finite(self, key: str, name: bytes, error: WrongTypeError) -> bytes:
        """Returns the text of NaN or an infinity, as Python reads it."""
        number = ffi.new("double *")
        try:
            self._handle.call(lib.khufu_session_get_double, name, len(name), number)
        except WrongTypeError:
            raise WrongTypeError(f"key {key!r}: {error}") from None
        return json.dumps(number[0]).encode()

    def _write(self, function: Any, key: str, value: Any, *outputs: Any) -> bytes:
        """Gives a key and a value to a function, and returns the value's JSON text."""
        where = f"key {key!r}"
        name, text = _values.name(key), _values.dumps(value, where)
        self._call(where, function, name, len(name), text, len(text), *outputs)
        return text

    def _call(self, where: str, function: Any, *arguments: Any) -> None:
        """Calls a function that takes JSON. If the JSON is refused, the message says where it was to be set."""
        try:
            self._handle.call(function, *arguments)
        except _errors.JSONError as error:
            raise _errors.JSONError(f"{where}: {error}") from None

    def _all(self) -> dict[str, Any]:
        """Returns all keys and values."""
        return dict(_values.loads(self._handle.text(lib.khufu_session_to_json) or b"{}"))

    def _token(self, function: Any) -> str:
        token = self._handle.text(function) or b""
        self._forget("_csrft_")
        return token.decode()

    def _keep(self, key: str, value: Any, text: bytes) -> None:
        self._values[key] = value
        if type(value) in _values.SCALARS:
            self._texts.pop(key, None)
        else:
            self._texts[key] = text

    def _forget(self, key: str) -> None:
        self._values.pop(key, None)
        self._texts.pop(key, None)

    def _forget_all(self) -> None:
        self._values.clear()
        self._texts.clear()

    def _write_back(self, *keys: str) -> None:
        """Sets those of the keys whose values were changed in place: all of them, or none if one is wrong."""
        changed = []
        for key in keys:
            before = self._texts.get(key)
            if before is not None and (now := _values.dumps(self._values[key], f"key {key!r}")) != before:
                # Another library may have written the same value in another way, such as 1.10.
                if now != _values.dumps(_values.loads(before), "a value that was read"):
                    changed.append(key)
        for key in changed:
            self._texts[key] = self._write(lib.khufu_session_set, key, self._values[key])


def _lookup(key: object) -> bytes:
    """Returns a key as UTF-8. Raises KeyError if the library cannot have such a key."""
    try:
        return _values.name(key)
    except _errors.Error:
        raise KeyError(key) from None


def _decoded(text: bytes | None) -> str | None:
    return None if text is None else text.decode()
