"""Calls of the library that call a custom store or serializer."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, get_ident, local
from types import TracebackType
from typing import Any

from khufu import _exit
from khufu._errors import ArgumentError, StoreError, UnsupportedError
from khufu._handle import Handle
from khufu._native import ffi, lib


class _Thread(local):
    #: The exception that a callback on this thread raised, until the library's function has returned.
    raised: BaseException | None = None


_thread = _Thread()


class Callbacks:
    """The callbacks of a factory. They must live as long as the factory and its sessions.

    An exception cannot pass through the library. So a callback that raises returns an error to the library, and its
    exception waits until the library's function has returned.
    """

    def __init__(self) -> None:
        self._kept: list[Any] = []

    def table(self, kind: str, functions: dict[str, Callable[..., int]]) -> Any:
        """Returns a table of callbacks, such as ``khufu_store_vtable``, with a function for each of these fields."""
        table = ffi.new(f"{kind} *")
        table.struct_size = ffi.sizeof(kind)
        for name, field in ffi.typeof(kind).fields:
            if name in functions:
                callback = _callback(field.type, functions[name])
                self._kept.append(callback)
                setattr(table, name, callback)
        return table


def _callback(kind: Any, function: Callable[..., int]) -> Any:
    def call(_user_data: Any, *arguments: Any) -> int:
        if _ends_the_call(_thread.raised):
            return int(lib.KHUFU_ERR_STORE)
        return function(*arguments)

    return ffi.callback(kind, call, error=lib.KHUFU_ERR_STORE, onerror=_keep)


def _keep(_kind: Any, error: BaseException, _trace: Any) -> None:
    _thread.raised = error


def _ends_the_call(raised: BaseException | None) -> bool:
    return raised is not None and not isinstance(raised, Exception)


class Calling:
    """The context of a call of the library that may call back.

    When the library's function has returned, it raises what a callback raised: as the cause of a StoreError or an
    UnsupportedError, or itself if it is not an ``Exception``, such as KeyboardInterrupt.
    """

    def __enter__(self) -> None:
        self._outermost = _exit.enter()
        # A custom store may use sessions itself, so calls can be nested.
        self._outer, _thread.raised = _thread.raised, None

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: TracebackType | None) -> None:
        raised, _thread.raised = _thread.raised, self._outer
        if self._outermost:
            _exit.leave()
        if raised is not None and _ends_the_call(raised):
            raise raised from None
        if isinstance(error, (StoreError, UnsupportedError)):
            error.__cause__ = raised


class CallbackHandle(Handle):
    """A handle whose functions may call back."""

    __slots__ = ()

    def __init__(self, error: Callable[[Any], Any]) -> None:
        super().__init__(error)
        self._lock = _Turn()

    def open(self, kind: str, free: Callable[[Any], None], function: Callable[..., int], *arguments: Any) -> None:
        with Calling():
            super().open(kind, free, function, *arguments)

    def call(self, function: Callable[..., int], *arguments: Any) -> bool:
        with Calling():
            return super().call(function, *arguments)

    def text(self, function: Callable[..., int], *arguments: Any) -> bytes | None:
        with Calling():
            return super().text(function, *arguments)


class _Turn:
    """A lock that raises instead of waiting for ever if its own thread holds it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._owner: int | None = None

    def __enter__(self) -> None:
        if self._owner == get_ident():
            raise ArgumentError("a custom store or serializer must not use the session that calls it")
        self._lock.acquire()
        self._owner = get_ident()

    def __exit__(self, *_error: object) -> None:
        self._owner = None
        self._lock.release()


def unpacked(data: Any, size: int) -> bytes:
    """Returns the bytes that the library gives to a callback."""
    return bytes(ffi.unpack(data, size)) if size else b""


def write(sink: Any, data: Any) -> int:
    """Gives bytes, or another object that has a buffer, to the library."""
    buffer = ffi.from_buffer(data)
    return int(lib.khufu_sink_write(sink, buffer, len(buffer)))
