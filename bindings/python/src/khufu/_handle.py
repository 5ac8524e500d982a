"""A handle of the library that one thread at a time may use."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Lock
from typing import Any

from khufu import _errors
from khufu._native import ffi, lib

_unpack = ffi.unpack
_OK = lib.KHUFU_OK
_NOT_FOUND = lib.KHUFU_NOT_FOUND


class Handle:
    """Calls the library's functions with a handle, one at a time, because they run without Python's global lock."""

    __slots__ = ("_data", "_error", "_lock", "_pointer", "_size")
    _lock: AbstractContextManager[Any]

    def __init__(self, error: Callable[[Any], Any]) -> None:
        self._pointer = ffi.NULL
        self._error = error
        self._lock = Lock()
        self._data = ffi.new("const char **")
        self._size = ffi.new("size_t *")

    def open(self, kind: str, free: Callable[[Any], None], function: Callable[..., int], *arguments: Any) -> None:
        """Takes over the handle that a function gives, which it may do even if it fails."""
        output = ffi.new(kind)
        status = function(*arguments, output)
        if output[0]:
            self._pointer = ffi.gc(output[0], free)
        if status:
            self._fail(status)

    def close(self) -> None:
        """Frees the handle. Further calls fail."""
        with self._lock:
            pointer, self._pointer = self._pointer, ffi.NULL
            if pointer:
                ffi.release(pointer)

    def ask(self, function: Callable[..., Any]) -> Any:
        """Returns a function's answer, which has no status."""
        with self._lock:
            if not self._pointer:
                self._fail(_errors.ArgumentError.status)
            return function(self._pointer)

    def call(self, function: Callable[..., int], *arguments: Any) -> bool:
        """Calls a function. Returns False if it did not find something."""
        with self._lock:
            status = function(self._pointer, *arguments)
            if status == _OK:
                return True
            if status != _NOT_FOUND:
                self._fail(status)
            return False

    def text(self, function: Callable[..., int], *arguments: Any) -> bytes | None:
        """Returns the text that a function gives, or None."""
        with self._lock:
            status = function(self._pointer, *arguments, self._data, self._size)
            if status == _OK:
                size = self._size[0]
                return _unpack(self._data[0], size) if size else b""
            if status != _NOT_FOUND:
                self._fail(status)
            return None

    def detail(self) -> str:
        """Returns the detail of the last failure, or an empty text."""
        return str(self.ask(lambda pointer: ffi.string(self._error(pointer)).decode()))

    def _fail(self, status: int) -> None:
        if not self._pointer:
            raise _errors.ArgumentError("it is closed")
        _errors.fail(status, ffi.string(self._error(self._pointer)).decode())
