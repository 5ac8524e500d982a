"""A custom serializer, called by the library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from khufu import _values
from khufu._native import ffi, lib


class Callbacks:
    """The table of callbacks for a serializer. It must live as long as the factory and its sessions.

    A payload stands for ``[renewed, created, state]``, as in Pyramid; for a store it stands for the state alone.
    """

    def __init__(self, serializer: Any) -> None:
        def loads(payload: bytes) -> bytes:
            return _values.dumps(serializer.loads(payload), "the serializer's value")

        def dumps(json: bytes) -> bytes:
            return bytes(serializer.dumps(_values.loads(json)))

        self._functions = _callback(loads), _callback(dumps)
        self.table = ffi.new("khufu_serializer_vtable *")
        self.table.struct_size = ffi.sizeof("khufu_serializer_vtable")
        self.table.loads, self.table.dumps = self._functions


def _callback(function: Callable[[bytes], bytes]) -> Any:
    def call(_user_data: Any, data: Any, size: int, sink: Any) -> int:
        try:
            written = function(ffi.unpack(data, size) if size else b"")
        except Exception:
            return int(lib.KHUFU_ERR_UNSUPPORTED)
        return int(lib.khufu_sink_write(sink, written, len(written)))

    return ffi.callback("int32_t(void *, const char *, size_t, khufu_sink *)", call, error=lib.KHUFU_ERR_INTERNAL)
