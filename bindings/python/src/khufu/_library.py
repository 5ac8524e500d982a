"""The library as a whole: its version, and new secrets."""

from khufu import _errors
from khufu._native import ffi, lib

#: The version of the library.
__version__: str = ffi.string(lib.khufu_version()).decode()


def generate_secret() -> str:
    """Returns a new random secret that signs, for khufu and for Pyramid.

    >>> import khufu
    >>> len(khufu.generate_secret())
    128
    """
    return _generate(lib.KHUFU_SIGNING_SECRET_SIZE)


def generate_encryption_secret() -> str:
    """Returns a new random secret that encrypts, as hexadecimal digits.

    >>> import khufu
    >>> len(khufu.generate_encryption_secret())
    64
    """
    return _generate(lib.KHUFU_ENCRYPTION_SECRET_SIZE)


def _generate(size: int) -> str:
    buffer = ffi.new("char[]", size)
    status = lib.khufu_generate_secret(buffer, size)
    if status:
        _errors.fail(status, "")
    return str(ffi.string(buffer).decode())
