"""The session as a dictionary, and Pyramid's methods."""

import gc
import unittest
from collections.abc import MutableMapping
from datetime import datetime, timedelta, timezone

import khufu

NOW = 1_700_000_000
SECRET = "a secret of the tests, long enough"


def cookie(headers):
    """Returns the Cookie header that a browser would send."""
    return "; ".join(value.partition(";")[0] for name, value in headers if name == "Set-Cookie")


class Dictionary(unittest.TestCase):
    def setUp(self):
        self.factory = khufu.Factory(secret=SECRET)
        self.session = self.factory.open(now=NOW)

    def opened_again(self, now=NOW):
        return self.factory.open(cookie(self.session.commit()), now=now)

    def test_it_is_a_mutable_mapping(self):
        self.assertIsInstance(self.session, MutableMapping)

    def test_values_of_every_type_survive_a_request(self):
        values = {"text": "caf\u00e9 \0 \U0001f389", "int": 2**70, "float": 1.5, "true": True, "none": None,
                  "list": [1, [2, {"a": []}]], "dict": {"b": {"c": "d"}}, "half": "\ud800", "": 0}
        for key, value in values.items():
            self.session[key] = value
        again = self.opened_again()
        self.assertEqual(dict(again), values)
        self.assertEqual([type(each) for each in again.values()], [type(each) for each in values.values()])

    def test_a_float_stays_a_float(self):
        self.session["float"] = 2.0
        self.assertIs(type(self.opened_again()["float"]), float)

    def test_a_tuple_is_read_back_as_a_list(self):
        self.session["pair"] = (1, 2)
        self.assertEqual(self.session["pair"], (1, 2))
        self.assertEqual(self.opened_again()["pair"], [1, 2])

    def test_missing_keys(self):
        for attempt in (lambda: self.session["x"], lambda: self.session.pop("x"), lambda: self.session.__delitem__("x"),
                        self.session.popitem, lambda: self.session[1], lambda: self.session["\ud800"]):
            self.assertRaises(KeyError, attempt)
        self.assertIsNone(self.session.get("x"))
        self.assertEqual(self.session.pop("x", 5), 5)
        self.assertFalse("x" in self.session or 1 in self.session or None in self.session or "\ud800" in self.session)
        self.assertFalse(self.session.is_changed)

    def test_the_methods_of_a_dict(self):
        self.session.update({"a": 1}, b=2)
        self.session |= {"c": 3}
        self.assertEqual(list(self.session), ["a", "b", "c"])
        self.assertEqual(list(reversed(self.session)), ["c", "b", "a"])
        self.assertEqual(list(self.session.items()), [("a", 1), ("b", 2), ("c", 3)])
        self.assertEqual(self.session | {"d": 4}, {"a": 1, "b": 2, "c": 3, "d": 4})
        self.assertEqual({"a": 0, "z": 1} | self.session, {"a": 1, "z": 1, "b": 2, "c": 3})
        self.assertEqual(self.session, {"a": 1, "b": 2, "c": 3})
        self.assertEqual(self.session.popitem(), ("c", 3))
        self.assertEqual(self.session.setdefault("a", 9), 1)
        self.assertEqual(self.session.setdefault("e", 5), 5)
        del self.session["a"]
        self.assertEqual(self.session.copy(), {"b": 2, "e": 5})
        self.assertEqual(len(self.session), 2)
        self.assertTrue(self.session)
        self.session.clear()
        self.assertEqual(dict(self.session), {})
        self.assertFalse(self.session)

    def test_update_takes_pairs_and_is_all_or_nothing(self):
        self.session.update([("a", 1)])
        with self.assertRaisesRegex(TypeError, "key 'c'"):
            self.session.update(b=2, c={1})
        with self.assertRaises(TypeError):
            self.session.update({1: 2})
        self.assertEqual(dict(self.session), {"a": 1})

    def test_the_loop_may_change_the_session(self):
        self.session.update(a=1, b=2)
        for key in self.session:
            del self.session[key]
        self.assertEqual(len(self.session), 0)

    def test_append_and_increment(self):
        self.session.append("list", "a")
        self.session["list"].append("b")
        self.session.append("list", {"c": 1})
        self.assertEqual(self.session["list"], ["a", "b", {"c": 1}])
        self.assertEqual(self.session.increment("n"), 1)
        self.assertEqual(self.session.increment("n", -3), -2)
        self.assertEqual(self.session["n"], -2)
        self.assertRaises(khufu.WrongTypeError, self.session.append, "n", 1)
        self.assertRaises(khufu.WrongTypeError, self.session.increment, "list")
        self.session["n"] = 2**63 - 1
        self.assertRaises(khufu.RangeError, self.session.increment, "n")
        self.assertRaises(khufu.RangeError, self.session.increment, "n", 2**64)

    def test_a_key_with_half_a_surrogate_pair_can_be_read(self):
        import base64, hashlib, hmac

        payload = b'[%d, %d, {"a\\ud800": [1], "b": 2}]' % (NOW, NOW)
        mac = hmac.new(b"pyramid.session." + SECRET.encode(), payload, hashlib.sha512).digest()
        session = self.factory.open(b"session=" + base64.urlsafe_b64encode(mac + payload), now=NOW)
        self.assertEqual(dict(session), {"a\ud800": [1], "b": 2})
        self.assertIn("a\ud800", session)

    def test_nan_that_python_stored(self):
        import base64, hashlib, hmac

        payload = b'[%d, %d, {"n": NaN, "i": -Infinity, "l": [NaN]}]' % (NOW, NOW)
        mac = hmac.new(b"pyramid.session." + SECRET.encode(), payload, hashlib.sha512).digest()
        session = self.factory.open(b"session=" + base64.urlsafe_b64encode(mac + payload), now=NOW)
        self.assertNotEqual(session["n"], session["n"] + 0)
        self.assertEqual(session["i"], float("-inf"))
        with self.assertRaisesRegex(TypeError, "key 'l'"):
            session["l"]

    def test_repr_shows_nothing(self):
        self.session["private"] = "hidden"
        for each in (self.session, self.factory):
            self.assertNotIn("hidden", repr(each))
            self.assertNotIn(SECRET, repr(each) + str(each))


class NestedChanges(unittest.TestCase):
    def setUp(self):
        self.factory = khufu.Factory(secret=SECRET, reissue_time=None)
        session = self.factory.open(now=NOW)
        session["cart"] = {"A-1": [1]}
        session["plain"] = "x"
        self.cookie = cookie(session.commit())
        self.session = self.factory.open(self.cookie, now=NOW + 5)

    def saved(self):
        return dict(self.factory.open(cookie(self.session.commit()), now=NOW + 5))

    def test_a_change_inside_alone_is_not_noticed(self):
        self.session["cart"]["A-1"].append(2)
        self.assertFalse(self.session.is_changed)
        self.assertNotIn("Set-Cookie", dict(self.session.commit()))

    def test_changed_saves_it(self):
        self.session["cart"]["A-1"].append(2)
        self.session.changed()
        self.assertEqual(self.saved()["cart"], {"A-1": [1, 2]})

    def test_any_other_change_saves_it(self):
        self.session["cart"]["A-1"].append(2)
        self.session["plain"] = "y"
        self.assertEqual(self.saved(), {"cart": {"A-1": [1, 2]}, "plain": "y"})

    def test_a_change_of_a_value_that_was_set(self):
        value = []
        self.session["list"] = value
        value.append((1, {"a": 2}))
        self.assertEqual(self.saved()["list"], [[1, {"a": 2}]])

    def test_a_change_before_a_flash_message(self):
        self.session.flash("a")
        self.session["_f_"].append("b")
        self.session.flash("c")
        self.session.peek_flash().append("d")
        self.assertEqual(self.session.pop_flash(), ["a", "b", "c", "d"])

    def test_a_value_that_json_does_not_have_names_its_key_at_commit(self):
        for wrong, kind in ((datetime.now(), TypeError), ({1}, TypeError), (float("nan"), ValueError)):
            session = self.factory.open(self.cookie, now=NOW + 5)
            session["cart"]["when"] = wrong
            session.changed()
            with self.assertRaisesRegex(kind, "key 'cart'"):
                session.commit()
            session["cart"]["when"] = "now"
            session.commit()

    def test_only_keys_that_differ_are_set_so_that_a_store_can_merge(self):
        factory = khufu.Factory(secret=SECRET, type="store")
        first = factory.open()
        first.update(a=[1], b=[1], number=1.10)
        sent = cookie(first.commit())
        one, two = factory.open(sent), factory.open(sent)
        self.assertEqual([one["a"], one["b"], two["a"], two["b"]], [[1], [1], [1], [1]])
        one["a"].append("one")
        two["b"].append("two")
        one.changed()
        two.changed()
        one.commit()
        two.commit()
        self.assertEqual(dict(factory.open(sent)), {"a": [1, "one"], "b": [1, "two"], "number": 1.1})

    def test_a_value_written_in_another_way_is_not_a_change(self):
        import base64, hashlib, hmac

        payload = b'[%d, %d, {"prices": [ 1.10,1e2, "\\u00e9" ]}]' % (NOW, NOW)
        mac = hmac.new(b"pyramid.session." + SECRET.encode(), payload, hashlib.sha512).digest()
        session = self.factory.open(b"session=" + base64.urlsafe_b64encode(mac + payload), now=NOW)
        self.assertEqual(session["prices"], [1.1, 100.0, "\u00e9"])
        session["other"] = 1
        session.commit()
        value = session.value
        written = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        self.assertIn(b'1.10,1e2', written)


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
        for sent in ("session=x", "session=" + "A" * 200, "session", ";;;", "\u20ac=\u20ac", b"session=\xff\xfe", "session=a; session=b"):
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
        import base64, hashlib, hmac, pickle

        factory = khufu.Factory(secret=SECRET, serializer="pickle")
        payload = pickle.dumps((NOW, NOW, {"when": datetime.now()}))
        mac = hmac.new(b"pyramid.session." + SECRET.encode(), payload, hashlib.sha512).digest()
        session = factory.open(b"session=" + base64.urlsafe_b64encode(mac + payload), now=NOW)
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
        for attempt in (lambda: session["a"], lambda: len(session), lambda: session.new, session.commit, lambda: session.value,
                        lambda: session.__setitem__("a", 1), session.changed, lambda: session.error, session.get_csrf_token):
            with self.assertRaisesRegex(khufu.ArgumentError, "closed"):
                attempt()

    def test_sessions_outlive_their_factory(self):
        session = khufu.Factory(secret=SECRET).open()
        gc.collect()
        session["a"] = 1
        self.assertIn("Set-Cookie", dict(session.commit()))


class BadValues(unittest.TestCase):
    """The table of what bad input gets."""

    def test_at_the_moment_of_setting_with_the_key(self):
        itself = []
        itself.append(itself)
        deep, very_deep = [], []
        for _ in range(600):
            deep = [deep]
        for _ in range(100_000):
            very_deep = [very_deep]
        wrong = [(datetime.now(), TypeError), ({1}, TypeError), (b"x", TypeError), (object(), TypeError), ({(1, 2): 3}, TypeError),
                 (float("nan"), ValueError), ([float("inf")], ValueError), (itself, ValueError), (deep, ValueError),
                 (very_deep, ValueError), (10**5000, ValueError), ([10**5000], ValueError)]
        session = khufu.Factory(secret=SECRET).open()
        for value, kind in wrong:
            for attempt in (lambda: session.__setitem__("the key", value), lambda: session.setdefault("the key", value),
                            lambda: session.append("the key", value)):
                with self.assertRaisesRegex(kind, "the key") as caught:
                    attempt()
                self.assertIsInstance(caught.exception, khufu.Error)
            self.assertRaises(kind, session.update, {"the key": value})
            self.assertRaises(kind, session.flash, value)
        self.assertEqual((dict(session), session.is_changed), ({}, False))

    def test_keys(self):
        session = khufu.Factory(secret=SECRET).open()
        self.assertRaises(TypeError, session.__setitem__, 1, "a")
        self.assertRaises(TypeError, session.__setitem__, b"a", "a")
        self.assertRaises(ValueError, session.__setitem__, "\ud800", "a")
        self.assertRaises(ValueError, session.update, {"\ud800": "a"})

    def test_a_class_for_each_status(self):
        from khufu import _errors
        from khufu._native import lib

        statuses = {getattr(lib, name) for name in dir(lib) if name.startswith("KHUFU_ERR_")}
        self.assertEqual(set(_errors.CLASSES), statuses)
        for status, kind in _errors.CLASSES.items():
            self.assertIs(getattr(khufu, kind.__name__), kind)
            with self.assertRaises(kind) as caught:
                _errors.fail(status, "")
            self.assertTrue(str(caught.exception))


if __name__ == "__main__":
    unittest.main()
