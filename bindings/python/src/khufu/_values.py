"""Values of a session as JSON text, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from khufu._errors import EncodingError, JSONError, RangeError, WrongTypeError

#: The types whose values cannot change in place.
SCALARS = frozenset({str, int, float, bool, type(None)})

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
# Python's text can hold half a surrogate pair, which only an escape can write.
_encode_escaped = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_scan: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


def dumps(value: Any, what: str) -> bytes:
    """Returns a value's JSON text.

    >>> dumps({"sku": "A-1", "quantity": (1, 2)}, "key 'cart'")
    b'{"sku":"A-1","quantity":[1,2]}'

    :param what: where the value is set, for the messages of the exceptions.
    """
    try:
        if type(value) is int:
            return str(value).encode()
        return _encode(value).encode()
    except UnicodeEncodeError:
        return _encode_escaped(value).encode()
    except TypeError as error:
        raise WrongTypeError(f"{what}: {error}") from None
    except RecursionError:
        raise JSONError(f"{what}: nested deeper than 500 levels") from None
    except ValueError as error:
        if "Circular" in str(error):
            raise JSONError(f"{what}: the value holds itself") from None
        raise RangeError(f"{what}: {_out_of_range(error)}") from None


def _out_of_range(error: ValueError) -> str:
    if "digits" in str(error):
        return "an integer of more than 4300 digits"
    return "JSON has no NaN and no infinity"


def loads(text: bytes) -> Any:
    """Returns the value of a JSON text that khufu gave."""
    return _scan(text.decode(), 0)[0]


def object_of(values: Mapping[str, bytes]) -> bytes:
    """Returns the JSON text of an object, given its members' texts.

    >>> object_of({"a": b"1", "b": b"[]"})
    b'{"a":1,"b":[]}'
    """
    return b"{%s}" % b",".join(_encode_escaped(key).encode() + b":" + json for key, json in values.items())


def name(key: Any) -> bytes:
    """Returns a key as UTF-8.

    >>> name("caf\\u00e9")
    b'caf\\xc3\\xa9'
    >>> name(1)
    Traceback (most recent call last):
    khufu._errors.WrongTypeError: a session's key must be a str, not int
    """
    if not isinstance(key, str):
        raise WrongTypeError(f"a session's key must be a str, not {type(key).__name__}")
    try:
        return key.encode()
    except UnicodeEncodeError:
        raise EncodingError(f"the key {key!a} holds half a surrogate pair, which UTF-8 cannot write") from None


def text(value: str, what: str) -> bytes:
    """Returns a text as UTF-8."""
    if not isinstance(value, str):
        raise WrongTypeError(f"{what} must be a str, not {type(value).__name__}")
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise EncodingError(f"{what} holds half a surrogate pair, which UTF-8 cannot write") from None
