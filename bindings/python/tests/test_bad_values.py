"""Values and keys that a session cannot hold."""

import unittest
from datetime import datetime

import khufu
from helpers import SECRET
from khufu import _errors
from khufu._native import lib


class BadValues(unittest.TestCase):
    def test_at_the_moment_of_setting_with_the_key(self):
        itself = []
        itself.append(itself)
        deep, very_deep = [], []
        for _ in range(600):
            deep = [deep]
        for _ in range(100_000):
            very_deep = [very_deep]
        wrong = [
            (datetime.now(), TypeError),
            ({1}, TypeError),
            (b"x", TypeError),
            (object(), TypeError),
            ({(1, 2): 3}, TypeError),
            (float("nan"), ValueError),
            ([float("inf")], ValueError),
            (itself, ValueError),
            (deep, ValueError),
            (very_deep, ValueError),
            (10**5000, ValueError),
            ([10**5000], ValueError),
        ]
        session = khufu.Factory(secret=SECRET).open()
        for value, kind in wrong:
            for attempt in (
                lambda: session.__setitem__("the key", value),
                lambda: session.setdefault("the key", value),
                lambda: session.append("the key", value),
                lambda: session.update({"a": 1, "the key": value}),
                lambda: session.flash(value, "the key"),
            ):
                with self.assertRaisesRegex(kind, "the key") as caught:
                    attempt()
                self.assertIsInstance(caught.exception, khufu.Error)
        self.assertEqual((dict(session), session.is_changed), ({}, False))

    def test_keys(self):
        session = khufu.Factory(secret=SECRET).open()
        self.assertRaises(TypeError, session.__setitem__, 1, "a")
        self.assertRaises(TypeError, session.__setitem__, b"a", "a")
        self.assertRaises(ValueError, session.__setitem__, "\ud800", "a")
        self.assertRaises(ValueError, session.update, {"\ud800": "a"})

    def test_a_class_for_each_status(self):
        statuses = {getattr(lib, name) for name in dir(lib) if name.startswith("KHUFU_ERR_")}
        statuses.remove(lib.KHUFU_ERR_PENDING)  # no store in Python returns it
        self.assertEqual(set(_errors.CLASSES), statuses)
        for status, kind in _errors.CLASSES.items():
            self.assertIs(getattr(khufu, kind.__name__), kind)
            with self.assertRaises(kind) as caught:
                _errors.fail(status, "")
            self.assertTrue(str(caught.exception))
