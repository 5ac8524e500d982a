"""The examples for Pyramid in README.md. test_package runs the others."""

import re
import textwrap
import unittest
from pathlib import Path
from types import SimpleNamespace

import khufu.pyramid
import pyramid.interfaces
from browser import Browser, browse
from pyramid.config import Configurator
from pyramid.response import Response
from pyramid.testing import DummyRequest

import test_settings
from helpers import SECRET

README = (Path(__file__).parents[1] / "README.md").read_text()


def block(first_line):
    """Returns the indented block that begins with this line."""
    begin = README.index(f"\n    {first_line}\n") + 1
    return textwrap.dedent(re.match(r"( {4}.*\n|\n(?= {4}))+", README[begin:])[0])


class Readme(unittest.TestCase):
    def test_the_line_that_changes(self):
        config = Configurator()
        exec(block("import khufu.pyramid"), {"config": config})
        config.commit()
        factory = config.registry.getUtility(pyramid.interfaces.ISessionFactory)
        self.assertIsInstance(factory(DummyRequest()), khufu.pyramid.Session)

    def test_the_settings(self):
        application = test_settings.served(block("[app:main]").partition("\n")[2])
        self.assertIn("HttpOnly", Browser(application).get("/count").headers["Set-Cookie"])
        before = browse(khufu.pyramid.SessionFactory("one that is older still"))
        before.get("/count")
        browser = Browser(application)
        browser.cookies = before.cookies
        self.assertEqual(browser.get("/count").text, "2")

    def test_the_views(self):
        names = {"pyramid": pyramid}
        exec(block("def log_in(request, user):"), names)
        user = SimpleNamespace(id=42)

        def log_in(request):
            names["log_in"](request, user)
            return Response("hello")

        def log_out(request):
            names["log_out"](request)
            return Response("bye")

        def log_out_everywhere(request):
            names["log_out_everywhere"](request, user)
            return Response("bye")

        factory = khufu.pyramid.SessionFactory(SECRET, type="store")
        browser = browse(factory, log_in=log_in, log_out=log_out, log_out_everywhere=log_out_everywhere)
        for ending in ("/log_out", "/log_out_everywhere"):
            browser.get("/log_in")
            stolen = dict(browser.cookies)
            self.assertEqual(browser.get("/read").text, "{'user': 42}")
            browser.get(ending)
            browser.cookies = stolen
            self.assertEqual(browser.get("/read").text, "{}")
