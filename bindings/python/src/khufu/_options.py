"""Options as keyword arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import NoneType
from typing import Any, Literal, TypedDict, Union

from khufu import _callbacks, _errors, _values
from khufu._native import ffi, lib
from khufu._serializer import Serializer, SerializerFunctions
from khufu._store import Store, StoreFunctions

Seconds = Union[int, str, timedelta, None]
Flag = Union[bool, Literal["true", "false"], None]
Secret = Union[str, bytes, None]

#: The options that may be custom objects: the methods that such an object has, those that it has all or none of, and
#: the functions that call them.
CUSTOM: dict[str, tuple[list[str], list[str], type]] = {
    "serializer": (["loads", "dumps"], [], SerializerFunctions),
    "store": (["load", "save", "touch", "remove"], ["list", "unlist", "members"], StoreFunctions),
}


class SharedOptions(TypedDict, total=False):
    """The options that an accepted format can have, too, except for its secret."""

    type: Literal["signed_cookie", "encrypted_cookie", "store"]
    library: Literal["khufu", "pyramid_session_redis", "pyramid_redis_sessions", "beaker"]
    serializer: Literal["json", "pickle"] | Serializer
    secret_hex: str | None
    previous_secret: Secret | Sequence[str | bytes]
    previous_secret_hex: str | None | Sequence[str]
    encrypt_key: str | None
    salt: str | bytes | None
    hashalg: Literal["sha512", "sha384", "sha256", "sha224", "sha1"]


class FormatOptions(SharedOptions, total=False):
    """The options of an accepted format."""

    secret: Secret


class OptionsButSecret(SharedOptions, total=False):
    """The options of docs/options.md except for the secret. None unsets an option."""

    cookie_name: str
    max_age: Seconds
    path: str | None
    domain: str | None
    secure: Flag
    httponly: Flag
    samesite: Literal["Lax", "Strict", "None"] | None
    partitioned: Flag
    timeout: Seconds
    reissue_time: Seconds
    set_on_exception: Flag
    absolute_timeout: Seconds
    store: str | Store
    store_timeout: float | str | timedelta
    store_on_error: Literal["fail", "empty"]
    store_max_bytes: int | str
    store_prefix: str | None
    regenerate_grace: Seconds


class Options(OptionsButSecret, total=False):
    """The options of docs/options.md."""

    secret: Secret


def text(name: str, value: object) -> str:
    """Returns an option's value as the text that the library takes.

    >>> text("httponly", True), text("timeout", timedelta(minutes=20)), text("store_timeout", 0.5), text("domain", None)
    ('true', '1200', '0.5', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, (str, int)):
        return str(value)
    kind = type(value).__name__
    raise _errors.OptionError(f"option {name}: expected text, a number, a bool or a timedelta, not {kind}")


class OptionsHandle:
    """The library's options, while a factory is made."""

    def __init__(self) -> None:
        self.handle = ffi.gc(lib.khufu_options_new(), lib.khufu_options_free)
        self.callbacks: list[Any] = []

    def set(self, name: str, value: object) -> None:
        """Sets an option. A list or a tuple sets it once for each of its values. None sets no secret."""
        if isinstance(value, (list, tuple)):
            for each in value:
                self.set(name, each)
        elif value is None and "secret" in name:
            pass
        elif name in CUSTOM and not isinstance(value, (str, NoneType)):
            self._set_custom(name, value)
        elif isinstance(value, bytes):
            self._set_bytes(name, value)
        else:
            self._put(name, text(name, value))

    def set_all(self, options: Mapping[str, object], accept: Mapping[str, Mapping[str, object]]) -> None:
        """Sets options, and those of accepted formats."""
        for name, value in options.items():
            self.set(name, value)
        for accepted, its in accept.items():
            for name, value in its.items():
                self.set(f"accept.{accepted}.{name}", value)

    def load(self, ini: str, section: str, prefix: str) -> None:
        """Sets options from the text of an INI file."""
        arguments = [_values.text(each, "an INI file's text, section or prefix") for each in (ini, section, prefix)]
        self._check(lib.khufu_options_load(self.handle, *(part for each in arguments for part in (each, len(each)))))

    def get(self, name: bytes) -> str:
        """Returns the value of an option that has a default."""
        value, size = ffi.new("char **"), ffi.new("size_t *")
        self._check(lib.khufu_options_get(self.handle, name, len(name), value, size))
        return bytes(ffi.unpack(value[0], size[0])).decode()

    def factory(self) -> Any:
        """Returns the handle of a factory with these options."""
        output = ffi.new("khufu_factory **")
        self._check(lib.khufu_factory_new(self.handle, output))
        return ffi.gc(output[0], lib.khufu_factory_free)

    def _set_custom(self, name: str, custom: object) -> None:
        needed, together, functions = CUSTOM[name]
        methods = needed + together if any(hasattr(custom, each) for each in together) else needed
        if missing := [each for each in methods if not hasattr(custom, each)]:
            kind = type(custom).__name__
            raise _errors.OptionError(
                f"option {name}: expected text or an object with the methods {', '.join(methods)}; "
                f"{kind} does not have {', '.join(missing)}"
            )
        calls = functions(custom)
        table, callbacks = _callbacks.table(f"khufu_{name}_vtable", {each: getattr(calls, each) for each in methods})
        self.callbacks += callbacks
        self._check(getattr(lib, f"khufu_options_set_{name}")(self.handle, table, ffi.NULL))

    def _set_bytes(self, name: str, value: bytes) -> None:
        option = name.rpartition(".")[2]
        if option in ("secret", "previous_secret"):
            self._put(f"{name}_hex", value.hex())
        elif option == "salt" and value.isascii():
            self._put(name, value.decode())
        else:
            raise _errors.OptionError(f"option {name}: expected text, not bytes")

    def _put(self, name: str, value: str) -> None:
        key, data = _values.text(name, "an option's name"), _values.text(value, f"option {name}")
        self._check(lib.khufu_options_set(self.handle, key, len(key), data, len(data)))

    def _check(self, status: int) -> None:
        if status:
            _errors.fail(status, ffi.string(lib.khufu_options_error(self.handle)).decode())
