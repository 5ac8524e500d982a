"""Sessions of the real Pyramid and pyramid_nacl_session, at a time of our choosing.

A session is opened from a real request and committed to a real response by Pyramid's own code.
"""

import warnings

import pyramid.session
from pyramid.request import Request
from pyramid.response import Response

warnings.filterwarnings('ignore', 'PickleSerializer', DeprecationWarning)
warnings.filterwarnings('ignore', 'The cookie value exceeds', UserWarning)


class Clock:
    """Stands in for the module `time` in pyramid.session."""

    now = 0.0

    def time(self):
        return self.now


clock = pyramid.session.time = Clock()


def open_session(factory, now, cookie_header=None):
    clock.now = now
    request = Request.blank('/')
    if cookie_header is not None:
        request.headers['Cookie'] = cookie_header
    return factory(request)


def commit(session):
    """The Set-Cookie values (a list) that Pyramid's response would carry."""
    request, response = session.request, Response()
    request._process_response_callbacks(response)
    return response.headers.getall('Set-Cookie')


def cookie_of(set_cookie):
    """`name=value` of a Set-Cookie value: what the browser sends back."""
    return set_cookie.partition(';')[0]
