"""Custom stores with threads, forks, signals, and when Python exits."""

import gc
import subprocess
import sys
import threading
import time
import weakref

from custom_store import CustomStore, fail
from helpers import in_child, in_threads
from khufu import _exit


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


# Signals raise an exception at any moment, in the store's methods and around them.
SIGNALS = """
import random

class Ended(BaseException):
    pass

def end(*_):
    raise Ended

factory = khufu.Factory(secret="itsaseekreet", store=DictStore(), store_timeout=60)
session = factory.open()
session["n"] = 0
session.commit()
session_value = session.value
committed = ended = 0
signal.signal(signal.SIGALRM, end)
while ended < 1000:
    try:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.00001, 0.0006))
        while True:
            with factory.open_value(session_value) as session:
                session.increment("n")
                session.commit()
            committed += 1
    except Ended:
        ended += 1
signal.setitimer(signal.ITIMER_REAL, 0)
print(committed <= factory.open_value(session_value)["n"] <= committed + ended)
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
    def test_a_signal(self):
        self.assertEqual(run(SIGNAL), ("interrupted\n{'a': 1}\n", "", 0))

    def test_signals_at_any_moment(self):
        self.assertEqual(run(SIGNALS), ("True\n", "", 0))

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

    def test_a_child_does_not_wait_for_its_parents_threads(self):
        factory = self.factory(store_timeout=60)
        sent = self.begin(factory, a=1)
        loading, end = threading.Event(), threading.Event()

        def wait():
            loading.set()
            end.wait()

        self.store.before["load"] = wait
        thread = threading.Thread(target=factory.open, args=[sent])
        thread.start()
        loading.wait()
        self.assertEqual(len(_exit._inside), 1)
        self.assertTrue(in_child(lambda: not _exit._inside))
        end.set()
        thread.join()

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
