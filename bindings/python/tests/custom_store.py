"""A store and a base class for the tests of custom stores."""

import contextlib
import tempfile
import unittest

import khufu
import sqlite_store
from helpers import SECRET, cookie

METHODS = "load", "save", "touch", "remove", "list", "unlist", "members"


class ScriptedStore(sqlite_store.SqliteStore):
    """A store that records its calls, and first calls the function that a test has given for the method."""

    def __init__(self, path):
        super().__init__(path)
        self.calls = []
        self.before = {}


def scripted(name):
    def method(self, *arguments):
        self.calls.append((name, *arguments))
        if name in self.before:
            self.before[name]()
        return getattr(super(ScriptedStore, self), name)(*arguments)

    return method


for each in METHODS:
    setattr(ScriptedStore, each, scripted(each))


def fail():
    raise OSError("no disk")


class CustomStore(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.store = ScriptedStore(f"{folder.name}/sessions.db")

    def factory(self, **options):
        return khufu.Factory(**{"secret": SECRET, "store": self.store, **options})

    def begin(self, factory=None, subject=None, **state):
        """Commits a new session, and returns its Cookie header."""
        session = (factory or self.factory()).open()
        session.update(state)
        if subject:
            session.subject = subject
        return cookie(session.commit())

    def named(self, name):
        return [arguments for each, *arguments in self.store.calls if each == name]

    @contextlib.contextmanager
    def fails_with(self, kind):
        """Expects a StoreError whose cause is an exception of this kind."""
        with self.assertRaises(khufu.StoreError) as caught:
            yield caught
        self.assertIsInstance(caught.exception.__cause__, kind)
