"""Values and functions that the tests share."""

import base64
import hashlib
import hmac
import os
import threading

#: The time at which the sessions of most tests begin.
NOW = 1_700_000_000
SECRET = "a secret of the tests, long enough"


def cookie(headers):
    """Returns the Cookie header that a browser would send."""
    return "; ".join(value.partition(";")[0] for name, value in headers if name == "Set-Cookie")


def signed(payload):
    """Returns the Cookie header that holds a payload, as Pyramid signs it."""
    mac = hmac.new(b"pyramid.session." + SECRET.encode(), payload, hashlib.sha512).digest()
    return b"session=" + base64.urlsafe_b64encode(mac + payload)


def in_child(check):
    """Returns what a check gives in a forked child."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if check() else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def in_threads(count, function):
    """Runs a function in threads, and raises what one of them raised."""
    raised = []

    def run(number):
        try:
            function(number)
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if raised:
        raise raised[0]
