"""The settings of an application in an INI file."""

import tempfile
import unittest
from pathlib import Path

from pyramid.exceptions import ConfigurationError
from pyramid.paster import get_app
from pyramid.testing import DummyRequest

import khufu.pyramid

import views
from browser import browse
from helpers import SECRET


def main(global_config, **settings):
    """Makes the application that PasteDeploy serves."""
    return views.application(settings={**global_config, **settings})


def served(lines):
    """Returns the application that PasteDeploy makes of an INI file with these lines."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "production.ini"
        file.write_text(f"[app:main]\nuse = call:{__name__}:main\n{lines}")
        return get_app(str(file))


class Settings(unittest.TestCase):
    def test_the_ini_files_settings(self):
        settings = {
            "khufu.secret": SECRET,
            "khufu.httponly": "true",
            "khufu.timeout": "60",
            "other.secret": "x",
            "khufu.domain": "",
        }
        browser = browse(settings=settings)
        self.assertIn("HttpOnly", browser.get("/count").headers["Set-Cookie"])

    def test_previous_secrets_and_accepted_formats(self):
        for old, more in (
            (khufu.pyramid.SessionFactory("older"), {"khufu.previous_secret": "\nold\nolder\n"}),
            (
                khufu.pyramid.SessionFactory("x", salt="other."),
                {"khufu.accept.old.secret": "x", "khufu.accept.old.salt": "other."},
            ),
        ):
            browser = browse(old)
            browser.get("/count")
            new = browse(settings={"khufu.secret": SECRET, **more})
            new.cookies = browser.cookies
            self.assertEqual(new.get("/count").text, "2")

    def test_a_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
            file.write(f"[app:main]\nkhufu.secret = {SECRET}\n")
            file.flush()
            factory = khufu.pyramid.SessionFactory.from_ini(file.name, "app:main", "khufu.")
        self.assertEqual(browse(factory).get("/count").text, "1")
        self.assertEqual(dict(factory(DummyRequest())), {})

    def test_a_wrong_line_names_the_file_the_option_and_what_is_allowed(self):
        for line, words in (
            ("khufu.timeout = soon", "timeout.*whole seconds"),
            ("khufu.samesite = Sometimes", "samesite.*Lax"),
            ("khufu.secreet = x", "no option.*secreet"),
            ("khufu.accept.old.hashalg = md5", r"accept\.old\.hashalg.*sha512"),
            ("khufu.max_age = 1.5", "max_age.*whole seconds"),
        ):
            with self.assertRaisesRegex(ConfigurationError, f"/production.ini, settings khufu.*{words}") as caught:
                served(f"khufu.secret = {SECRET}\n{line}\n")
            self.assertNotIn(SECRET, str(caught.exception))

    def test_wrong_settings_name_the_file_the_option_and_what_is_allowed(self):
        for settings, words in (
            (
                {"khufu.secret": SECRET, "khufu.timeout": "soon", "__file__": "/etc/app.ini"},
                "/etc/app.ini.*khufu.*timeout.*whole seconds",
            ),
            ({"khufu.secret": SECRET, "khufu.samesite": "x"}, "settings.*samesite.*Lax"),
            ({}, "secret"),
            ({"khufu.secreet": "x"}, "secreet"),
        ):
            with self.assertRaisesRegex(ConfigurationError, words) as caught:
                browse(settings=settings)
            self.assertNotIn(SECRET, str(caught.exception))
