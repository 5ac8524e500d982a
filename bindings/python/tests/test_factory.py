"""Options, INI files and secrets."""

import re
import tempfile
import typing
import unittest
from datetime import timedelta
from pathlib import Path

import khufu
from khufu import _options

from helpers import NOW, SECRET, cookie

ROOT = Path(__file__).parents[3]


def set_cookie(**options):
    session = khufu.Factory(secret=SECRET, **options).open(now=NOW)
    session["a"] = 1
    return dict(session.commit())["Set-Cookie"]


class Keywords(unittest.TestCase):
    def test_values(self):
        self.assertIn("HttpOnly", set_cookie(httponly=True))
        self.assertNotIn("HttpOnly", set_cookie(httponly=False))
        for day in (86400, "86400", 86400.0, timedelta(days=1)):
            self.assertIn("Max-Age=86400;", set_cookie(max_age=day))
        self.assertNotIn("SameSite", set_cookie(samesite=None))
        self.assertTrue(set_cookie(cookie_name="other").startswith("other="))

    def test_wrong_values_name_the_option_and_what_is_allowed(self):
        for options, words in (
            ({"timeout": "soon"}, "timeout.*whole seconds"),
            ({"timeout": 1.5}, "timeout.*whole seconds"),
            ({"samesite": "Sometimes"}, "samesite.*Lax"),
            ({"httponly": "maybe"}, "httponly.*true or false"),
            ({"secreet": "x"}, 'no option "secreet"'),
            ({"domain": object()}, "domain.*expected text"),
            ({"path": b"/"}, "path.*text"),
            ({"timeout": {}}, "timeout"),
            ({"salt": b"\xff"}, "salt"),
            ({"accept": {"old": {"hashalg": "md5"}}}, r"accept.old.hashalg.*sha512"),
        ):
            with self.assertRaisesRegex(khufu.OptionError, words) as caught:
                khufu.Factory(secret=SECRET, **options)
            self.assertNotIn(SECRET, str(caught.exception))
            self.assertIsInstance(caught.exception, ValueError)
        with self.assertRaisesRegex(khufu.OptionError, "secret"):
            khufu.Factory()
        self.assertRaises(ValueError, khufu.Factory, secret="a\ud800")

    def test_previous_secrets(self):
        session = khufu.Factory(secret="oldest").open(now=NOW)
        session["a"] = 1
        sent = cookie(session.commit())
        for before in ("oldest", b"oldest", ["older", "oldest"], ["older", b"oldest"], ("oldest",)):
            self.assertEqual(khufu.Factory(secret="new", previous_secret=before).open(sent, now=NOW)["a"], 1)
        self.assertEqual(
            khufu.Factory(secret="new", previous_secret=None).open(sent, now=NOW).load_result, "bad_signature"
        )

    def test_bytes(self):
        raw = bytes(range(256))
        session = khufu.Factory(secret=raw, salt=b"salt").open(now=NOW)
        session["a"] = 1
        sent = cookie(session.commit())
        self.assertEqual(khufu.Factory(secret_hex=raw.hex(), salt="salt").open(sent, now=NOW)["a"], 1)

    def test_encryption(self):
        secret = khufu.generate_encryption_secret()
        session = khufu.Factory(type="encrypted_cookie", secret=secret).open(now=NOW)
        session["a"] = 1
        sent = cookie(session.commit())
        self.assertEqual(
            khufu.Factory(type="encrypted_cookie", secret=bytes.fromhex(secret)).open(sent, now=NOW)["a"], 1
        )
        self.assertRaises(khufu.OptionError, khufu.Factory, type="encrypted_cookie", secret="short")

    def test_accept(self):
        old = khufu.Factory(secret="old", serializer="pickle").open(now=NOW)
        old["a"] = 1
        factory = khufu.Factory(secret=SECRET, accept={"pyramid1": {"secret": "old", "serializer": "pickle"}})
        session = factory.open(cookie(old.commit()), now=NOW)
        self.assertEqual(
            (session["a"], session.load_result, session.load_format), (1, "loaded_other_format", "pyramid1")
        )

    def test_a_custom_serializer(self):
        import ast

        class Literals:
            def loads(self, payload):
                return ast.literal_eval(payload.decode())

            def dumps(self, value):
                if "wrong" in value[2]:
                    raise ValueError("not this one")
                return repr(value).encode()

        factory = khufu.Factory(secret=SECRET, serializer=Literals())
        session = factory.open(now=NOW)
        session["a"] = [1, None]
        sent = cookie(session.commit())
        del session
        self.assertEqual(factory.open(sent, now=NOW)["a"], [1, None])
        self.assertEqual(khufu.Factory(secret=SECRET).open(sent, now=NOW).load_result, "malformed")
        session = factory.open()
        session["wrong"] = 1
        with self.assertRaises(khufu.UnsupportedError) as caught:
            session.commit()
        self.assertEqual(str(caught.exception.__cause__), "not this one")

    def test_the_types_name_every_option(self):
        rows = re.findall(r"^\| `(\w+)` (◆?)", (ROOT / "docs/options.md").read_text(), re.MULTILINE)
        self.assertEqual(set(typing.get_type_hints(_options.Options)), {name for name, _ in rows})
        self.assertEqual(set(typing.get_type_hints(_options.FormatOptions)), {name for name, shared in rows if shared})

    def test_secrets(self):
        self.assertRegex(khufu.generate_secret(), "^[0-9a-f]{128}$")
        self.assertRegex(khufu.generate_encryption_secret(), "^[0-9a-f]{64}$")
        self.assertNotEqual(khufu.generate_secret(), khufu.generate_secret())
        self.assertEqual(
            khufu.__version__, re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
        )


class IniFiles(unittest.TestCase):
    def factory(self, text, *arguments, **options):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "production.ini"
            file.write_text(text)
            return khufu.Factory.from_ini(file, *arguments, **options)

    def test_a_section_and_a_prefix(self):
        old = khufu.Factory(secret="older").open(now=NOW)
        old["a"] = 1
        sent = cookie(old.commit())
        text = "[app:main]\nuse = egg:x\nkhufu.secret = new\nkhufu.previous_secret =\n    old\n    older\n"
        self.assertEqual(self.factory(text, "app:main", "khufu.").open(sent, now=NOW)["a"], 1)

    def test_options_replace_those_of_the_file(self):
        session = self.factory("secret = x\nhttponly = false\n", httponly=True).open()
        session["a"] = 1
        self.assertIn("HttpOnly", dict(session.commit())["Set-Cookie"])

    def test_errors_name_the_file_the_line_and_what_is_allowed(self):
        for text, words in (
            ("[a]\nsecret = x\ntimeout = soon\n", r"production.ini: .*3.*timeout.*whole seconds"),
            ("[b]\nsecret = x\n", "production.ini: .*a"),
            ("[a]\nsecret = x\nnonsense\n", r"production.ini: .*3"),
            ("[a]\ntimeout = 1\n", "production.ini: .*secret"),
        ):
            with self.assertRaisesRegex(khufu.OptionError, words):
                self.factory(text, "a")
        self.assertRaises(OSError, khufu.Factory.from_ini, "/nonexistent.ini")
