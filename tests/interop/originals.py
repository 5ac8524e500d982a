"""Sessions of the real packages, at a time of our choosing.

A session is opened from a real request and committed to a real response by Pyramid's own code.
"""

import warnings

import pyramid.session
from pyramid.request import Request
from pyramid.response import Response

warnings.filterwarnings('ignore', 'PickleSerializer', DeprecationWarning)
warnings.filterwarnings('ignore', 'The cookie value exceeds', UserWarning)


class Clock:
    """Stands in for the module `time` where a package reads it."""

    now = 0.0

    def time(self):
        return self.now


clock = pyramid.session.time = Clock()


def open_session(factory, now, cookie_header=None):
    return open_request(factory, now, cookie_header).session


def commit(session):
    """The Set-Cookie values (a list) that the response to the session's request would carry."""
    return end_request(session.request)


def open_request(factory, now, cookie_header=None):
    """A request that has its session."""
    clock.now = now
    request = Request.blank('/')
    if cookie_header is not None:
        request.headers['Cookie'] = cookie_header
    request.session = factory(request)
    return request


def end_request(request):
    """The Set-Cookie values (a list) that the response would carry; some packages save the session only then."""
    response = Response()
    request._process_response_callbacks(response)
    request._process_finished_callbacks()
    return response.headers.getall('Set-Cookie')


def cookie_of(set_cookie):
    """`name=value` of a Set-Cookie value: what the browser sends back."""
    return set_cookie.partition(';')[0].strip()
