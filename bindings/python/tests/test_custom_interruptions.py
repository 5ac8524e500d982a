"""Exceptions of a custom store or serializer that are not an Exception."""

import time

import khufu
from custom_store import CustomStore
from helpers import SECRET, cookie


class Interruptions(CustomStore):
    """An exception that is not an Exception ends the call on the session itself."""

    def interrupt(self):
        raise KeyboardInterrupt("now")

    def test_every_method(self):
        factory = self.factory()
        sent = self.begin(factory, "user-42", a=1)
        user = factory.subject("user-42")
        reader, writer, logout = (factory.open(sent, now=time.time() + 5) for _ in range(3))
        reader["a"]
        writer["a"] = 2
        logout.invalidate()
        for name, attempt in (
            ("load", lambda: factory.open(sent)),
            ("list", writer.commit),
            ("save", writer.commit),
            ("touch", reader.commit),
            ("remove", logout.commit),
            ("unlist", logout.commit),
            ("members", lambda: factory.subject("user-42")),
        ):
            with self.subTest(name):
                self.store.before = {name: self.interrupt}
                with self.assertRaisesRegex(KeyboardInterrupt, "now"):
                    attempt()
        self.store.before = {}
        self.assertEqual(user.revoke_all(), 0)

    def test_the_store_is_not_called_again(self):
        factory = self.factory()
        for _ in range(3):
            self.begin(factory, "user-42", a=1)
        user = factory.subject("user-42")
        self.store.calls.clear()
        self.store.before["unlist"] = self.interrupt
        self.assertRaises(KeyboardInterrupt, user.revoke_all)
        self.assertEqual([name for name, *_ in self.store.calls], ["members", "load", "remove", "unlist"])
        self.store.before.clear()
        self.assertEqual(user.revoke_all(), 2)

    def test_the_session_can_be_committed_afterwards(self):
        session = self.factory().open()
        session["a"] = 1
        for kind in (KeyboardInterrupt, SystemExit, GeneratorExit, type("Ended", (BaseException,), {})):

            def end():
                raise kind

            self.store.before["save"] = end
            self.assertRaises(kind, session.commit)
        self.store.before.clear()
        self.assertEqual(dict(self.factory().open(cookie(session.commit()))), {"a": 1})

    def test_a_serializer(self):
        class Interrupted:
            loads = dumps = lambda _self, _value: self.interrupt()

        factory = khufu.Factory(secret=SECRET, serializer=Interrupted())
        sent = self.begin(khufu.Factory(secret=SECRET), a=1)
        self.assertRaises(KeyboardInterrupt, factory.open, sent)
        session = factory.open()
        session["a"] = 1
        self.assertRaises(KeyboardInterrupt, session.commit)
