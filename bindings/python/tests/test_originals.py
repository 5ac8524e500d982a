"""Pyramid's own tests of its sessions, and the examples of its manual, with khufu's session factory.

Pyramid's tests use private attributes of its sessions. Here they are made of what khufu's session has.
"""

import doctest
import functools
import os
import sys
import unittest
import unittest.mock
import warnings
from pathlib import Path

import khufu.pyramid

SOURCE = Path(os.environ["PYRAMID_SOURCE"])

#: The differences. Each names the tests, which must fail: a test that passes is no longer a difference.
DIFFERENCES = {
    "khufu seals every cookie; these make one without a signature": [
        "TestBaseCookieSession.test_ctor_with_cookie_still_valid",
        "TestBaseCookieSession.test_reissue_never",
        "TestBaseCookieSession.test_reissue_not_triggered",
        "TestBaseCookieSession.test_reissue_str_triggered",
        "TestBaseCookieSession.test_reissue_triggered",
        "TestBaseCookieSession.test_timeout_never",
    ],
    "set_on_exception is an option of the factory; these change it on the session": [
        "TestBaseCookieSession.test__set_cookie_on_exception",
        "TestSignedCookieSession.test__set_cookie_on_exception",
    ],
}
#: These test Pyramid's own decorators and its pickle serializer: they use no session factory.
NOT_OF_A_FACTORY = ("Test_manage_accessed", "Test_manage_changed", "TestPickleSerializer")


class PrivateSession(khufu.pyramid.Session):
    """A session with the private attributes of Pyramid's."""

    @property
    def _dirty(self):
        return self.is_changed

    def _set_cookie(self, response):
        self.changed()
        self.respond(None, response)
        return True


def base_factory(serializer, **options):
    return khufu.pyramid.SessionFactory("secret", serializer=serializer, **options)


def load_tests(loader, _tests, _pattern):
    with unittest.mock.patch.object(sys, "path", [str(SOURCE), *sys.path]):
        import tests.test_session as originals
    expected = {name: reason for reason, names in DIFFERENCES.items() for name in names}
    suite = unittest.TestSuite()
    for case in (originals.TestBaseCookieSession, originals.TestSignedCookieSession):
        for name in loader.getTestCaseNames(case):
            suite.addTest(original(case, name, expected.pop(f"{case.__name__}.{name}", None)))
    suite.addTests(loader.loadTestsFromTestCase(Complete))
    suite.addTest(examples_of_the_manual())
    assert not expected, f"there are no such tests: {sorted(expected)}"
    return suite


def original(case, name, difference):
    """Returns one of Pyramid's tests. One with a documented difference must fail."""

    class Original(case):
        def setUp(self):
            for patch in (
                unittest.mock.patch("pyramid.session.SignedCookieSessionFactory", khufu.pyramid.SessionFactory),
                unittest.mock.patch("pyramid.session.BaseCookieSessionFactory", base_factory),
                unittest.mock.patch("khufu.pyramid.Session", PrivateSession),
            ):
                patch.start()
                self.addCleanup(patch.stop)

    Original.__qualname__ = Original.__name__ = case.__name__
    if difference:
        test = getattr(case, name)
        setattr(Original, name, unittest.expectedFailure(functools.wraps(test)(lambda self: test(self))))
    return Original(name)


class Complete(unittest.TestCase):
    def test_every_class_of_tests_is_run_or_named(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            originals = sys.modules["tests.test_session"]
        classes = {
            name
            for name, each in vars(originals).items()
            if isinstance(each, type) and issubclass(each, unittest.TestCase)
        }
        self.assertEqual(classes, {"TestBaseCookieSession", "TestSignedCookieSession", *NOT_OF_A_FACTORY})

    def test_the_readme_names_every_difference(self):
        readme = (Path(__file__).parents[1] / "README.md").read_text()
        for names in DIFFERENCES.values():
            for name in names:
                self.assertIn(name.partition(".")[2], readme)


def examples_of_the_manual():
    """Returns the examples of Pyramid's chapter about sessions, with khufu's session."""
    from pyramid.testing import DummyRequest

    request = DummyRequest()
    request.session = khufu.pyramid.SessionFactory("itsaseekreet")(request)
    page = SOURCE / "docs/narr/sessions.rst"
    test = doctest.DocTestParser().get_doctest(page.read_text(), {"request": request}, "sessions.rst", str(page), 0)
    assert len(test.examples) >= 10, "the manual's examples are not there"
    return doctest.DocTestCase(test)
