"""Custom serializers."""

from __future__ import annotations

from typing import Any, Protocol

from khufu import _callbacks, _values


class Serializer(Protocol):
    """A custom serializer for the option ``serializer``, as Pyramid's factories take one.

    For a cookie, the value is the list ``[renewed, created, state]``, as in Pyramid. For a record in a store, it is the
    state alone, a dict.

    If ``loads`` raises an exception, the cookie or record is malformed, and the session is new. If ``dumps`` raises
    one, it becomes the ``__cause__`` of a :class:`khufu.UnsupportedError`. An exception that is not an ``Exception``,
    such as ``KeyboardInterrupt``, ends the call on the session itself.
    """

    def loads(self, payload: bytes, /) -> Any:
        """Returns the value that a payload encodes."""

    def dumps(self, value: Any, /) -> bytes:
        """Returns the payload of a value."""


class SerializerFunctions:
    """The functions of ``khufu_serializer_vtable``, which call a custom serializer's methods."""

    def __init__(self, serializer: Any) -> None:
        self._serializer = serializer

    def loads(self, payload: Any, size: int, sink: Any) -> int:
        value = self._serializer.loads(_callbacks.unpacked(payload, size))
        return _callbacks.write(sink, _values.dumps(value, "the serializer's value"))

    def dumps(self, json: Any, size: int, sink: Any) -> int:
        value = _values.loads(_callbacks.unpacked(json, size))
        return _callbacks.write(sink, self._serializer.dumps(value))
