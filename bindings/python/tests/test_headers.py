"""Adding a session's headers to a response's."""

import unittest

import khufu
from khufu import _headers

SESSION = [("Set-Cookie", "session=new; Path=/"), ("Vary", "Cookie"), ("Cache-Control", "private")]


class Merging(unittest.TestCase):
    def merged(self, headers, name):
        return [value for each, value in _headers.merge(headers, SESSION) if each.lower() == name]

    def test_an_empty_response(self):
        self.assertEqual(sorted(_headers.merge([], SESSION)), sorted(SESSION))

    def test_vary(self):
        for before, after in (
            (["Accept"], ["Accept, Cookie"]),
            (["*"], ["*"]),
            (["accept, COOKIE"], ["accept, COOKIE"]),
            (["Accept", "Origin"], ["Accept, Origin, Cookie"]),
            ([""], ["Cookie"]),
        ):
            self.assertEqual(self.merged([("vary", each) for each in before], "vary"), after)

    def test_cache_control(self):
        for before, after in (
            ("no-store", "no-store"),
            ("private, max-age=5", "private, max-age=5"),
            ("public", "private"),
            ("Public, S-Maxage=9, max-age=1", "max-age=1, private"),
            ('no-cache="a, public"', 'no-cache="a, public", private'),
            ("publicity", "publicity, private"),
        ):
            self.assertEqual(self.merged([("Cache-Control", before)], "cache-control"), [after])
        self.assertEqual(
            _headers.merge([("Cache-Control", "private")], [("Cache-Control", "no-store")]),
            [("Cache-Control", "private, no-store")],
        )
        self.assertEqual(
            _headers.merge([("Cache-Control", "no-store")], [("Cache-Control", "no-store")]),
            [("Cache-Control", "no-store")],
        )

    def test_cookies_of_this_session_are_replaced_and_others_stay(self):
        headers = [
            ("Set-Cookie", "session=old; Path=/"),
            ("set-cookie", "session=x; Path=/other"),
            ("Set-Cookie", "other=1; Path=/"),
        ]
        merged = _headers.merge(headers, SESSION, ["session=old; Path=/"])
        self.assertEqual(
            [value for name, value in merged if name.lower() == "set-cookie"],
            ["session=x; Path=/other", "other=1; Path=/", "session=new; Path=/"],
        )
        self.assertEqual(len(_headers.merge(headers, SESSION)), 6)

    def test_a_session_replaces_its_earlier_cookie(self):
        session = khufu.Factory(secret="x").open()
        session["a"] = 1
        session.commit()
        headers = session.add_headers_to([("Content-Type", "text/plain")])
        self.assertEqual([name for name, _ in headers], ["Content-Type", "Vary", "Cache-Control", "Set-Cookie"])
        session["a"] = 2
        session.commit()
        again = session.add_headers_to(headers)
        self.assertEqual([name for name, _ in again], [name for name, _ in headers])
        self.assertNotEqual(again[-1], headers[-1])
        self.assertEqual(session.add_headers_to(again), again)
