"""Starts the demo's four servers and visits them with one cookie jar, as a browser would (see README.md).

Each line of the report is a check. The exit status is non-zero if a check fails. With --serve, the servers
keep running for a browser until Ctrl-C.
"""

import argparse
import html
import http.cookiejar
import json
import os
import secrets
import selectors
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

here = Path(__file__).resolve().parent
root = here.parents[1]
target = Path(os.environ.get('CARGO_TARGET_DIR', root / 'target'))

SERVERS = {
    'pyramid': [sys.executable, here / 'pyramid_app.py'],
    'c': [target / 'demo/c-server'],
    'go': [target / 'demo/go-server'],
    'ruby': ['ruby', '-w', '-I', root / 'bindings/ruby/lib', here / 'ruby_server.rb'],
}
MESSAGE = 'Zoë said: "it <works> & costs 3 €" 🎉'


class Servers:
    """The four servers as child processes, which are ended with the context."""

    def __init__(self):
        self.ports = dict(zip(SERVERS, free_ports(len(SERVERS))))
        self.children = []

    def __enter__(self):
        environment = {
            **os.environ,
            'KHUFU_SECRET': secrets.token_hex(64),
            'KHUFU_PEERS': ','.join(f'{name}={port}' for name, port in self.ports.items()),
            'LD_LIBRARY_PATH': f'{target}/stage/lib',
        }
        try:
            for name, command in SERVERS.items():
                child = subprocess.Popen([*command, '--port', str(self.ports[name])], env=environment, stdout=subprocess.PIPE)
                self.children.append(child)
                wait_for_line(name, child, f'listening on 127.0.0.1:{self.ports[name]}')
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for child in self.children:
            child.terminate()
        for child in self.children:
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def url(self, name, path=''):
        return f'http://127.0.0.1:{self.ports[name]}{path}'


def free_ports(number):
    sockets = [socket.create_server(('127.0.0.1', 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for_line(name, child, wanted, seconds=30):
    selector = selectors.DefaultSelector()
    selector.register(child.stdout, selectors.EVENT_READ)
    line = child.stdout.readline().decode().strip() if selector.select(seconds) else 'nothing'
    if line != wanted:
        sys.exit(f'FAILED  the {name} server printed {line!r} instead of {wanted!r}')


class Browser:
    """A browser with one cookie jar for all servers. It follows redirects."""

    def __init__(self, servers):
        self.servers = servers
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, server, path):
        return self._send(urllib.request.Request(self.servers.url(server, path)))

    def post(self, server, path, **fields):
        form = urllib.parse.urlencode(fields).encode()
        return self._send(urllib.request.Request(self.servers.url(server, path), data=form))

    def session(self, server):
        """Returns the answer to `GET /session`."""
        return json.loads(self.get(server, '/session').body)

    def cookie(self):
        [cookie] = [cookie for cookie in self.jar if cookie.name == 'session']
        return cookie

    def _send(self, request):
        try:
            response = self.opener.open(request, timeout=10)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            response.body = response.read().decode()
        return response


class Report:
    def __init__(self):
        self.passed = self.failed = 0

    def step(self, text):
        print(f'\n{text}')

    def show(self, value):
        print(f'          {json.dumps(value, ensure_ascii=False)}')

    def check(self, what, found, wanted=True):
        if json.dumps(found) == json.dumps(wanted):  # the order of keys counts too
            self.passed += 1
            print(f'  ok      {what}', flush=True)
        else:
            self.failed += 1
            print(f'  FAILED  {what}: found {json.dumps(found, ensure_ascii=False)}, '
                  f'wanted {json.dumps(wanted, ensure_ascii=False)}', flush=True)


def tour(servers, report):
    browser = Browser(servers)
    step, check = report.step, report.check

    step('First visit to Pyramid')
    seen = browser.session('pyramid')
    check('the session is new', seen['load_result'], 'none')
    check('it holds a CSRF token and nothing else', seen['state'], {'_csrft_': seen['csrf_token']})
    check('the cookie is HttpOnly', browser.cookie().has_nonstandard_attr('HttpOnly'))

    step('Log in as ada at Pyramid')
    check('the login without a CSRF token is refused', browser.post('pyramid', '/login', user='ada').code, 400)
    page = browser.post('pyramid', '/login', user='ada', csrf_token=seen['csrf_token'])
    check('the login with the token succeeds', [page.code, '"user": "ada"' in html.unescape(page.body)], [200, True])

    step('Add to the cart at the Go server')
    seen = browser.session('go')
    token = seen['csrf_token']
    check('Pyramid\'s cookie opens', seen['load_result'], 'loaded')
    check('ada is logged in', seen['state'].get('user'), 'ada')
    check('a wrong CSRF token is refused', browser.post('go', '/cart', sku='A-1', quantity=2, csrf_token='0' * 40).code, 403)
    check('no CSRF token is refused', browser.post('go', '/cart', sku='A-1', quantity=2).code, 403)
    check('a wrong quantity is refused', browser.post('go', '/cart', sku='A-1', quantity='many', csrf_token=token).code, 400)
    check('the cart is still empty', browser.session('go')['state'].get('cart'), None)
    check('2 × A-1 are added', browser.post('go', '/cart', sku='A-1', quantity=2, csrf_token=token).code, 200)
    check('1 × Käse 🧀 is added', browser.post('go', '/cart', sku='Käse 🧀', quantity=1, csrf_token=token).code, 200)
    check('1 more × A-1 is added', browser.post('go', '/cart', sku='A-1', quantity=1, csrf_token=token).code, 200)
    check('the cart is right', browser.session('go')['state'].get('cart'), {'A-1': 3, 'Käse 🧀': 1})

    step('Add a flash message at the C server')
    seen = browser.session('c')
    check('Go\'s cookie opens', seen['load_result'], 'loaded')
    check('user and cart are there',
          [seen['state'].get('user'), seen['state'].get('cart')], ['ada', {'A-1': 3, 'Käse 🧀': 1}])
    check('the CSRF token is the same', seen['csrf_token'], token)
    check('a wrong CSRF token is refused', browser.post('c', '/flash', message='no', csrf_token='x').code, 403)
    check('a missing message is refused', browser.post('c', '/flash', csrf_token=token).code, 400)
    check('a message is added', browser.post('c', '/flash', message=MESSAGE, csrf_token=token).code, 200)
    check('the message is there', browser.session('c')['flash'], [MESSAGE])

    step('Read everything at the Ruby server')
    expected = {'user': 'ada', '_csrft_': token, 'cart': {'A-1': 3, 'Käse 🧀': 1}, '_f_': [MESSAGE]}
    seen = browser.session('ruby')
    check('C\'s cookie opens', seen['load_result'], 'loaded')
    report.show(seen['state'])
    check('the whole session is there, in order', seen['state'], expected)
    check('the message is there, and reading does not remove it',
          [seen['flash'], browser.session('ruby')['flash']], [[MESSAGE], [MESSAGE]])
    check('a wrong CSRF token is refused', browser.post('ruby', '/cart/delete', sku='A-1', csrf_token='x').code, 403)
    check('the cheese is removed', browser.post('ruby', '/cart/delete', sku='Käse 🧀', csrf_token=token).code, 200)
    del expected['cart']['Käse 🧀']

    step('Read the HTML pages')
    for server in ['c', 'go', 'ruby', 'pyramid']:  # Pyramid is last, because its page pops the message
        page = browser.get(server, '/')
        links = [other for other in SERVERS if f'href="{servers.url(other, "/")}"' in page.body]
        check(f'{server} shows ada and the message, escaped, and links to the others',
              [page.code, page.headers.get_content_type(), 'ada' in page.body, '&lt;works&gt;' in page.body,
               '<works>' in page.body, sorted(links)],
              [200, 'text/html', True, True, False, sorted(set(SERVERS) - {server})])
        check(f'{server} forbids shared caching',
              [page.headers.get('Vary'), page.headers.get('Cache-Control')], ['Cookie', 'private'])
    check('the message is gone after Pyramid showed it', browser.session('ruby')['flash'], [])
    browser.post('c', '/flash', message=MESSAGE, csrf_token=token)

    step('Return to Pyramid')
    seen = browser.session('pyramid')
    check('Ruby\'s and C\'s cookie opens', seen['load_result'], 'loaded')
    report.show(seen['state'])
    check('the whole session is there, in order', seen['state'], expected)
    check('the message is popped', seen['flash'], [MESSAGE])
    del expected['_f_']
    seen = browser.session('pyramid')
    check('the next answer has no message and the rest of the session', [seen['flash'], seen['state']], [[], expected])
    for server in ['c', 'go', 'ruby']:
        seen = browser.session(server)
        check(f'{server} has the same session', [seen['flash'], seen['state']], [[], expected])

    step('Send a forged cookie')
    genuine = browser.cookie().value
    for server in SERVERS:
        forged = genuine[:10] + ('A' if genuine[10] != 'A' else 'B') + genuine[11:]
        request = urllib.request.Request(servers.url(server, '/session'), headers={'Cookie': f'session={forged}'})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as response:
            seen = json.load(response)
        check(f'{server} opens it as a new session',
              [seen['load_result'], list(seen['state'])], ['none' if server == 'pyramid' else 'bad_signature', ['_csrft_']])

    step('Log out at Pyramid')
    browser.post('pyramid', '/logout', csrf_token=token)
    for server in SERVERS:
        check(f'ada is logged out at {server}', browser.session(server)['state'].get('user'), None)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument('--serve', action='store_true', help='keep the servers running for a browser')
    arguments = arguments.parse_args()
    for number in [signal.SIGTERM, signal.SIGHUP]:
        signal.signal(number, lambda *_: sys.exit('stopped'))
    report = Report()
    with Servers() as servers:
        print('One session, four servers: ' + ', '.join(f'{name} at {servers.url(name)}' for name in SERVERS))
        tour(servers, report)
        print(f'\ndemo: {report.passed} passed, {report.failed} failed')
        if arguments.serve:
            print(f'\nOpen {servers.url("pyramid", "/")} in a browser. Ctrl-C ends the servers.', flush=True)
            try:
                while all(child.poll() is None for child in servers.children):
                    time.sleep(0.5)
            except KeyboardInterrupt:
                pass
    return report.failed == 0


if __name__ == '__main__':
    sys.exit(not main())
