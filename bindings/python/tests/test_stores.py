"""Sessions in a store: subjects, concurrency, forks and threads."""

import socket
import tempfile
import threading
import time
import unittest

import khufu
from redis_server import redis_server

from helpers import SECRET, cookie, in_child, in_threads


class Sqlite(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.factory = khufu.Factory(type="store", store=f"sqlite:{folder.name}/sessions.db", secret=SECRET)

    def login(self, user="user-1"):
        session = self.factory.open()
        session["user"] = user
        session.subject = user
        session.regenerate_id()
        return session, cookie(session.commit())

    def test_subjects(self):
        session, sent = self.login()
        _, other = self.login()
        self.assertEqual(self.factory.open(sent).subject, "user-1")
        mine = self.factory.subject("user-1")
        self.assertEqual(len(mine.sessions), 2)
        self.assertIn(session.id, [each.id for each in mine.sessions])
        self.assertAlmostEqual(mine.sessions[0].created, time.time(), delta=60)
        self.assertEqual(mine.revoke_all(keep=session.id), 1)
        self.assertEqual(self.factory.open(other).load_result, "missing")
        self.assertTrue(mine.revoke(session.id))
        self.assertFalse(mine.revoke(session.id))
        self.assertEqual(self.factory.open(sent).load_result, "missing")
        self.assertEqual(self.factory.subject("nobody").sessions, [])
        self.assertRaises(khufu.ArgumentError, khufu.Factory(secret=SECRET).subject, "user-1")
        self.assertRaises(TypeError, self.factory.subject, 1)

    def test_a_logout_is_final(self):
        _, sent = self.login()
        late, session = self.factory.open(sent), self.factory.open(sent)
        self.assertEqual(late["user"], "user-1")
        session.invalidate()
        session.commit()
        late["user"] = "user-2"
        self.assertRaises(khufu.GoneError, late.commit)
        self.assertEqual(self.factory.open(sent).load_result, "missing")

    def test_appended_values_and_counts_add_up(self):
        _, sent = self.login()
        one, two = self.factory.open(sent), self.factory.open(sent)
        for session, value in ((one, "a"), (two, "b")):
            session.append("seen", value)
            session.increment("count")
            session.commit()
        session = self.factory.open(sent)
        self.assertEqual((session["seen"], session["count"]), (["a", "b"], 2))
        self.assertEqual(two["seen"], ["a", "b"])

    def test_after_commit_a_session_shows_what_other_requests_saved(self):
        _, sent = self.login()
        one, two = self.factory.open(sent), self.factory.open(sent)
        self.assertEqual(two["user"], "user-1")
        one["user"] = "user-2"
        one.commit()
        two["other"] = 1
        two.commit()
        self.assertEqual(dict(two), {"user": "user-2", "other": 1})

    def test_a_store_that_fails(self):
        factory = khufu.Factory(type="store", store="redis://127.0.0.1:1/0", secret=SECRET, store_timeout=0.2)
        _, sent = self.login()
        self.assertRaises(khufu.StoreError, factory.open, sent)
        session = factory.open()
        session["a"] = 1
        self.assertRaises(khufu.StoreError, session.commit)
        self.assertRaises(khufu.StoreError, self.factory.open, sent, timeout=0)
        session = self.factory.open()
        session["a"] = 1
        self.assertRaises(khufu.StoreError, session.commit, timeout=0)
        session.commit()

    def test_a_factory_made_before_a_fork(self):
        _, sent = self.login()
        self.assertTrue(
            in_child(lambda: self.factory.open(sent)["user"] == "user-1" and self.login("child") is not None)
        )
        self.assertEqual(len(self.factory.subject("child").sessions), 1)

    def test_threads_share_a_factory(self):
        _, sent = self.login()

        def add(number):
            for _ in range(10):
                session = self.factory.open(sent)
                session.append("numbers", number)
                session.commit(timeout=60)

        in_threads(4, add)
        self.assertEqual(sorted(self.factory.open(sent)["numbers"]), sorted(list(range(4)) * 10))

    def test_threads_that_share_a_session_do_not_crash(self):
        session = self.factory.open()

        def use(number):
            for index in range(200):
                session[f"{number}.{index % 7}"] = [number] * 10
                session.get(f"{(number + 1) % 4}.{index % 7}")
                session.pop(f"{number}.{index % 5}", None)

        in_threads(4, use)
        self.assertIn("Set-Cookie", dict(session.commit()))


class Redis(unittest.TestCase):
    def test_login_and_logout_before_and_after_a_fork(self):
        with redis_server() as url:
            factory = khufu.Factory(type="store", store=url, secret=SECRET)
            session = factory.open()
            session["user"] = "zoe"
            sent = cookie(session.commit())
            self.assertTrue(in_child(lambda: factory.open(sent)["user"] == "zoe"))
            session = factory.open(sent)
            session.invalidate()
            session.commit()
            self.assertEqual(factory.open(sent).load_result, "missing")

    def test_a_call_that_waits_lets_other_threads_run_but_not_use_its_session(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            factory = khufu.Factory(type="store", store=f"redis://127.0.0.1:{port}/0", secret=SECRET, store_timeout=0.6)
            session = factory.open()
            session["a"] = 1
            failed, waited = [], {}

            def commit():
                try:
                    session.commit()
                except khufu.StoreError as error:
                    failed.append(error)

            def use(function):
                start = time.monotonic()
                function()
                waited[function] = time.monotonic() - start

            uses = [lambda: len(session), lambda: session.get("b"), session.changed]
            threads = [threading.Thread(target=commit)]
            threads[0].start()
            time.sleep(0.1)
            threads += [threading.Thread(target=use, args=(function,)) for function in uses]
            for each in threads[1:]:
                each.start()
            turns = 0
            while threads[0].is_alive():
                time.sleep(0.01)
                turns += 1
            for each in threads:
                each.join()
            self.assertEqual(len(failed), 1)
            self.assertGreater(turns, 5)
            self.assertEqual([waited[function] > 0.2 for function in uses], [True, True, True])


class Memory(unittest.TestCase):
    def test_it_starts_empty_in_a_child(self):
        factory = khufu.Factory(type="store", secret=SECRET)
        session = factory.open()
        session["a"] = 1
        sent = cookie(session.commit())
        self.assertTrue(in_child(lambda: factory.open(sent).load_result == "missing"))
        self.assertEqual(factory.open(sent)["a"], 1)
