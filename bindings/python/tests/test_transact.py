"""A function that is called again after a conflict."""

import tempfile
import time
import unittest
from pathlib import Path

import khufu
from helpers import NOW, SECRET, cookie


class Transact(unittest.TestCase):
    def setUp(self):
        self.begin(khufu.Factory(secret=SECRET, type="store", store_timeout=0.2))

    def begin(self, factory):
        self.factory, self.calls = factory, []
        session = factory.open()
        session["n"] = 1
        self.cookie = cookie(session.commit())

    def interfere(self, key, value):
        """Does what another request does in the meantime."""
        with self.factory.open(self.cookie) as session:
            session[key] = value
            session.commit()

    def conflict(self, session):
        """Appends to a list that another request replaces by a text."""
        self.calls.append(session)
        key = f"list {len(self.calls)}"
        session.append(key, 1)
        self.interfere(key, "other")

    def conflicts_until_the_time_is_over(self, **options):
        start = time.monotonic()
        self.assertRaises(khufu.ConflictError, self.factory.transact, self.cookie, self.conflict, **options)
        self.assertGreater(len(self.calls), 1)
        self.assertGreaterEqual(time.monotonic() - start, 0.2)

    def test_the_session_is_committed_and_the_result_returned(self):
        def change(session):
            session["n"] += 1
            return session["n"]

        result, headers = self.factory.transact(self.cookie, change, [("Vary", "Accept"), ("X", "y")])
        self.assertEqual((result, self.factory.open(self.cookie)["n"]), (2, 2))
        self.assertEqual(headers, [("Vary", "Accept, Cookie"), ("X", "y"), ("Cache-Control", "private")])

    def test_after_a_conflict_the_function_is_called_again(self):
        def change(session):
            self.calls.append(session)
            if len(self.calls) == 1:
                session.append("list", "mine")
                self.interfere("list", "other")
            return session["list"]

        result, _ = self.factory.transact(self.cookie, change)
        self.assertEqual((result, len(self.calls)), ("other", 2))
        self.assertEqual(dict(self.factory.open(self.cookie)), {"n": 1, "list": "other"})
        for session in self.calls:
            self.assertRaises(khufu.ArgumentError, session.commit)  # it is closed

    def test_it_ends_after_store_timeout(self):
        self.conflicts_until_the_time_is_over()

    def test_it_ends_after_timeout(self):
        self.begin(khufu.Factory(secret=SECRET, type="store", store_timeout=3600))
        self.conflicts_until_the_time_is_over(timeout=0.2)

    def test_it_ends_after_the_store_timeout_of_a_file(self):
        for section, prefix, text in (
            ("", "", f"store_timeout: 0.2\nsecret = {SECRET}\ntype = store\n[other]\nstore_timeout = 60\n"),
            (
                "app:main",
                "khufu.",
                f"x = 1\n[app:main]\nkhufu.secret={SECRET}\nkhufu.type = store\n# store_timeout = 60\n"
                "khufu.store_timeout =\n    0.2\nstore_timeout = 60\n",
            ),
        ):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "production.ini"
                file.write_text(text)
                self.begin(khufu.Factory.from_ini(file, section, prefix))
            self.conflicts_until_the_time_is_over()

    def test_the_default_of_store_timeout(self):
        for options in ({}, {"store_timeout": None}):
            self.begin(khufu.Factory(secret=SECRET, type="store", **options))
            self.assertEqual(self.factory.transact(self.cookie, lambda session: session["n"])[0], 1)

    def test_other_exceptions_end_it(self):
        def end(session):
            self.calls.append(session)
            session["n"] = 2
            with self.factory.open(self.cookie) as logout:
                logout.invalidate()
                logout.commit()

        def refuse(kind):
            def change(session):
                self.calls.append(session)
                session["n"] = 2
                raise kind("sold out")

            self.assertRaises(kind, self.factory.transact, self.cookie, change)

        refuse(OSError)
        refuse(khufu.ConflictError)
        self.assertEqual(self.factory.open(self.cookie)["n"], 1)
        self.assertRaises(khufu.GoneError, self.factory.transact, self.cookie, end)
        self.assertRaises(khufu.ArgumentError, self.factory.transact, self.cookie, end, timeout=-1)
        self.assertEqual(len(self.calls), 3)
        self.assertRaises(khufu.ArgumentError, self.calls[0].commit)

    def test_a_session_in_a_cookie(self):
        factory = khufu.Factory(secret=SECRET)
        _, headers = factory.transact(None, lambda session: session.update(a=1), now=NOW)
        self.assertEqual(factory.open(cookie(headers), now=NOW)["a"], 1)
