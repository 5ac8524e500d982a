"""Runs the README's examples, sends them a browser's requests, and checks their answers."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request

from originals import clock, cookie_of
from pages import root
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response


class Shell:
    """Runs the page's shell code as a reader would, in a new home folder. Keeps the variables that the code exports."""

    def __init__(self, working):
        home = working / 'home'
        home.mkdir()
        self.exported = working / 'exported'
        go = json.loads(subprocess.run(['go', 'env', '-json'], check=True, capture_output=True, text=True).stdout)
        self.environment = {
            **os.environ,
            'CARGO_HOME': os.environ.get('CARGO_HOME', os.path.expanduser('~/.cargo')),
            'RUSTUP_HOME': os.environ.get('RUSTUP_HOME', os.path.expanduser('~/.rustup')),
            **{name: go[name] for name in ['GOCACHE', 'GOMODCACHE', 'GOPATH', 'GOENV']},
            'HOME': str(home), 'GEM_HOME': str(home / 'gems'), 'KHUFU': str(root),
        }
        for name in ['PKG_CONFIG_PATH', 'LD_LIBRARY_PATH', 'KHUFU_LIBRARY', 'BUILT']:
            self.environment.pop(name, None)
        self.home = home

    def run(self, text, folder=root, environment={}):
        script = f'set -eu\n{text}\nenv -0 >{self.exported}\n'
        result = subprocess.run(['bash', '-c', script], cwd=folder, check=True, capture_output=True, text=True,
                                env={**self.environment, **environment})
        entries = self.exported.read_text().rstrip('\0').split('\0')
        self.environment = dict(entry.split('=', 1) for entry in entries)
        return result.stdout

    def call(self, *command, folder=root, **environment):
        return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True,
                              env={**self.environment, **environment}).stdout


class Browser:
    """Visits the examples with one cookie, and checks each answer."""

    def __init__(self, report):
        self.report, self.cookie, self.visits = report, '', 0

    def visit(self, who, request, user='ada'):
        """Sends a request and checks the answer. `request` takes a Cookie header and returns the answer's headers, as
        pairs, and its body."""
        headers, body = request(self.cookie)
        headers = [(name.lower(), value) for name, value in headers]
        set_cookies = [value for name, value in headers if name == 'set-cookie']
        self.visits += 1
        self.report.check(f'README.md: {who}', body, f'Hello, {user}: visit {self.visits}\n')
        self.report.check(f'README.md: {who} sends one cookie, which scripts cannot read',
                          [cookie.split('; ')[1:] for cookie in set_cookies], [['Path=/', 'HttpOnly', 'SameSite=Lax']])
        self.report.check(f'README.md: {who} sends Vary: Cookie',
                          [value for name, value in headers if name == 'vary'], ['Cookie'])
        [set_cookie] = set_cookies
        self.cookie = cookie_of(set_cookie)


def cgi(shell, *command, folder=root):
    def request(cookie):
        head, _, body = shell.call(*command, folder=folder, HTTP_COOKIE=cookie).partition('\n\n')
        return [tuple(line.split(': ', 1)) for line in head.splitlines()], body
    return request


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as free:
        return free.getsockname()[1]


def http(shell, text, folder):
    """Starts a server on a free port instead of 8080, as `serving` does."""
    port = free_port()
    return serving(['bash', '-c', text.replace('8080', str(port))], port, cwd=folder, env=shell.environment)


@contextlib.contextmanager
def serving(command, port, **options):
    """Starts a server. Yields a function that sends a request to it, and returns the answer's headers and body."""
    server = subprocess.Popen(command, start_new_session=True, **options)
    try:
        for _ in range(3000):  # cargo may have to compile the server
            with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port)):
                break
            if server.poll() is not None:
                break
            time.sleep(0.1)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def request(cookie):
            with opener.open(urllib.request.Request(f'http://127.0.0.1:{port}/', headers={'Cookie': cookie}), timeout=10) as response:
                return response.headers.items(), response.read().decode()
        yield request
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def pyramid(block, secret):
    """Makes the page's Pyramid application, and adds a view that greets the user as the other examples do. Returns a
    function that sends a request to it."""
    config = Configurator()
    os.environ['SESSION_SECRET'] = secret
    exec(compile(block.text, block.place, 'exec'), {'config': config})

    def greet(request):
        session = request.session
        session['visits'] = session.get('visits', 0) + 1
        return Response(f'Hello, {session["user"]}: visit {session["visits"]}\n', vary='Cookie')

    config.add_route('greet', '/greet')
    config.add_view(greet, route_name='greet')
    application = config.make_wsgi_app()

    def request(path, cookie=''):
        clock.now = time.time()
        response = Request.blank(path, headers={'Cookie': cookie} if cookie else {}).get_response(application)
        return response.headers.items(), response.text
    return request
