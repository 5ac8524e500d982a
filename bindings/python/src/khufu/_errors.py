"""The exceptions: one class for each error status of khufu.h."""

from __future__ import annotations

from typing import NoReturn

from khufu._native import ffi, lib


class Error(Exception):
    """The base class of khufu's exceptions. No message holds a secret or a session's contents.

    A class also inherits from ``ValueError`` or ``TypeError`` if Python's own types would raise that.
    """

    #: The number of this kind of error in ``khufu.h``.
    status = 0
    #: The response's headers, if :meth:`khufu.Factory.transact` raised the error because commit failed.
    headers: list[tuple[str, str]] | None = None


class ArgumentError(Error, ValueError):
    """The session is closed, or a time or an argument is invalid."""

    status = 2


class EncodingError(Error, ValueError):
    """A text cannot be written as UTF-8."""

    status = 3


class JSONError(Error, ValueError):
    """A value holds itself, or is nested deeper than 500 levels."""

    status = 4


class WrongTypeError(Error, TypeError):
    """JSON has no such value or key, or the key holds a value of another type."""

    status = 5


class RangeError(Error, ValueError):
    """A number is not finite, has more than 4,300 digits, or does not fit."""

    status = 6


class TooLargeError(Error, ValueError):
    """The cookie is so long that browsers would drop it. The session is unchanged: delete a key and commit again."""

    status = 7


class OptionError(Error, ValueError):
    """The name or the value of an option is wrong. The message says what is allowed."""

    status = 8


class UnsupportedError(Error):
    """Commit would replace a valid session that could not be read here. Call ``invalidate`` first to replace it."""

    status = 9


class RandomError(Error):
    """The system's source of random bytes failed."""

    status = 10


class InternalError(Error):
    """There is a defect in khufu."""

    status = 11


class StoreError(Error):
    """The store failed or took too long. Commit again: no change is made twice."""

    status = 12


class ConflictError(Error):
    """Other requests kept changing the session. Commit again; if that does not help, open the session again."""

    status = 13


class GoneError(Error):
    """Another request has ended the session or given it a new id. Send no cookie."""

    status = 14


class ReservedKeyError(Error, ValueError):
    """The library in the option ``library`` keeps one of the session's keys for itself. Use another key."""

    status = 15


CLASSES: dict[int, type[Error]] = {each.status: each for each in Error.__subclasses__()}


def fail(status: int, detail: str) -> NoReturn:
    """Raises the exception for a status, with the detail or else the status's general message."""
    raise CLASSES.get(status, InternalError)(detail or ffi.string(lib.khufu_status_message(status)).decode())
