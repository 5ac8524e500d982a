"""Custom stores."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from khufu._callbacks import unpacked, write
from khufu._errors import ConflictError, GoneError
from khufu._native import lib


class Store(Protocol):
    """A custom store: an object that keeps the records of sessions, for the option ``store``.

    Several threads may call its methods at the same time, and child processes may after a fork. A key is 64
    hexadecimal digits. A record is bytes with a generation, a number that starts at 1. ``ttl`` is how many seconds the
    record is kept, at least 1, or None if it never expires. The methods treat an expired record as if it did not exist.

    If a method raises another exception than its description names, the call on the session raises
    :class:`khufu.StoreError`, whose ``__cause__`` is that exception. An exception that is not an ``Exception``, such as
    ``KeyboardInterrupt``, ends the call on the session itself.

    A method must limit its own waiting, because the option store_timeout cannot interrupt it. It must not use the
    session that is being opened or committed.
    """

    def load(self, key: str, /) -> tuple[bytes, int] | None:
        """Returns a record and its generation, or None if there is no record."""

    def save(self, key: str, expected: int, generation: int, record: bytes, ttl: float | None, /) -> None:
        """Replaces the record that has the generation ``expected``, in one atomic step. If ``expected`` is 0, it saves
        the record only if there is none.

        :raises GoneError: if there is no record to replace. Nothing was changed.
        :raises ConflictError: if there is a record of another generation. Nothing was changed.
        """

    def touch(self, key: str, generation: int, record: bytes, ttl: float | None, /) -> None:
        """Replaces the record if it has this generation, in one atomic step. The new record differs only in the time of
        the session's last use, and keeps the generation.

        :raises GoneError: if there is no record. Nothing was changed. The response then gets no cookie.
        :raises ConflictError: if there is a record of another generation. Nothing was changed.
        """

    def remove(self, key: str, expected: int, /) -> None:
        """Removes the record that has the generation ``expected``, in one atomic step. If ``expected`` is 0, it removes
        the record of any generation.

        :raises GoneError: if there is no record.
        :raises ConflictError: if there is a record of another generation. Nothing was changed.
        """


class SubjectStore(Store, Protocol):
    """A custom store that also keeps which sessions belong to a user.

    With a store that has only the methods of :class:`Store`, :attr:`khufu.Session.subject` cannot be set, and
    :meth:`khufu.Factory.subject` raises :class:`khufu.ArgumentError`. A subject is named by 64 hexadecimal digits.
    """

    def list(self, subject: str, key: str, ttl: float | None, /) -> None:
        """Notes that a key belongs to a subject, and keeps the note for at least ``ttl`` seconds. Listing a key again
        never shortens that time. It is called before the record is saved or touched."""

    def unlist(self, subject: str, key: str, /) -> None:
        """Removes such a note, if there is one. It is called after the record was removed."""

    def members(self, subject: str, /) -> Iterable[str]:
        """Returns the keys that belong to a subject. A key may be listed although its record is gone or belongs to
        another subject by now: the record itself says which subject it belongs to."""


class StoreFunctions:
    """The functions of ``khufu_store_vtable``, which call a custom store's methods."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def load(self, key: Any, size: int, sink: Any, generation: Any) -> int:
        found = self._store.load(_text(key, size))
        if found is None:
            return int(lib.KHUFU_NOT_FOUND)
        record, generation[0] = found
        return write(sink, record)

    def save(
        self, key: Any, size: int, expected: int, generation: int, record: Any, record_size: int, ttl: float
    ) -> int:
        return _outcome(
            self._store.save, _text(key, size), expected, generation, unpacked(record, record_size), _lifetime(ttl)
        )

    def touch(self, key: Any, size: int, generation: int, record: Any, record_size: int, ttl: float) -> int:
        return _outcome(self._store.touch, _text(key, size), generation, unpacked(record, record_size), _lifetime(ttl))

    def remove(self, key: Any, size: int, expected: int) -> int:
        return _outcome(self._store.remove, _text(key, size), expected)

    def list(self, subject: Any, size: int, key: Any, key_size: int, ttl: float) -> int:
        self._store.list(_text(subject, size), _text(key, key_size), _lifetime(ttl))
        return int(lib.KHUFU_OK)

    def unlist(self, subject: Any, size: int, key: Any, key_size: int) -> int:
        self._store.unlist(_text(subject, size), _text(key, key_size))
        return int(lib.KHUFU_OK)

    def members(self, subject: Any, size: int, sink: Any) -> int:
        return write(sink, "".join(self._store.members(_text(subject, size))).encode())


def _outcome(method: Callable[..., None], *arguments: Any) -> int:
    try:
        method(*arguments)
    except (ConflictError, GoneError) as error:
        return error.status
    return int(lib.KHUFU_OK)


def _lifetime(ttl: float) -> float | None:
    return None if ttl < 0 else ttl


def _text(data: Any, size: int) -> str:
    return unpacked(data, size).decode()
