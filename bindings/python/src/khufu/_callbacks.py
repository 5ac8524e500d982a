"""Callbacks, with which the library calls a custom store or serializer."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock, local
from types import TracebackType
from typing import Any

from khufu import _exit
from khufu._errors import ArgumentError, StoreError, UnsupportedError
from khufu._handle import Handle
from khufu._native import ffi, lib


class _Thread(local):
    #: The exception that a callback raised during the current call of the library.
    raised: BaseException | None = None


_thread = _Thread()


def table(kind: str, functions: dict[str, Callable[..., int]]) -> tuple[Any, list[Any]]:
    """Returns a table such as ``khufu_store_vtable``, whose fields call the functions of their names, or are NULL.

    It also returns the callbacks themselves. They must live as long as the factory and its sessions.

    An exception cannot pass through the library. So a callback that raises one returns an error to the library, and
    :class:`Calling` raises the exception when the library's function has returned.
    """
    table = ffi.new(f"{kind} *")
    table.struct_size = ffi.sizeof(kind)
    fields = dict(ffi.typeof(kind).fields)
    callbacks = {name: _callback(fields[name].type, function) for name, function in functions.items()}
    for name, callback in callbacks.items():
        setattr(table, name, callback)
    return table, list(callbacks.values())


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

    If a callback raised an exception, it becomes the cause of the StoreError or UnsupportedError that the call raises.
    If it is not an ``Exception``, such as KeyboardInterrupt, the call raises the exception itself.
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
        self._lock: Any = RLock()

    def open(self, kind: str, free: Callable[[Any], None], function: Callable[..., int], *arguments: Any) -> None:
        with self._calling():
            super().open(kind, free, function, *arguments)

    def ask(self, function: Callable[..., Any]) -> Any:
        with self._calling():
            return super().ask(function)

    def call(self, function: Callable[..., int], *arguments: Any) -> bool:
        with self._calling():
            return super().call(function, *arguments)

    def text(self, function: Callable[..., int], *arguments: Any) -> bytes | None:
        with self._calling():
            return super().text(function, *arguments)

    def close(self) -> None:
        with self._calling():
            super().close()

    def _calling(self) -> Calling:
        if self._lock._is_owned():
            raise ArgumentError("a custom store or serializer must not use the session that calls it")
        return Calling()


def unpacked(data: Any, size: int) -> bytes:
    """Returns the bytes that the library gives to a callback."""
    return bytes(ffi.unpack(data, size)) if size else b""


def write(sink: Any, data: Any) -> int:
    """Gives bytes, or another object that has a buffer, to the library."""
    buffer = ffi.from_buffer(data)
    return int(lib.khufu_sink_write(sink, buffer, len(buffer)))
