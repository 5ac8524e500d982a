"""A Pyramid application under waitress, gunicorn and uWSGI, with cookies and with Redis, driven by a client."""

import concurrent.futures
import contextlib
import http.cookiejar
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from redis_server import redis_server

from helpers import SECRET

HERE = Path(__file__).parent
PROGRAMS = Path(sys.executable).parent
SERVERS = {
    "waitress": "{programs}/waitress-serve --threads=4 --listen=127.0.0.1:{port} application:app",
    "gunicorn": "{programs}/gunicorn --preload --workers=2 --no-control-socket --bind=127.0.0.1:{port} application:app",
    # Like gunicorn with --preload, uWSGI imports the application before it forks.
    "uwsgi": "{programs}/uwsgi --master --processes=2 --die-on-term --http-socket=127.0.0.1:{port} -w application:app",
}
#: The servers that fork. Each has two workers.
FORKING = "gunicorn", "uwsgi"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@contextlib.contextmanager
def serving(server, settings):
    """Runs a server, and yields its address."""
    port = free_port()
    command = SERVERS[server].format(programs=PROGRAMS, port=port).split()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, cwd=HERE, stdout=log, stderr=log, env={**os.environ, "KHUFU_SETTINGS": json.dumps(settings)}
        )
        try:
            wait_for(port, process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def wait_for(port, process, log):
    until = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None or time.monotonic() > until:
            log.seek(0)
            raise AssertionError(log.read().decode())
        time.sleep(0.05)


class Client:
    def __init__(self, address):
        self.address = address
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.jar)
        )

    def show(self):
        with self.opener.open(f"{self.address}/show", timeout=20) as response:
            return json.load(response)

    def post(self, path, token="", **form):
        data = urllib.parse.urlencode({"csrf_token": token, **form}).encode()
        try:
            with self.opener.open(f"{self.address}/{path}", data, timeout=20) as response:
                return response.status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def copy(self):
        other = Client(self.address)
        for cookie in self.jar:
            other.jar.set_cookie(cookie)
        return other


def processes_of(client):
    """Returns the worker processes that showed the client's session."""
    processes, until = set(), time.monotonic() + 20
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        while len(processes) < 2 and time.monotonic() < until:
            shown = list(pool.map(lambda _: client.copy().show(), range(8)))
            assert all(each["user"] == "zoe" for each in shown), shown
            processes.update(each["process"] for each in shown)
    return processes


class Servers(unittest.TestCase):
    def log_in_and_out(self, server, settings, stored):
        with serving(server, {"secret": SECRET, **settings}) as address:
            client = Client(address)
            shown = client.show()
            self.assertEqual((shown["user"], shown["flash"]), (None, []))
            self.assertEqual(client.post("log_in", "wrong", user="zoe"), 400)
            self.assertIsNone(client.show()["user"])
            before = client.copy()
            self.assertEqual(client.post("log_in", shown["csrf"], user="zoe"), 200)
            shown = client.show()
            self.assertEqual((shown["user"], shown["flash"]), ("zoe", ["Welcome, zoe."]))
            self.assertEqual(client.show()["flash"], [])
            self.assertIsNone(before.show()["user"])  # a cookie from before the login shows nothing of it
            stolen = client.copy()
            if server in FORKING:
                self.assertEqual(len(processes_of(client)), 2)
            self.assertEqual(client.post("log_out", shown["csrf"]), 200)
            self.assertEqual(len(client.jar), 0)
            self.assertIsNone(client.show()["user"])
            if stored:
                self.assertIsNotNone(shown["id"])
                self.assertIsNone(stolen.show()["user"])

    def test_waitress_with_a_cookie(self):
        self.log_in_and_out("waitress", {}, stored=False)

    def test_gunicorn_with_a_cookie(self):
        self.log_in_and_out("gunicorn", {"httponly": "true"}, stored=False)

    def test_uwsgi_with_a_cookie(self):
        self.log_in_and_out("uwsgi", {}, stored=False)

    def test_waitress_with_redis(self):
        with redis_server() as url:
            self.log_in_and_out("waitress", {"type": "store", "store": url}, stored=True)

    def test_gunicorn_with_redis(self):
        with redis_server() as url:
            self.log_in_and_out("gunicorn", {"type": "store", "store": url}, stored=True)

    def test_uwsgi_with_redis(self):
        with redis_server() as url:
            self.log_in_and_out("uwsgi", {"type": "store", "store": url}, stored=True)

    def test_gunicorn_with_sqlite(self):
        with tempfile.TemporaryDirectory() as folder:
            self.log_in_and_out("gunicorn", {"type": "store", "store": f"sqlite:{folder}/sessions.db"}, stored=True)
