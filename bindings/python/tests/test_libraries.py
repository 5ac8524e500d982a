"""khufu.pyramid and the libraries that it replaces read and write each other's sessions, with one browser."""

import contextlib
import re
import subprocess
import sys
import unittest
import warnings
from pathlib import Path
from urllib.parse import urlsplit

import khufu.pyramid
from redis_server import redis_server
from webob.client import SendRequest

from browser import Browser, browse
from helpers import SECRET

TESTS = Path(__file__).parent
README = TESTS.parent / "README.md"
#: Pyramid 1 and pyramid_redis_sessions, which scripts/dependencies installs.
PYRAMID1 = TESTS.parents[2] / ".venv-pyramid1/bin/python"


@contextlib.contextmanager
def pyramid_redis_sessions(socket):
    """Yields a browser of an application in a process of its own."""
    command = [PYRAMID1, TESTS / "pyramid1_server.py", SECRET, socket]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            yield Browser(SendRequest(), f"http://127.0.0.1:{int(server.stdout.readline())}")
        finally:
            server.terminate()


class Readme(unittest.TestCase):
    """README.md names what the sessions of each library have and khufu's do not have."""

    def check_names(self, library, module, *classes, python=sys.executable):
        (listed,) = re.findall(rf"^- {library}.*: (`(?:.*\n  ?)*.*)", README.read_text(), re.MULTILINE)
        listed = re.findall(r"`([\w.]+)(…?)", listed)
        program = f"import {module} as m; print(" + ", ".join(f"*dir(m.{each})" for each in classes) + ")"
        printed = subprocess.run([python, "-c", program], check=True, capture_output=True, text=True).stdout
        missing = {name for name in printed.split() if name[0] != "_" and not hasattr(khufu.pyramid.Session, name)}
        self.assertGreater(len(missing), 5)
        for name in missing:
            self.assertTrue(any(name.startswith(word) if more else name == word for word, more in listed), name)

    def test_pyramid_session_redis(self):
        self.check_names("pyramid_session_redis", "pyramid_session_redis.session", "RedisSession")

    def test_pyramid_redis_sessions(self):
        self.check_names("pyramid_redis_sessions", "pyramid_redis_sessions.session", "RedisSession", python=PYRAMID1)

    def test_beaker(self):
        self.check_names("Beaker", "beaker.session", "SessionObject", "Session", "CookieSession")


class Exchange(unittest.TestCase):
    def exchange(self, original, options):
        khufus = browse(khufu.pyramid.SessionFactory(**{"secret": SECRET, **options}))
        khufus.cookies = original.cookies  # one browser
        for first, second in ((original, khufus), (khufus, original)):
            self.assertEqual(
                [first.get("/count").text, second.get("/count").text, first.get("/count").text], ["1", "2", "3"]
            )
            first.get("/flash")
            self.assertEqual([second.get("/pop").text, first.get("/pop").text], ["hello", ""])
            stolen = dict(first.cookies)
            first.get("/log_out")
            first.cookies.clear()
            yield stolen, second
            first.cookies.clear()

    def logouts_are_final(self, original, options):
        """Tells if a copy of the cookie opens nothing after a logout by the library, and after one by khufu."""
        for stolen, browser in self.exchange(original, options):
            browser.cookies.update(stolen)
            yield "count" not in browser.get("/read").text

    def test_pyramid_session_redis(self):
        from pyramid_session_redis import RedisSessionFactory

        with redis_server() as url:
            original = browse(RedisSessionFactory(SECRET, redis_unix_socket_path=urlsplit(url).path))
            options = {"type": "store", "store": url, "library": "pyramid_session_redis"}
            self.assertEqual(list(self.logouts_are_final(original, options)), [True, True])

    def test_pyramid_redis_sessions(self):
        with redis_server() as url, pyramid_redis_sessions(urlsplit(url).path) as original:
            options = {"type": "store", "store": url, "library": "pyramid_redis_sessions"}
            self.assertEqual(list(self.logouts_are_final(original, options)), [True, True])

    def test_beaker_in_redis(self):
        from pyramid_beaker import BeakerSessionFactoryConfig

        with redis_server() as url, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = BeakerSessionFactoryConfig(
                type="ext:redis",
                url=url.replace("redis+unix", "unix"),
                secret=SECRET,
                timeout=1200,
                data_serializer="json",
            )
            options = {
                "type": "store",
                "store": url,
                "library": "beaker",
                "serializer": "json",
                "cookie_name": "beaker.session.id",
            }
            self.assertEqual(
                list(self.logouts_are_final(browse(theirs), options)), [False, True]
            )  # Beaker keeps the record

    def test_cookies(self):
        from pyramid.session import SignedCookieSessionFactory
        from pyramid_nacl_session import EncryptedCookieSessionFactory

        key = bytes(range(32))
        for theirs, options in (
            (SignedCookieSessionFactory(SECRET), {}),
            (EncryptedCookieSessionFactory(key), {"secret": key, "type": "encrypted_cookie", "serializer": "pickle"}),
        ):
            self.assertEqual(len(list(self.exchange(browse(theirs), options))), 2)
