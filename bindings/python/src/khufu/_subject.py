"""All sessions of one user."""

from __future__ import annotations

from typing import Any, NamedTuple

from khufu import _values
from khufu._handle import Handle
from khufu._native import ffi, lib


class SubjectSession(NamedTuple):
    """A session of a subject."""

    #: The session's id, as :attr:`Session.id` gives it.
    id: str
    #: When the session began, in seconds since the Unix epoch.
    created: float
    #: When the session was last used.
    accessed: float


class Subject:
    """The sessions of one user, as they were when :meth:`Factory.subject` found them."""

    def __init__(self, factory: Any, handle: Any, name: str) -> None:
        data = _values.text(name, "a subject")
        self._factory = factory
        self._handle: Handle = factory._new_handle(lib.khufu_subject_error)
        self._handle.open("khufu_subject **", lib.khufu_subject_free, lib.khufu_subject_open, handle, data, len(data))

    @property
    def sessions(self) -> list[SubjectSession]:
        """The sessions, ordered by their last use. The latest is first."""
        found = []
        cursor, created, accessed = ffi.new("size_t *"), ffi.new("double *"), ffi.new("double *")
        text, size = ffi.new("const char **"), ffi.new("size_t *")
        while self._handle.call(lib.khufu_subject_next, cursor, text, size, created, accessed):
            found.append(SubjectSession(ffi.unpack(text[0], size[0]).decode(), created[0], accessed[0]))
        return found

    def revoke(self, id: str) -> bool:
        """Ends a session, in whatever process it is used. Returns False if the subject has no such session."""
        data = _values.text(id, "an id")
        return self._handle.call(lib.khufu_subject_revoke, data, len(data))

    def revoke_all(self, *, keep: str | None = None) -> int:
        """Ends every session except the one with the id ``keep``, and returns how many it ended."""
        data, revoked = _values.text(keep or "", "an id"), ffi.new("size_t *")
        self._handle.call(lib.khufu_subject_revoke_all, data, len(data), revoked)
        return int(revoked[0])

    def __repr__(self) -> str:
        return "<Subject>"
