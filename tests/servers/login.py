"""Logs in at the example servers in C and C++, with sessions in a cookie and in Redis, and takes Redis away."""

import html
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from browser import Browser, Report
from redis import Redis
from redis_server import redis_server
from servers import Servers

EXAMPLES = Path(__file__).parents[2] / 'examples'
GLUE = {  # the file that connects a server with khufu, and how many lines that may take
    'c': ('c/login_server/server.c', 20),
    'cpp': ('cpp/login_server/server.hpp', 10),
}
USER = '<b>Zoë & "co"</b>'
SHOWN = '&lt;b&gt;Zoë &amp; &quot;co&quot;&lt;/b&gt;'
UNAVAILABLE = 'The session is not available.\n'


class Visitor(Browser):
    """A browser at one server, which sends the forms of its page."""

    def __init__(self, servers, name):
        super().__init__(servers)
        self.name = name

    def token(self):
        return html.unescape(re.search('name="csrf_token" value="([^"]*)"', self.show().body)[1])

    def show(self):
        return self.get(self.name)

    def send(self, path, token=None, **fields):
        return self.post(self.name, path, csrf_token=token or self.token(), **fields)

    def articles(self):
        return re.findall('<li>(.*)', self.show().body)

    def is_logged_in(self):
        return '<h1>Hello, ' in self.show().body


def log_in(visitor, check):
    page = visitor.show()
    check('the page has a form to log in', [page.status, 'action="/login"' in page.body], [200, True])
    check('… it is private', [page.headers['Vary'], page.headers['Cache-Control']], ['Cookie', 'private'])
    check('… its cookie is HttpOnly', visitor.cookie().has_nonstandard_attr('HttpOnly'))
    check('a login without a token is refused', visitor.post(visitor.name, '/login', user='eve').status, 403)
    for token in ['0' * 40, '0' * 1000, '\xff']:
        page = visitor.send('/login', token, user='eve')
        check(f'a login with a wrong token of {len(token)} characters is refused', page.status, 403)
    names = {'no name': '', 'a long name': 'x' * 41, 'a very long name': 'x' * 5000, 'a name not in UTF-8': b'\xff'}
    for what, user in names.items():
        page = visitor.send('/login', user=user)
        check(f'a login with {what} is refused', [page.status, page.headers.get_content_type()], [400, 'text/plain'])
    check('nobody is logged in', visitor.is_logged_in(), False)
    before, token = visitor.copy(), visitor.token()
    page = visitor.send('/login', token, user=USER)
    check('the login leads back to the page', [page.status, page.url], [200, visitor.servers.url(visitor.name, '/')])
    check('… the name and the message are escaped', [page.body.count(SHOWN), '<b>' in page.body], [2, False])
    check('… the message is shown once', visitor.show().body.count(SHOWN), 1)
    check('… the token is a new one', visitor.token() != token)
    check('the cookie from before the login has nobody logged in', before.is_logged_in(), False)


def fill_cart(visitor, check):
    check('the cart is empty', visitor.articles(), [])
    for article in ['tea', 'Käse <1>', 'tea']:
        visitor.send('/cart', article=article)
    check('three articles are in the cart', visitor.articles(), ['2 × tea', '1 × Käse &lt;1&gt;'])
    check('an article without a name is refused', visitor.send('/cart', article='').status, 400)
    stranger = Visitor(visitor.servers, visitor.name)
    check('a stranger cannot add to a cart', stranger.send('/cart', article='tea').status, 403)
    check('there is no other page', visitor.get(visitor.name, '/other').status, 404)


def overfill_cart(visitor, check):
    """Returns the error pages that the server sent, which is one: when the session was full."""
    token = visitor.token()
    for number in range(100):
        before = visitor.articles()
        page = visitor.send('/cart', token, article=f'{number:040}')
        if page.status != 200:
            break
    check('a session that does not fit into a cookie is refused', [page.status, page.body], [500, UNAVAILABLE])
    check('… without a header of the page', [page.headers['Location'], page.headers['Set-Cookie']], [None, None])
    check('… nothing is lost', visitor.articles(), before)
    return [page]


def fill_at_once(visitor, check):
    token = visitor.token()
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: visitor.copy().send('/cart', token, article='tea').status, range(24)))
    check('24 requests add tea at the same time', statuses, [200] * 24)
    check('… and none is lost', visitor.articles()[0], '26 × tea')


def log_out(visitor, check):
    check('a logout without a token is refused', visitor.post(visitor.name, '/logout').status, 403)
    check('… the user stays logged in', visitor.is_logged_in())
    visitor.send('/logout')
    check('after the logout nobody is logged in', visitor.is_logged_in(), False)


def lose_the_store(visitor, url, check):
    """Makes Redis refuse to write, and then ends it. Returns the error pages that the server sent meanwhile."""
    path = url.removeprefix('redis+unix://')
    redis = Redis(unix_socket_path=path)
    visitor.send('/login', user='ada')
    token, thief = visitor.token(), visitor.copy()
    redis.config_set('min-replicas-to-write', 1)
    pages = [visitor.send('/cart', token, article='tea'), visitor.send('/logout', token)]
    check('a commit that the store refuses is a 503 without the page',
          [[page.status, page.body, page.headers['Location']] for page in pages], [[503, UNAVAILABLE, None]] * 2)
    check('… a logout clears the cookie all the same', visitor.cookie() is None)
    redis.config_set('min-replicas-to-write', 0)
    check('… the store has what it had before', [thief.articles(), thief.is_logged_in()], [[], True])
    redis.shutdown(nosave=True)
    pages += [thief.show(), visitor.show()]
    check('without the store a session cannot be opened, and a new one cannot be saved',
          [[page.status, page.body] for page in pages[2:]], [[503, UNAVAILABLE]] * 2)
    told = ''.join(f'{page.headers}{page.body}' for page in pages)
    check('no error page has the address of the store', path in told, False)
    return pages


def visit(programs, name, report, url=None):
    """Walks through one server. Then its log must have the reason of each failure, and no secret."""
    where = f'{name}, {"Redis" if url else "a cookie"}'
    secret = secrets.token_hex(64)
    environment = {'KHUFU_SECRET': secret, 'KHUFU_STORE': url or ''}

    def check(what, *found):
        report.check(f'{where}: {what}', *found)

    with tempfile.TemporaryFile('w+') as log:
        with Servers({name: [programs / name]}, environment, log) as servers:
            visitor = Visitor(servers, name)
            log_in(visitor, check)
            fill_cart(visitor, check)
            cookie = visitor.cookie().value
            if url:
                fill_at_once(visitor, check)
                thief = visitor.copy()
                log_out(visitor, check)
                check('… a stolen cookie opens nothing', thief.is_logged_in(), False)
                pages = lose_the_store(visitor, url, check)
            else:
                pages = overfill_cart(visitor, check)
                log_out(visitor, check)
        log.seek(0)
        lines = log.read().splitlines()
    check('the server ended without an error', [child.returncode for child in servers.children], [0])
    reasons = len(pages) + 1  # one for the name that is not UTF-8
    check('its log has the reasons of all failures', [line.partition(' ')[0] for line in lines], ['session:'] * reasons)
    told = '\n'.join(lines + [f'{page.headers}{page.body}' for page in pages])
    secret_texts = [secret, cookie, USER]
    check('neither its log nor an error page has a secret', [text for text in secret_texts if text in told], [])


def check_start(program, name, report):
    """A server that cannot start says why."""
    def start(*words, secret=''):
        environment = {**os.environ, 'KHUFU_SECRET': secret, 'KHUFU_STORE': ''}
        ended = subprocess.run([program, *words], env=environment, capture_output=True, text=True, timeout=20)
        return [ended.returncode, ended.stderr, ended.stdout]

    report.check(f'{name}: it needs a port', start(), [2, f'usage: {program} --port N\n', ''])
    [status, reason, _] = start('--port', '1')
    report.check(f'{name}: it needs a secret', [status, 'secret must not be empty' in reason], [1, True])
    with socket.create_server(('127.0.0.1', 0)) as other:
        port = str(other.getsockname()[1])
        wanted = [1, f'cannot listen on 127.0.0.1:{port}\n', '']
        report.check(f'{name}: it needs a free port', start('--port', port, secret='x'), wanted)


def check_glue(report):
    for name, (path, limit) in GLUE.items():
        text = (EXAMPLES / path).read_text()
        parts = re.findall(r'begin of the glue.*\n((?:.*\n)*?).*end of the glue', text)
        lines = [line for part in parts for line in part.splitlines()]
        complete = all(word in ''.join(lines) for word in ['open(', 'commit(', 'ookie', 'header'])
        report.check(f'{name}: {path} connects the server with khufu in {len(lines)} lines of at most {limit}',
                     [complete, 0 < len(lines) <= limit, max(map(len, lines)) <= 120], [True, True, True])


def main(programs):
    report = Report()
    check_glue(report)
    for name in GLUE:
        check_start(programs / name, name, report)
        visit(programs, name, report)
        with redis_server() as url:
            visit(programs, name, report, url)
    print(f'servers: {report.passed} passed, {report.failed} failed')
    return report.failed == 0


if __name__ == '__main__':
    sys.exit(not main(Path(sys.argv[1])))
