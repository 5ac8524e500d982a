"""The sessions of the Pyramid web framework: in a signed or encrypted cookie, or in a store.

>>> import khufu
>>> factory = khufu.Factory(secret=khufu.generate_secret(), httponly=True, timeout=3600)
>>> with factory.open() as session:  # the value of the request's Cookie header
...     session["user"] = "zoe"
...     headers = session.commit()
>>> cookie = dict(headers)["Set-Cookie"].partition(";")[0]
>>> with factory.open(cookie) as session:
...     session["user"]
'zoe'

``khufu.pyramid`` is for Pyramid applications.
"""

from khufu._errors import (
    ArgumentError,
    ConflictError,
    EncodingError,
    Error,
    GoneError,
    InternalError,
    JSONError,
    OptionError,
    RandomError,
    RangeError,
    ReservedKeyError,
    StoreError,
    TooLargeError,
    UnsupportedError,
    WrongTypeError,
)
from khufu._factory import Factory
from khufu._library import __version__, generate_encryption_secret, generate_secret
from khufu._serializer import Serializer
from khufu._session import Session
from khufu._store import Store, SubjectStore
from khufu._subject import Subject, SubjectSession

__all__ = [
    "ArgumentError",
    "ConflictError",
    "EncodingError",
    "Error",
    "Factory",
    "GoneError",
    "InternalError",
    "JSONError",
    "OptionError",
    "RandomError",
    "RangeError",
    "ReservedKeyError",
    "Serializer",
    "Session",
    "Store",
    "StoreError",
    "Subject",
    "SubjectSession",
    "SubjectStore",
    "TooLargeError",
    "UnsupportedError",
    "WrongTypeError",
    "__version__",
    "generate_encryption_secret",
    "generate_secret",
]
