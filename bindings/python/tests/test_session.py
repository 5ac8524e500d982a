"""The methods of a session, and its life."""

import gc
import pickle
import unittest
from datetime import datetime, timedelta, timezone

import khufu
from helpers import NOW, SECRET, cookie, signed


class PyramidsMethods(unittest.TestCase):
    def setUp(self):
        self.factory = khufu.Factory(secret=SECRET)
        self.session = self.factory.open(now=NOW)

    def test_flash(self):
        self.session.flash("a")
        self.session.flash({"level": 1}, "errors")
        self.session.flash("a", allow_duplicate=False)
        self.session.flash("a", "", True)
        self.assertEqual(self.session.peek_flash(), ["a", "a"])
        self.assertEqual(self.session.pop_flash(), ["a", "a"])
        self.assertEqual(self.session.pop_flash(), [])
        self.assertEqual(self.session.peek_flash(), [])
        self.assertEqual(self.session.pop_flash("errors"), [{"level": 1}])
        self.session["_f_"] = "not a list"
        for attempt in (self.session.peek_flash, self.session.pop_flash, lambda: self.session.flash("a")):
            self.assertRaises(TypeError, attempt)
        self.assertRaises(TypeError, self.session.flash, "a", 1)

    def test_csrf(self):
        self.assertFalse(self.session.check_csrf_token(""))
        self.assertFalse(self.session.check_csrf_token(None))
        token = self.session.get_csrf_token()
        self.assertRegex(token, "^[0-9a-f]{40}$")
        self.assertEqual(self.session.get_csrf_token(), token)
        self.assertEqual(self.session["_csrft_"], token)
        self.assertTrue(self.session.check_csrf_token(token) and self.session.check_csrf_token(token.encode()))
        self.assertFalse(self.session.check_csrf_token("\ud800"))
        self.assertNotEqual(self.session.new_csrf_token(), token)
        self.assertFalse(self.session.check_csrf_token(token))

    def test_times_and_state(self):
        self.assertTrue(self.session.new)
        self.assertFalse(self.session.is_changed)
        self.assertEqual((self.session.created, self.session.load_result), (NOW, "none"))
        self.session["a"] = 1
        again = self.factory.open(cookie(self.session.commit()), now=NOW + 10)
        self.assertFalse(again.new)
        again["a"]
        self.assertEqual((again.created, again.renewed, again.accessed), (NOW, NOW, NOW + 10))
        self.assertEqual((again.load_result, again.load_format, again.id, again.subject), ("loaded", None, None, None))

    def test_a_bad_cookie_is_never_an_exception(self):
        for sent in (
            "session=x",
            "session=" + "A" * 200,
            "session",
            ";;;",
            "\u20ac=\u20ac",
            b"session=\xff\xfe",
            "session=a; session=b",
        ):
            session = self.factory.open(sent)
            self.assertEqual((dict(session), session.new), ({}, True))
        self.assertEqual(self.factory.open("session=" + "A" * 200).load_result, "bad_signature")
        self.assertTrue(self.factory.open("session=x").error)

    def test_invalidate(self):
        self.session["a"] = [1]
        again = self.factory.open(cookie(self.session.commit()), now=NOW)
        again["a"]
        again.invalidate()
        self.assertEqual((dict(again), again.new), ({}, True))
        headers = again.commit()
        self.assertIn("Max-Age=0", dict(headers)["Set-Cookie"])
        self.assertIn(("Cache-Control", "no-store"), headers)

    def test_commit_with_an_exception(self):
        factory = khufu.Factory(secret=SECRET, set_on_exception=False)
        session = factory.open()
        session["a"] = 1
        self.assertNotIn("Set-Cookie", dict(session.commit(exception=True)))
        self.assertIn("Set-Cookie", dict(session.commit()))

    def test_value_and_open_value(self):
        self.session["a"] = 1
        self.assertIsNone(self.session.value)
        self.session.commit()
        self.assertEqual(dict(self.factory.open_value(self.session.value, now=NOW)), {"a": 1})
        self.assertEqual(dict(self.factory.open_value(self.session.value.encode(), now=NOW)), {"a": 1})
        self.assertTrue(self.factory.open_value(None).new)

    def test_lifetime_and_attributes(self):
        self.session["a"] = 1
        self.session.set_lifetime(timedelta(days=1))
        self.session.set_attribute("httponly", True)
        set_cookie = dict(self.session.commit())["Set-Cookie"]
        self.assertIn("Max-Age=86400", set_cookie)
        self.assertIn("HttpOnly", set_cookie)
        self.session.set_lifetime(None)
        self.assertRaises(khufu.RangeError, self.session.set_lifetime, -1)
        self.assertRaises(khufu.RangeError, self.session.set_lifetime, 10**11)
        with self.assertRaisesRegex(khufu.OptionError, "path"):
            self.session.set_attribute("path", "/")
        self.assertRaises(khufu.OptionError, self.session.set_attribute, "samesite", "Sometimes")

    def test_too_large(self):
        self.session["a"] = "x" * 5000
        with self.assertRaisesRegex(khufu.TooLargeError, "4064") as caught:
            self.session.commit()
        self.assertIsInstance(caught.exception, ValueError)
        del self.session["a"]
        self.session["b"] = 1
        self.session.commit()

    def test_unsupported_is_not_overwritten(self):
        factory = khufu.Factory(secret=SECRET, serializer="pickle")
        payload = pickle.dumps((NOW, NOW, {"when": datetime.now()}))
        session = factory.open(signed(payload), now=NOW)
        self.assertEqual(session.load_result, "unsupported")
        session["a"] = 1
        self.assertRaises(khufu.UnsupportedError, session.commit)
        session.invalidate()
        self.assertIn("Max-Age=0", dict(session.commit())["Set-Cookie"])

    def test_passive_and_now(self):
        self.session["a"] = 1
        sent = cookie(self.session.commit())
        when = datetime.fromtimestamp(NOW + 100, timezone.utc)
        passive, active = self.factory.open(sent, now=when, passive=True), self.factory.open(sent, now=when)
        self.assertEqual((passive["a"], active["a"]), (1, 1))
        self.assertEqual((passive.is_changed, active.is_changed), (False, True))
        for wrong in (-1, float("nan"), 10**12):
            self.assertRaises(khufu.ArgumentError, self.factory.open, now=wrong)
        self.assertRaises(khufu.ArgumentError, self.factory.open, timeout=-1)

    def test_a_closed_session(self):
        with self.session as session:
            session["a"] = 1
        session.close()
        for attempt in (
            lambda: session["a"],
            lambda: len(session),
            lambda: session.new,
            session.commit,
            lambda: session.value,
            lambda: session.__setitem__("a", 1),
            session.changed,
            lambda: session.error,
            session.get_csrf_token,
        ):
            with self.assertRaisesRegex(khufu.ArgumentError, "closed"):
                attempt()

    def test_sessions_outlive_their_factory(self):
        session = khufu.Factory(secret=SECRET).open()
        gc.collect()
        session["a"] = 1
        self.assertIn("Set-Cookie", dict(session.commit()))
