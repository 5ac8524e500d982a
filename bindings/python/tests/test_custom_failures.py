"""The effects of exceptions and wrong results of a custom store."""

import time
from pathlib import Path

import khufu
import khufu.pyramid
from custom_store import CustomStore, ScriptedStore, fail
from helpers import SECRET, cookie
from pyramid.request import Request
from pyramid.response import Response


class Failures(CustomStore):
    def logout(self, headers):
        """The Set-Cookie headers, which must clear the session's cookie."""
        cookies = [value for name, value in headers if name == "Set-Cookie"]
        self.assertEqual([cookie.startswith("session=;") and "Max-Age=0" in cookie for cookie in cookies], [True])

    def test_a_logout_in_transact_reaches_the_browser_although_the_store_fails(self):
        header = self.begin(user="zoe")
        self.store.before["remove"] = fail
        with self.fails_with(OSError) as caught:
            self.factory().transact(header, lambda session: session.invalidate(), [("X", "y")])
        self.assertIn(("X", "y"), caught.exception.headers)
        self.logout(caught.exception.headers)

    def test_a_logout_whose_failure_a_view_catches_reaches_the_browser(self):
        header = self.begin(user="zoe")
        self.store.before["remove"] = fail
        request = Request.blank("/", headers={"Cookie": header})
        session = khufu.pyramid.SessionFactory(SECRET, store=self.store)(request)
        session.invalidate()
        with self.fails_with(OSError):  # a view that does not commit lets the response callback raise
            request._process_response_callbacks(Response())
        request.add_response_callback(session.respond)
        self.assertRaises(khufu.StoreError, session.commit)
        response = Response()
        request._process_response_callbacks(response)
        self.logout(response.headerlist)

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
        for name, attempt in (
            ("list", session.commit),
            ("load", user.revoke_all),
            ("remove", user.revoke_all),
            ("members", user.revoke_all),
            ("members", lambda: factory.subject("user-42")),
        ):
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
