"""Measures the request cycle (open, read two keys, set one, commit, headers) in Pyramid: with khufu.pyramid and with
Pyramid's own factory, in turns. The sessions are those of benches/cycle.rs. Requests and responses are made before the
clock starts.

Pyramid writes JSON with spaces, and the largest session would then not fit into its cookie. So here Pyramid writes JSON
without spaces, and both factories read and write the same bytes.
"""

import json
import time

from khufu.pyramid import SessionFactory
from pyramid.request import Request
from pyramid.response import Response
from pyramid.session import SignedCookieSessionFactory

ROUNDS = 200
CYCLES = 50
SECRET = "itsaseekreet"
#: The largest allowed ratio of khufu's time to Pyramid's own, for each size of the session's JSON.
LIMITS = {120: 0.5, 600: 0.4, 2800: 0.3}


class CompactSerializer:
    encode = staticmethod(json.JSONEncoder(separators=(",", ":")).encode)

    def loads(self, payload):
        return json.loads(payload)

    def dumps(self, value):
        return self.encode(value).encode()


def state(size):
    """Returns a state of about this many bytes of JSON: a login, a CSRF token, the last visit and a cart."""
    values = {"user_id": 42, "name": "Zoe Example", "_csrft_": "00112233445566778899aabbccddeeff00112233", "seen": 1_699_999_999}
    while len(json.dumps(values, separators=(",", ":"))) + 40 < size:
        values[f"item_{len(values)}"] = {"sku": f"A-{len(values)}", "quantity": 2, "gift": False}
    return values


def request(cookie=""):
    made = Request.blank("/")
    if cookie:
        made.environ["HTTP_COOKIE"] = cookie
    return made


def cycle(factory, request, response):
    session = factory(request)
    session["user_id"]
    session["_csrft_"]
    session["seen"] = 1_700_000_001
    request._process_response_callbacks(response)


def shortest(factory, cookie):
    """Returns the time of a cycle in nanoseconds."""
    prepared = [(request(cookie), Response()) for _ in range(CYCLES)]
    start = time.perf_counter_ns()
    for each in prepared:
        cycle(factory, *each)
    return (time.perf_counter_ns() - start) / CYCLES


def cookie_of(factory, values):
    first, response = request(), Response()
    session = factory(first)
    session.update(values)
    first._process_response_callbacks(response)
    return response.headers["Set-Cookie"].partition(";")[0]


print("The request cycle in Pyramid in nanoseconds (the shortest of many rounds)\n")
print("hashalg  JSON  Pyramid    khufu  ratio  at most")
too_slow = False
for hashalg in ("sha512", "sha256"):
    own = SignedCookieSessionFactory(SECRET, hashalg=hashalg, serializer=CompactSerializer())
    khufus = SessionFactory(SECRET, hashalg=hashalg)
    for size, limit in LIMITS.items():
        values = state(size)
        cookie = cookie_of(own, values)
        assert dict(khufus(request(cookie))) == values
        times = [(shortest(own, cookie), shortest(khufus, cookie)) for _ in range(ROUNDS)]
        pyramid, khufu = (min(each) for each in zip(*times))
        length = len(json.dumps(values, separators=(",", ":")))
        print(f"{hashalg:7} {length:5} {pyramid:8.0f} {khufu:8.0f} {khufu / pyramid:6.2f} {limit:8.2f}")
        too_slow |= hashalg == "sha512" and khufu / pyramid > limit
raise SystemExit("too slow" if too_slow else 0)
