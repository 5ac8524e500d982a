"""A browser with one visitor's cookies, and the warehouse where the shop reserves what is ordered."""

import contextlib
import http.client
import queue
import socketserver
import threading
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime


@dataclass
class Browser:
    port: int
    cookies: dict = field(default_factory=dict)
    token: str | None = None  # the CSRF token of the last page that had one

    def page(self):
        """The page's lines without the CSRF token, which not every library has."""
        lines = self.request('GET', '/')[1].splitlines()
        for line in lines:
            if line.startswith('token '):
                self.token = line.removeprefix('token ')
        return [line for line in lines if not line.startswith('token ')]

    def post(self, path, **form):
        """Sends a form, and returns the status of the response."""
        return self.request('POST', path, urllib.parse.urlencode(form))[0]

    def log_in(self):
        self.page()
        status = self.post('/login', user='ada')
        self.page()
        return status

    def copy(self, **changes):
        return Browser(**{'port': self.port, 'cookies': dict(self.cookies), 'token': self.token} | changes)

    def request(self, method, path, body=None):
        headers = {}
        if self.cookies:
            headers['Cookie'] = '; '.join(f'{name}={value}' for name, value in self.cookies.items())
        if body is not None:
            headers['Content-Type'] = 'application/x-www-form-urlencoded'
        if self.token:
            headers['X-CSRF-Token'] = self.token
        with contextlib.closing(http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)) as connection:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
        for set_cookie in response.headers.get_all('Set-Cookie', []):
            self.keep(set_cookie)
        return response.status, text

    def keep(self, set_cookie):
        """Keeps or removes a cookie, as a Set-Cookie header says."""
        pair, *rest = set_cookie.split(';')
        name, _, value = pair.partition('=')
        attributes = {key.strip().lower(): text for key, _, text in (each.partition('=') for each in rest)}
        expires = attributes.get('expires')
        expired = expires and parsedate_to_datetime(expires) <= datetime.now(timezone.utc)
        if attributes.get('max-age', '1').startswith(('0', '-')) or expired:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value


class Warehouse(socketserver.ThreadingTCPServer):
    """Answers each reservation at once, except those of articles whose name begins with `held`."""

    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Reservation)
        self.waiting = queue.Queue()
        self.pool = ThreadPoolExecutor()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return '%s:%d' % self.server_address

    @contextlib.contextmanager
    def held_order(self, browser, sku):
        """Within the context, the shop waits for the warehouse. At the end it gets its answer, and the request ends."""
        response = self.pool.submit(browser.post, '/cart', sku=sku, quantity=1)
        answer = self.waiting.get(timeout=60)
        try:
            yield
        finally:
            answer.set()
            response.result()


class Reservation(socketserver.StreamRequestHandler):
    def handle(self):
        if self.rfile.readline().startswith(b'held'):
            answer = threading.Event()
            self.server.waiting.put(answer)
            answer.wait(60)
        self.wfile.write(b'\n')
