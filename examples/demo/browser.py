"""A browser for the demo's servers, and the report of what it saw."""

import copy
import http.cookiejar
import json
import urllib.error
import urllib.parse
import urllib.request


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    """A browser with one cookie jar for all servers."""

    def __init__(self, servers, *, redirects=True):
        self.servers, self.redirects = servers, redirects
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.jar),
            urllib.request.HTTPRedirectHandler if redirects else NoRedirects)

    def get(self, server, path='/'):
        return self._send(urllib.request.Request(self.servers.url(server, path)))

    def post(self, server, path, **fields):
        form = urllib.parse.urlencode(fields).encode()
        return self._send(urllib.request.Request(self.servers.url(server, path), data=form))

    def session(self, server):
        """Returns the answer to `GET /session`."""
        return json.loads(self.get(server, '/session').body)

    def cookie(self):
        """Returns the session's cookie, or None."""
        return next((cookie for cookie in self.jar if cookie.name == 'session'), None)

    def copy(self):
        """Returns another browser that has the same cookies, as a thief's would."""
        other = copy.copy(self)
        Browser.__init__(other, self.servers, redirects=self.redirects)
        for cookie in self.jar:
            other.jar.set_cookie(cookie)
        return other

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
