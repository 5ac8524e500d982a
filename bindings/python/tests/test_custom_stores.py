"""Custom stores: what their methods get, and what becomes of what they return and raise."""

import contextlib
import gc
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import weakref
from pathlib import Path

import khufu
import sqlite_store

from test_session import SECRET, cookie
from test_stores import in_child, in_threads

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

    def test_an_object_without_the_methods_is_refused(self):
        class Incomplete:
            load = save = touch = remove = list = None

        for options, words in (
            ({"store": object()}, "store.*load, save, touch, remove; object does not have load, save, touch, remove$"),
            ({"store": Incomplete()}, "store.*Incomplete does not have unlist, members$"),
            ({"store": 5}, "store.*int"), ({"store": b"memory:"}, "store.*bytes"),
            ({"serializer": object()}, "serializer.*loads, dumps"),
        ):
            with self.assertRaisesRegex(khufu.OptionError, words):
                self.factory(**options)

    def test_the_example(self):
        printed = subprocess.run([sys.executable, sqlite_store.__file__], check=True, capture_output=True, text=True).stdout
        self.assertEqual(printed, "{'cart': ['A-1'], 'name': 'Ada', '_f_': ['Saved.']}\n1 session ended\nmissing\n")


class Failures(CustomStore):
    def test_an_exception_of_load(self):
        factory, sent = self.factory(), self.begin(a=1)
        self.store.before["load"] = fail
        with self.fails_with(OSError):
            factory.open(sent)
        session = self.factory(store_on_error="empty").open(sent)
        self.assertEqual((session.load_result, dict(session)), ("store_error", {}))
        session["a"] = 1
        self.assertRaises(khufu.Error, session.commit)

    def test_an_exception_of_save_keeps_the_changes(self):
        session = self.factory().open()
        session["a"] = 1
        self.store.before["save"] = fail
        for _ in range(2):
            with self.fails_with(OSError):
                session.commit()
        with self.assertRaises(khufu.WrongTypeError) as caught:
            session["a"] = object()
        self.assertIsNone(caught.exception.__cause__)
        self.store.before.clear()
        self.assertEqual(dict(self.factory().open(cookie(session.commit()))), {"a": 1})

    def test_exceptions_of_touch_and_remove(self):
        factory = self.factory()
        sent = self.begin(factory, a=1)
        reader, logout = factory.open(sent, now=time.time() + 5), factory.open(sent)
        reader["a"]
        logout.invalidate()
        self.store.before.update(touch=fail, remove=fail)
        for session in (reader, logout):
            with self.fails_with(OSError):
                session.commit()

    def test_exceptions_of_the_methods_for_subjects(self):
        factory = self.factory()
        sent = self.begin(factory, "user-42", a=1)
        user, session = factory.subject("user-42"), factory.open(sent)
        session["a"] = 2
        for name, attempt in (("list", session.commit), ("load", user.revoke_all), ("remove", user.revoke_all),
                              ("members", user.revoke_all), ("members", lambda: factory.subject("user-42"))):
            self.store.before = {name: fail}
            with self.fails_with(OSError):
                attempt()
        self.store.before = {"unlist": fail}  # a key that is still listed does no harm
        self.assertEqual(user.revoke_all(), 1)
        self.assertEqual(factory.subject("user-42").sessions, [])

    def test_the_cause_of_an_earlier_call_is_forgotten(self):
        factory = self.factory()
        self.begin(factory, "user-42", a=1)
        self.store.before["unlist"] = fail
        factory.subject("user-42").revoke_all()
        with self.assertRaises(khufu.StoreError) as caught:
            factory.open(self.begin(a=1), timeout=0)
        self.assertIsNone(caught.exception.__cause__)

    def test_wrong_results(self):
        factory = self.factory()
        sent = self.begin(factory, "user-42", a=1)
        for result in ("text", 5, (b"",), ("text", 1), (5, 1), (b"", "1"), (b"", -1), (b"", 2**64), (None, 1)):
            self.store.load = lambda key: result
            with self.fails_with((TypeError, ValueError, OverflowError)):
                factory.open(sent)
        self.store.load = lambda key: (b"no record", 1)
        self.assertEqual(factory.open(sent).load_result, "unsupported")
        self.store.members = lambda subject: ["no key"]
        with self.assertRaisesRegex(khufu.StoreError, "members"):
            factory.subject("user-42")
        for result in (None, 7, [7], [b"x"]):
            self.store.members = lambda subject: result
            with self.fails_with(TypeError):
                factory.subject("user-42")

    def test_gone_or_conflict_where_it_is_not_expected(self):
        factory = self.factory()
        sent = self.begin(factory, a=1)
        for kind in (khufu.GoneError, khufu.ConflictError, khufu.StoreError):
            def refuse():
                raise kind("not here")

            self.store.before["load"] = refuse
            with self.fails_with(kind):
                factory.open(sent)

    def test_a_store_may_use_sessions_itself(self):
        folder = Path(self.store.path).parent
        inner = khufu.Factory(secret=SECRET, store=ScriptedStore(f"{folder}/inner.db"))
        inner_sent, sent = self.begin(inner, a=1), self.begin(a=1)
        seen = []

        def use():
            seen.append(dict(inner.open(inner_sent)))
            with self.assertRaises(khufu.StoreError):
                inner.open(inner_sent, timeout=0)
            fail()

        self.store.before["load"] = use
        with self.fails_with(OSError):
            self.factory().open(sent)
        self.assertEqual(seen, [{"a": 1}])

    def test_a_store_that_uses_the_session_that_calls_it(self):
        session = self.factory().open()
        session["a"] = 1
        self.store.before["save"] = lambda: len(session)
        with self.fails_with(khufu.ArgumentError):
            session.commit()
        self.store.before["save"] = session.close
        with self.fails_with(khufu.ArgumentError):
            session.commit()
        self.store.before.clear()
        session.commit()


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
        for name, attempt in (("load", lambda: factory.open(sent)), ("list", writer.commit), ("save", writer.commit),
                              ("touch", reader.commit), ("remove", logout.commit), ("unlist", logout.commit),
                              ("members", lambda: factory.subject("user-42"))):
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

    def test_a_signal(self):
        self.assertEqual(run(SIGNAL), ("interrupted\n{'a': 1}\n", "", 0))


def run(program):
    """Runs a program that uses a store in a dict, and returns what it printed, and its status."""
    ended = subprocess.run([sys.executable, "-c", DICT_STORE + program], capture_output=True, text=True, timeout=60)
    return ended.stdout, ended.stderr, ended.returncode


DICT_STORE = """
import os, signal, threading, time
import khufu

class DictStore(dict):
    def load(self, key):
        return self.get(key)

    def save(self, key, expected, generation, record, ttl):
        self[key] = record, generation

    touch = remove = None
"""

SIGNAL = """
class Slow(DictStore):
    def save(self, *arguments):
        if not waited:
            waited.append(True)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(10)
        super().save(*arguments)

waited = []
factory = khufu.Factory(secret="itsaseekreet", store=Slow(), store_timeout=60)
session = factory.open()
session["a"] = 1
try:
    session.commit()
except KeyboardInterrupt:
    print("interrupted")
session.commit()
print(dict(factory.open_value(session.value)))
"""


# Python ends the threads while they are calling the store.
EXIT = """
factory = khufu.Factory(secret="itsaseekreet", store=DictStore())
session = factory.open()
session["a"] = 1
session.commit()

def read():
    while True:
        factory.open_value(session_value)["a"]

session_value = session.value
for _ in range(4):
    threading.Thread(target=read, daemon=True).start()
time.sleep(0.05)
"""


class Processes(CustomStore):
    def test_python_exits_while_threads_call_the_store(self):
        for _ in range(5):
            self.assertEqual(run(EXIT), ("", "", 0))

    def test_a_factory_made_before_a_fork(self):
        factory = self.factory()
        sent = self.begin(factory, a=1)

        def write():
            session = factory.open(sent)
            session["b"] = 2
            session.commit()
            self.store.before["load"] = fail
            with self.fails_with(OSError):
                factory.open(sent)
            return True

        self.assertTrue(in_child(write))
        self.assertEqual(dict(factory.open(sent)), {"a": 1, "b": 2})

    def test_threads_share_a_store(self):
        factory = self.factory(store_timeout=60)
        sent = self.begin(factory, numbers=[])

        def add(number):
            for _ in range(10):
                session = factory.open(sent)
                session.append("numbers", number)
                session.commit()

        in_threads(4, add)
        self.assertEqual(sorted(factory.open(sent)["numbers"]), sorted([0, 1, 2, 3] * 10))

    def test_each_thread_gets_the_exceptions_of_its_own_calls(self):
        factory = self.factory()
        sent = self.begin(factory, a=1)

        def refuse():
            time.sleep(0.001)
            raise OSError(threading.get_ident())

        self.store.before["load"] = refuse

        def fail_often(_number):
            for _ in range(50):
                with self.fails_with(OSError) as caught:
                    factory.open(sent)
                self.assertEqual(caught.exception.__cause__.args, (threading.get_ident(),))

        in_threads(4, fail_often)

    def test_a_store_lives_as_long_as_its_sessions(self):
        factory = self.factory()
        store = weakref.ref(self.store)
        session = factory.open()
        session["a"] = 1
        del factory, self.store
        gc.collect()
        self.assertIsNotNone(store())
        session.commit()
        del session
        gc.collect()
        self.assertIsNone(store())

    def test_a_store_that_refers_to_its_factory_is_freed(self):
        factory = self.factory()
        self.store.factory = factory
        self.store.session = factory.open()
        store = weakref.ref(self.store)
        del factory, self.store
        gc.collect()
        self.assertIsNone(store())
