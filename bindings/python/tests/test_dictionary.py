"""The session as a dictionary, and changes inside its values."""

import base64
import unittest
from collections.abc import MutableMapping
from datetime import datetime

import khufu
from helpers import NOW, SECRET, cookie, signed


class Dictionary(unittest.TestCase):
    def setUp(self):
        self.factory = khufu.Factory(secret=SECRET)
        self.session = self.factory.open(now=NOW)

    def opened_again(self, now=NOW):
        return self.factory.open(cookie(self.session.commit()), now=now)

    def test_it_is_a_mutable_mapping(self):
        self.assertIsInstance(self.session, MutableMapping)

    def test_values_of_every_type_survive_a_request(self):
        values = {
            "text": "caf\u00e9 \0 \U0001f389",
            "int": 2**70,
            "float": 1.5,
            "true": True,
            "none": None,
            "list": [1, [2, {"a": []}]],
            "dict": {"b": {"c": "d"}},
            "half": "\ud800",
            "": 0,
        }
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
        for attempt in (
            lambda: self.session["x"],
            lambda: self.session.pop("x"),
            lambda: self.session.__delitem__("x"),
            self.session.popitem,
            lambda: self.session[1],
            lambda: self.session["\ud800"],
        ):
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
        payload = b'[%d, %d, {"a\\ud800": [1], "b": 2}]' % (NOW, NOW)
        session = self.factory.open(signed(payload), now=NOW)
        self.assertEqual(dict(session), {"a\ud800": [1], "b": 2})
        self.assertIn("a\ud800", session)

    def test_nan_that_python_stored(self):
        payload = b'[%d, %d, {"n": NaN, "i": -Infinity, "l": [NaN]}]' % (NOW, NOW)
        session = self.factory.open(signed(payload), now=NOW)
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
        payload = b'[%d, %d, {"prices": [ 1.10,1e2, "\\u00e9" ]}]' % (NOW, NOW)
        session = self.factory.open(signed(payload), now=NOW)
        self.assertEqual(session["prices"], [1.1, 100.0, "\u00e9"])
        session["other"] = 1
        session.commit()
        value = session.value
        written = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        self.assertIn(b"1.10,1e2", written)
