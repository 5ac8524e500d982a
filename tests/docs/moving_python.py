"""The pages of docs/moving/ for libraries of Pyramid. Sessions are opened with the library and with khufu.pyramid."""

import datetime
import inspect
import re
import time

import pyramid_session_redis
from beaker.session import Session as BeakerSession
from khufu.pyramid import SessionFactory
from originals import cookie_of, end_request, open_request
from pyramid.registry import Registry
from pyramid.session import PickleSerializer, SignedCookieSessionFactory
from pyramid_beaker import session_factory_from_settings
from redis_server import redis_server
from rotate import run

SECRET = 'the secret of the site'
URL = 'redis://localhost:6379/0'


def factories(page, count, redis):
    """The session factories that the page's next blocks configure. Redis's URL replaces the page's."""
    names = {'SECRET': SECRET, 'NEW_SECRET': 'another secret'}
    for block in [page.take('python') for _ in range(count)]:
        theirs = 'redis_url' in block.text or 'session.url' in block.text
        block.text = block.text.replace(URL, redis.removeprefix('redis+') if theirs else redis)
        yield with_registry(run(block, names))


def with_registry(factory):
    """A session factory that gives each request a registry, which pyramid_session_redis needs."""
    registry = Registry()

    def opened(request):
        request.registry = registry
        return factory(request)
    return opened


def visit(factory, cookie=None, **changes):
    """Returns a session's state without hidden keys, the Set-Cookie values of the response, and the CSRF token."""
    request = open_request(factory, time.time(), cookie)
    state = {key: value for key, value in request.session.items() if key[0] != '_'}
    token = request.session.get_csrf_token() if changes else None
    for key, value in changes.items():
        request.session[key] = value
    return state, end_request(request), token


def carry(writer, reader):
    """What the reader finds in a session of the writer, and whether its CSRF token is the writer's."""
    _, [set_cookie], token = visit(writer, user='ada')
    found, _, found_token = visit(reader, cookie_of(set_cookie), seen=1)
    return found, found_token == token


def check_both_ways(what, old, new, report):
    wanted = {'user': 'ada'}, True
    report.check(f'{what}: khufu opens a session of the library', carry(old, new), wanted)
    report.check(f'{what}: the library opens a session of khufu', carry(new, old), wanted)
    attributes = [visit(each, user='ada')[1][0].lower().split('; ')[1:] for each in (old, new)]
    report.check(f'{what}: the cookies have the same attributes', sorted(attributes[1]), sorted(attributes[0]))


def check_calls(page, old, new, report):
    """Checks that the methods in the table of calls exist: those on the left in the library, those on the right in
    khufu."""
    rows = next(table for table in page.tables() if table[0][1] == 'khufu')[1:]
    for column, factory in enumerate([old, new]):
        session = open_request(factory, time.time()).session
        names = {name for row in rows for name in re.findall(r'`session\.(\w+)', row[column])}
        missing = [name for name in names if not hasattr(session, name)]
        report.check(f'{page.name}: column {column} of the calls', missing, [])


def check_object(what, writer, reader, report):
    """Checks that a session with a Python object is unsupported, and not overwritten."""
    _, [set_cookie], _ = visit(writer, since=datetime.date(2026, 1, 1))
    request = open_request(reader, time.time(), cookie_of(set_cookie))
    found = request.session.load_result, dict(request.session)
    report.check(f'{what}: a date is unsupported', found, ('unsupported', {}))
    report.check(f'{what}: a date is not overwritten', list(visit(writer, cookie_of(set_cookie))[0]), ['since'])


def defaults_of(function):
    """The defaults of a function's parameters, as the pages write them."""
    return {each.name: shown(each.default) for each in inspect.signature(function).parameters.values()}


def shown(value):
    """A default as the pages write it."""
    return 'unset' if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def check_pyramid(page, report, working):
    with redis_server() as redis:
        old, new, pickled, moving, stored = factories(page, 5, redis)
        check_both_ways('Pyramid', old, new, report)
        check_both_ways('Pyramid 1', SignedCookieSessionFactory(
            SECRET, serializer=PickleSerializer(), timeout=3600, httponly=True), pickled, report)
        check_calls(page, old, new, report)

        _, [cookie], _ = visit(new, user='ada')
        found, [set_cookie], _ = visit(moving, cookie_of(cookie))
        report.check('Pyramid: the store opens a session in a cookie', found, {'user': 'ada'})
        report.check('Pyramid: the session is in the store', visit(stored, cookie_of(set_cookie))[0], {'user': 'ada'})
        report.check('Pyramid: a server of step 1 does not open it', visit(new, cookie_of(set_cookie))[0], {})
        request = open_request(moving, time.time(), cookie_of(set_cookie))
        request.session.invalidate()
        end_request(request)
        report.check('Pyramid: a copy of the cookie is open until accept is removed',
                     [visit(each, cookie_of(cookie))[0] for each in (moving, stored)], [{'user': 'ada'}, {}])
    return defaults_of(SignedCookieSessionFactory), {}


def check_pyramid_session_redis(page, report, working):
    with redis_server() as redis:
        old, new = factories(page, 2, redis)
        check_both_ways('pyramid_session_redis', old, new, report)
        check_object('pyramid_session_redis', old, new, report)
        check_calls(page, old, new, report)
    return defaults_of(pyramid_session_redis.RedisSessionFactory), {}


def check_beaker(page, report, working):
    with redis_server() as redis:
        old, new, moving = factories(page, 3, redis)
        check_both_ways('Beaker', old, new, report)
        check_object('Beaker', old, new, report)
        cookies = session_factory_from_settings({
            'session.type': 'cookie', 'session.validate_key': SECRET, 'session.timeout': '3600'})
        _, [cookie], _ = visit(cookies, user='ada')
        found, [set_cookie], _ = visit(moving, cookie_of(cookie))
        report.check('Beaker: a cookie opens', found, {'user': 'ada'})
        own = SessionFactory('another secret', type='store', store=redis, cookie_name='beaker.session.id')
        report.check('Beaker: its session is khufu\'s now', visit(own, cookie_of(set_cookie))[0], {'user': 'ada'})
        check_calls(page, old, new, report)
    return defaults_of(BeakerSession.__init__), {}
