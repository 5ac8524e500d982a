"""khufu.pyramid in an application that is called as a server calls it."""

import unittest

from pyramid.csrf import check_csrf_token, get_csrf_token, new_csrf_token
from pyramid.csrf import SessionCSRFStoragePolicy
from pyramid.httpexceptions import HTTPFound
from pyramid.interfaces import ISession, ISessionFactory
from pyramid.request import Request
from pyramid.response import Response
from pyramid.session import SignedCookieSessionFactory
from pyramid.testing import DummyRequest
from zope.interface.verify import verifyObject

import khufu
import khufu.pyramid

from browser import browse
from helpers import SECRET


def fail(request):
    request.session["count"] = 99
    raise ValueError("a view that fails")


def redirect(request):
    request.session["count"] = 98
    raise HTTPFound("/read")


def quiet(request):
    return Response("no session")


class Interfaces(unittest.TestCase):
    def test_they_are_provided(self):
        factory = khufu.pyramid.SessionFactory(SECRET)
        self.assertTrue(verifyObject(ISessionFactory, factory))
        self.assertTrue(verifyObject(ISession, factory(DummyRequest())))
        self.assertTrue(verifyObject(ISession, factory(Request.blank("/"))))


class Responses(unittest.TestCase):
    def setUp(self):
        self.browser = browse(khufu.pyramid.SessionFactory(SECRET), quiet=quiet)

    def test_a_request_that_writes(self):
        self.assertEqual([self.browser.get("/count").text for _ in range(3)], ["1", "2", "3"])

    def test_headers_are_merged(self):
        self.browser.get("/count")
        response = self.browser.get("/read")
        self.assertEqual(response.headers["Vary"], "Accept, Cookie")
        self.assertEqual(response.headers["Cache-Control"], "max-age=60, private")

    def test_a_view_without_a_session_gets_no_header(self):
        response = self.browser.get("/quiet")
        self.assertFalse({"Vary", "Cache-Control", "Set-Cookie"} & set(response.headers))

    def test_a_logout(self):
        self.browser.get("/count")
        response = self.browser.get("/log_out")
        self.assertIn("no-store", response.headers["Cache-Control"])
        self.assertEqual(self.browser.cookies, {})

    def test_bad_cookies(self):
        for header in (
            "session=nonsense",
            "session=" + "A" * 200,
            "session",
            "session=\xff\xfe",
            ";;=;",
            "\0",
            '"',
            "session=\u20ac",
        ):
            response = self.browser.get("/read", HTTP_COOKIE=header)
            self.assertEqual((response.status_code, response.text), (200, "{}"))

    def test_cookies_are_pyramids(self):
        pyramids = browse(SignedCookieSessionFactory(SECRET))
        for _ in range(2):
            self.browser.get("/count")
            pyramids.cookies = self.browser.cookies
            pyramids.get("/count")
            self.browser.cookies = pyramids.cookies
        self.assertEqual(self.browser.get("/count").text, "5")

    def test_a_view_that_commits_itself(self):
        def view(request):
            request.session["a"] = 1
            request.session.commit()
            return Response("saved")

        response = browse(khufu.pyramid.SessionFactory(SECRET), view=view).get("/view")
        self.assertEqual(len(response.headers.getall("Set-Cookie")), 1)

    def test_a_session_too_large_for_a_cookie(self):
        def view(request):
            request.session["a"] = "x" * 5000
            return Response("never")

        with self.assertRaises(khufu.TooLargeError):
            browse(khufu.pyramid.SessionFactory(SECRET), view=view).get("/view")

    def test_a_wrong_value_inside_a_list_names_its_key(self):
        def view(request):
            request.session["cart"] = []
            request.session["cart"].append({1})
            return Response("never")

        with self.assertRaisesRegex(TypeError, "key 'cart'"):
            browse(khufu.pyramid.SessionFactory(SECRET), view=view).get("/view")

    def test_unit_tests_with_a_dummy_request(self):
        request = DummyRequest()
        session = khufu.pyramid.SessionFactory(SECRET)(request)
        session["a"] = 1
        session.commit()
        request = DummyRequest(cookies={"session": session.value})
        self.assertEqual(khufu.pyramid.SessionFactory(SECRET)(request)["a"], 1)
        request = DummyRequest(cookies={"other": session.value})
        self.assertEqual(khufu.pyramid.SessionFactory(SECRET, cookie_name="other")(request)["a"], 1)


class Exceptions(unittest.TestCase):
    def browser(self, **options):
        def set_up(config):
            config.add_view(lambda error, request: Response("sorry", status=500), context=ValueError)

        factory = khufu.pyramid.SessionFactory(SECRET, **options)
        return browse(factory, set_up=set_up, fail=fail, redirect=redirect)

    def test_the_session_is_saved(self):
        browser = self.browser()
        self.assertEqual(browser.get("/fail").status_code, 500)
        self.assertEqual(browser.get("/count").text, "100")
        self.assertEqual(browser.get("/redirect").status_code, 302)
        self.assertEqual(browser.get("/count").text, "99")

    def test_it_is_not_saved_without_set_on_exception(self):
        browser = self.browser(set_on_exception=False)
        browser.get("/count")
        for path in ("/fail", "/redirect"):
            self.assertNotIn("Set-Cookie", browser.get(path).headers)
        self.assertEqual(browser.get("/count").text, "2")


class Retries(unittest.TestCase):
    """A request during which another request changes the session, with and without pyramid_retry."""

    def browser(self, library, other_request):
        factory = khufu.pyramid.SessionFactory(SECRET, type="store")
        self.views = 0

        def append(request):
            self.views += 1
            if "list" not in request.session:
                request.session.append("list", "A-1")
                with factory(request.copy()) as other:
                    other_request(other)
                    other.commit()
            return Response(str(request.session["list"]))

        def set_up(config):
            if library:
                config.include(library)

        browser = browse(factory, set_up=set_up, append=append)
        browser.get("/count")
        return browser

    def set_a_text(self, session):
        session["list"] = "no list"

    def test_pyramid_retry_handles_the_request_again(self):
        self.assertEqual(self.browser("pyramid_retry", self.set_a_text).get("/append").text, "no list")
        self.assertEqual(self.views, 2)

    def test_the_request_fails_without_it(self):
        self.assertRaises(khufu.ConflictError, self.browser(None, self.set_a_text).get, "/append")
        self.assertEqual(self.views, 1)

    def test_the_request_fails_if_the_other_one_ended_the_session(self):
        browser = self.browser("pyramid_retry", khufu.Session.invalidate)
        self.assertRaises(khufu.GoneError, browser.get, "/append")
        self.assertEqual(self.views, 1)


class Csrf(unittest.TestCase):
    def check(self, policy):
        def token(request):
            return Response(get_csrf_token(request))

        def renew(request):
            return Response(new_csrf_token(request))

        def verify(request):
            check_csrf_token(request)
            return Response("good")

        def set_up(config):
            if policy:
                config.set_csrf_storage_policy(policy)

        browser = browse(khufu.pyramid.SessionFactory(SECRET), set_up=set_up, token=token, renew=renew, verify=verify)
        first = browser.get("/token").text
        self.assertEqual(browser.get("/token").text, first)
        self.assertEqual(browser.get("/verify", HTTP_X_CSRF_TOKEN=first).text, "good")
        self.assertNotEqual(browser.get("/renew").text, first)
        self.assertEqual(browser.get("/verify", HTTP_X_CSRF_TOKEN=first).status_code, 400)

    def test_pyramids_policies(self):
        self.check(None)
        self.check(SessionCSRFStoragePolicy())
        self.check(SessionCSRFStoragePolicy(key="other"))


class OtherLibraries(unittest.TestCase):
    def test_encrypted_cookies(self):
        browser = browse(khufu.pyramid.SessionFactory(bytes(range(32)), type="encrypted_cookie", serializer="pickle"))
        self.assertEqual([browser.get("/count").text, browser.get("/count").text], ["1", "2"])

    def test_a_store_with_a_login(self):
        def log_in(request):
            request.session["user"] = "zoe"
            request.session.subject = "user-1"
            request.session.regenerate_id()
            return Response("hello")

        def everywhere(request):
            factory = request.registry.getUtility(ISessionFactory)
            return Response(str(factory.subject("user-1").revoke_all()))

        browser = browse(khufu.pyramid.SessionFactory(SECRET, type="store"), log_in=log_in, everywhere=everywhere)
        browser.get("/count")
        before = dict(browser.cookies)
        browser.get("/log_in")
        self.assertNotEqual(browser.cookies, before)
        after = dict(browser.cookies)
        browser.get("/log_out")
        browser.cookies = after
        self.assertEqual(browser.get("/read").text, "{}")
        for _ in range(3):
            browser.cookies = {}
            browser.get("/log_in")
        self.assertEqual(browser.get("/everywhere").text, "3")
        self.assertEqual(browser.get("/read").text, "{}")


if __name__ == "__main__":
    unittest.main()
