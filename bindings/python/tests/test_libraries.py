"""khufu.pyramid and the libraries that it stands in for, with one browser: each reads and writes the other's sessions."""

import unittest
import warnings
from urllib.parse import urlsplit

from pyramid.response import Response

import khufu.pyramid
from redis_server import redis_server

from test_pyramid import application, count, log_out, read
from test_session import SECRET


def flash(request):
    request.session.flash("hello")
    return Response("flashed")


def pop(request):
    return Response(",".join(request.session.pop_flash()))


VIEWS = {"count": count, "read": read, "flash": flash, "pop": pop, "log_out": log_out}


class Exchange(unittest.TestCase):
    def exchange(self, theirs, options):
        original = application(theirs, **VIEWS)
        khufus = application(khufu.pyramid.SessionFactory(**{"secret": SECRET, **options}), **VIEWS)
        khufus.cookies = original.cookies  # one browser
        for first, second in ((original, khufus), (khufus, original)):
            self.assertEqual([first.get("/count").text, second.get("/count").text, first.get("/count").text], ["1", "2", "3"])
            first.get("/flash")
            self.assertEqual([second.get("/pop").text, first.get("/pop").text], ["hello", ""])
            stolen = dict(first.cookies)
            first.get("/log_out")
            first.cookies.clear()
            yield stolen, second
            first.cookies.clear()

    def logouts_are_final(self, theirs, options):
        """Returns whether a copy of the cookie opens nothing after a logout by the library, and after one by khufu."""
        for stolen, browser in self.exchange(theirs, options):
            browser.cookies.update(stolen)
            yield "count" not in browser.get("/read").text

    def test_pyramid_session_redis(self):
        from pyramid_session_redis import RedisSessionFactory

        with redis_server() as url:
            theirs = RedisSessionFactory(SECRET, redis_unix_socket_path=urlsplit(url).path)
            options = {"type": "store", "store": url, "library": "pyramid_session_redis"}
            self.assertEqual(list(self.logouts_are_final(theirs, options)), [True, True])

    def test_beaker_in_redis(self):
        from pyramid_beaker import BeakerSessionFactoryConfig

        with redis_server() as url, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = BeakerSessionFactoryConfig(
                type="ext:redis", url=url.replace("redis+unix", "unix"), secret=SECRET, timeout=1200, data_serializer="json")
            options = {"type": "store", "store": url, "library": "beaker", "serializer": "json", "cookie_name": "beaker.session.id"}
            self.assertEqual(list(self.logouts_are_final(theirs, options)), [False, True])  # Beaker keeps the record

    def test_cookies(self):
        from pyramid.session import SignedCookieSessionFactory
        from pyramid_nacl_session import EncryptedCookieSessionFactory

        key = bytes(range(32))
        for theirs, options in (
            (SignedCookieSessionFactory(SECRET), {}),
            (EncryptedCookieSessionFactory(key), {"secret": key, "type": "encrypted_cookie", "serializer": "pickle"}),
        ):
            self.assertEqual(len(list(self.exchange(theirs, options))), 2)
