"""Visits the shop of examples/axum with a browser's cookie jar, and checks what it answers.

The sessions are in a cookie, then in each store. The last part stops the store.
"""

import contextlib
import os
import re
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / 'interop'))

from browser import Browser, Report
from redis_server import redis_server
from servers import free_ports, wait_for_line

NAME = 'Zoë <b>&'


class Shop:
    """The example as a child process, with sessions in the store of this URL, or in a cookie."""

    def __init__(self, program, store=None):
        self.program, self.store = program, store

    def __enter__(self):
        [self.port] = free_ports(1)
        environment = {**os.environ, 'KHUFU_SECRET': secrets.token_hex(64)}
        if self.store:
            environment['KHUFU_STORE'] = self.store
        self.child = subprocess.Popen([self.program, str(self.port)], env=environment, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE)
        wait_for_line('axum', self.child, f'listening on 127.0.0.1:{self.port}')
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.log = self.child.communicate()[1].decode()

    def url(self, _, path):
        return f'http://127.0.0.1:{self.port}{path}'


def token_in(page):
    return re.search('name="csrf_token" value="([0-9a-f]{40})"', page.body)[1]


def headers_of(page):
    return [page.headers.get(name) for name in ['Set-Cookie', 'Vary', 'Cache-Control']]


def visit(shop, report):
    browser, stranger = Browser(shop), Browser(shop)
    check = report.check
    get, post = (lambda path: browser.get('axum', path)), (lambda path, **fields: browser.post('axum', path, **fields))

    page = get('/health')
    check('a page that uses no session has none of its headers',
          [page.code, *headers_of(page)], [200, None, None, None])
    page = get('/')
    check('the home page is private', headers_of(page)[1:], ['Cookie', 'private'])
    check('the cookie is for http only', browser.cookie().has_nonstandard_attr('HttpOnly'))
    token = token_in(page)

    page = post('/login', user=NAME, csrf_token='0' * 40)
    check('a login with a wrong CSRF token is refused', [page.code, 'go back' in page.body], [403, True])
    page = post('/login', user=NAME, csrf_token=token_in(stranger.get('axum', '/')))
    check("a login with another visitor's CSRF token is refused", page.code, 403)
    page = post('/login')
    check('a login without its fields is refused', page.code, 422)
    before = browser.cookie().value
    page = post('/login', user=NAME, csrf_token=token)
    check('the login redirects to the home page, which greets, escaped',
          [page.code, page.url, 'Welcome, Zoë &lt;b&gt;&amp;.' in page.body, '<b>' in page.body],
          [200, shop.url('axum', '/'), True, False])
    check('the login changes the cookie and the CSRF token',
          [browser.cookie().value != before, token_in(page) != token], [True, True])
    check('the message is shown once', 'Welcome' in get('/').body, False)
    check('the CSRF token of before the login is refused', post('/cart', sku='A-1', csrf_token=token).code, 403)

    token = token_in(page)
    post('/cart', sku='A-1', csrf_token=token)
    page = post('/cart', sku='Käse', csrf_token=token)
    check('the cart has both articles', re.findall('<li>(.*)</li>', page.body), ['A-1', 'Käse'])
    check("another visitor's cart is empty", re.findall('<li>', stranger.get('axum', '/').body), [])

    page = post('/logout', csrf_token=token)
    check('after the logout the session is empty', ['Log in' in page.body, '<li>' in page.body], [True, False])
    check('the CSRF token of before the logout is refused', post('/cart', sku='A-1', csrf_token=token).code, 403)


def main(program):
    report = Report()
    with redis_server() as redis, tempfile.TemporaryDirectory() as folder:
        for store in [None, 'memory:', f'sqlite:{folder}/sessions.db', redis]:
            report.step(f'Sessions in {store.partition(":")[0] if store else "a cookie"}')
            with Shop(program, store) as shop:
                visit(shop, report)
            report.check('the log has only the refusals of CSRF tokens',
                         sorted(set(shop.log.splitlines())),
                         ['session: the request has no CSRF token, or a wrong one'])

    report.step('The store is down')
    with contextlib.ExitStack() as until_down:
        with Shop(program, until_down.enter_context(redis_server())) as shop:
            browser = Browser(shop)
            browser.get('axum', '/')
            until_down.close()
            page = browser.get('axum', '/')
            report.check('the visitor reads nothing about the store',
                         [page.code, 'go back' in page.body, 'redis' in page.body.lower()], [503, True, False])
            report.check('the health page answers', browser.get('axum', '/health').code, 200)
    report.check('the log has the reason', 'session: the session store failed' in shop.log)
    print(f'\naxum: {report.passed} passed, {report.failed} failed')
    return report.failed == 0


if __name__ == '__main__':
    sys.exit(not main(sys.argv[1]))
