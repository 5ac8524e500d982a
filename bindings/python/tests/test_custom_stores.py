"""The arguments and results of a custom store's methods."""

import subprocess
import sys
import time
from pathlib import Path

import khufu
import sqlite_store
from browser import browse
from custom_store import METHODS, CustomStore
from helpers import SECRET


class Contract(CustomStore):
    def test_requests_at_the_same_time_and_a_final_logout(self):
        factory = self.factory()
        sent = self.begin(factory, a="\u00e9")
        one, other, late, logout = (factory.open(sent) for _ in range(4))
        one["one"], other["other"], late["late"] = 1, 2, 3
        one.commit()
        other.commit()
        self.assertEqual(dict(factory.open(sent)), {"a": "\u00e9", "one": 1, "other": 2})
        logout.invalidate()
        logout.commit()
        self.assertRaises(khufu.GoneError, late.commit)
        self.assertEqual(factory.open(sent).load_result, "missing")

    def test_the_arguments(self):
        factory = self.factory(timeout=100, reissue_time=0)
        sent = self.begin(factory, a=1)
        session = factory.open(sent, now=time.time() + 5)
        session["a"]
        session.commit()
        key, expected, generation, record, ttl = self.named("save")[0]
        self.assertEqual((key, expected, generation), (session.id, 0, 1))
        self.assertEqual((type(key), type(record)), (str, bytes))
        self.assertAlmostEqual(ttl, 100, delta=10)
        self.assertEqual(self.named("touch")[0][:2], [key, 1])
        self.assertEqual(type(self.named("touch")[0][2]), bytes)
        self.begin(self.factory(timeout=None), a=1)
        self.assertIsNone(self.named("save")[-1][-1])

    def test_the_time_to_live_is_at_least_a_second(self):
        session = self.factory(timeout=0, regenerate_grace=0).open()
        session["a"] = 1
        session.subject = "user-42"
        session.commit()
        session.regenerate_id()
        session.commit()
        self.assertEqual([arguments[-1] for arguments in self.named("save")], [1, 1])
        self.assertEqual([arguments[-1] for arguments in self.named("list")], [61, 61])

    def test_no_cookie_is_sent_if_touch_finds_no_record(self):
        factory = self.factory(max_age=3600)
        sent = self.begin(factory, a=1)
        current, login, logout = (factory.open(sent, now=time.time() + 5) for _ in range(3))
        for session in (current, login, logout):
            session["a"]
        self.assertIn("Set-Cookie", dict(current.commit()))
        other = factory.open(sent)
        other.regenerate_id()
        other.commit()
        self.assertNotIn("Set-Cookie", dict(login.commit()))
        other.invalidate()
        other.commit()
        self.assertNotIn("Set-Cookie", dict(logout.commit()))
        self.assertEqual(factory.open(sent).load_result, "missing")

    def test_a_store_that_keeps_subjects(self):
        factory = self.factory()
        sent = [self.begin(factory, "user-42", a=1) for _ in range(2)]
        self.begin(factory, "user-43", a=1)
        self.assertEqual([name for name, *_ in self.store.calls[:2]], ["list", "save"])
        user, first = factory.subject("user-42"), factory.open(sent[0]).id
        self.assertIn(first, [each.id for each in user.sessions])
        self.assertEqual((len(user.sessions), user.revoke_all(keep=first)), (2, 1))
        self.assertEqual([factory.open(each).load_result for each in sent], ["loaded", "missing"])
        self.assertTrue(user.revoke(first))
        self.assertFalse(user.revoke(first))
        self.assertEqual([name for name, *_ in self.store.calls[-3:]], ["remove", "unlist", "load"])
        self.assertEqual([len(factory.subject(each).sessions) for each in ("user-42", "user-43")], [0, 1])

    def test_revoke_all_tries_again_after_a_conflict(self):
        factory = self.factory()
        sent = self.begin(factory, "user-42", a=1)

        def another_request():
            self.store.before.clear()
            session = factory.open(sent)
            session["b"] = 2
            session.commit()

        self.store.before["remove"] = another_request
        self.assertEqual(factory.subject("user-42").revoke_all(), 1)
        self.assertEqual(len(self.named("remove")), 2)
        self.assertEqual(factory.open(sent).load_result, "missing")

    def test_a_store_need_not_keep_subjects(self):
        class Store:
            load, save, touch, remove = (getattr(self.store, name) for name in METHODS[:4])

        factory = self.factory(store=Store())
        with self.assertRaises(khufu.ArgumentError):
            factory.open().subject = "user-42"
        self.assertRaises(khufu.ArgumentError, factory.subject, "user-42")
        self.assertEqual(dict(factory.open(self.begin(factory, a=1))), {"a": 1})

    def test_a_store_with_a_custom_serializer(self):
        class Backwards:
            def loads(self, payload):
                return eval(payload[::-1])

            def dumps(self, value):
                return repr(value).encode()[::-1]

        factory = self.factory(serializer=Backwards())
        self.assertEqual(dict(factory.open(self.begin(factory, a=[1, None]))), {"a": [1, None]})
        self.assertIn(b"]enoN ,1[ :'a'{"[1:], self.named("save")[0][3])

    def test_a_record_may_be_any_object_with_a_buffer(self):
        load = self.store.load
        for kind in (bytearray, memoryview):
            self.store.load = lambda key: (kind(load(key)[0]), load(key)[1])
            self.assertEqual(dict(self.factory().open(self.begin(a=1))), {"a": 1})

    def test_the_options_of_a_file(self):
        file = Path(self.store.path).with_name("production.ini")
        file.write_text(f"secret = {SECRET}\n")
        factory = khufu.Factory.from_ini(file, store=self.store)
        self.assertEqual(dict(factory.open(self.begin(factory, a=1))), {"a": 1})

    def test_the_settings_of_a_pyramid_application(self):
        browser = browse(settings={"khufu.secret": SECRET, "khufu.store": self.store})
        self.assertEqual([browser.get("/count").text for _ in range(2)], ["1", "2"])
        self.assertEqual(len(self.named("save")), 2)

    def test_an_object_without_the_methods_is_refused(self):
        class Incomplete:
            load = save = touch = remove = list = None

        for options, words in (
            ({"store": object()}, "store.*load, save, touch, remove; object does not have load, save, touch, remove$"),
            ({"store": Incomplete()}, "store.*Incomplete does not have unlist, members$"),
            ({"store": 5}, "store.*int"),
            ({"store": b"memory:"}, "store.*bytes"),
            ({"serializer": object()}, "serializer.*loads, dumps"),
        ):
            with self.assertRaisesRegex(khufu.OptionError, words):
                self.factory(**options)

    def test_the_example(self):
        printed = subprocess.run(
            [sys.executable, sqlite_store.__file__], check=True, capture_output=True, text=True
        ).stdout
        self.assertEqual(printed, "{'cart': ['A-1'], 'name': 'Ada', '_f_': ['Saved.']}\n1 session ended\nmissing\n")
