"""Sessions of the real packages at any time.

Pyramid's own code opens a session from a real request, and commits it to a real response.
"""

import warnings

import pyramid.session
from pyramid.request import Request
from pyramid.response import Response

warnings.filterwarnings('ignore', 'PickleSerializer', DeprecationWarning)
warnings.filterwarnings('ignore', 'The cookie value exceeds', UserWarning)


class Clock:
    """Replaces the module `time` in a package."""

    now = 0.0

    def time(self):
        return self.now


clock = pyramid.session.time = Clock()


def open_session(factory, now, cookie_header=None):
    return open_request(factory, now, cookie_header).session


def commit(session):
    """Commits. Returns the list of Set-Cookie values of the response to the session's request."""
    return end_request(session.request)


def open_request(factory, now, cookie_header=None):
    """Makes a request, and opens its session."""
    clock.now = now
    request = Request.blank('/')
    if cookie_header is not None:
        request.headers['Cookie'] = cookie_header
    request.session = factory(request)
    return request


def end_request(request):
    """Ends a request, when some packages save the session. Returns the list of Set-Cookie values of the response."""
    response = Response()
    request._process_response_callbacks(response)
    request._process_finished_callbacks()
    return response.headers.getall('Set-Cookie')


def cookie_of(set_cookie):
    """The `name=value` of a Set-Cookie value, which the browser sends back."""
    return set_cookie.partition(';')[0].strip()
