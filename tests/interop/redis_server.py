"""Runs a Redis on a Unix socket in a temporary folder."""

import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from redis import ConnectionError, Redis


@contextmanager
def redis_server():
    """Starts the server, and stops it at the end. Yields its URL for khufu. redis-py's URL is the same, but without the
    prefix `redis+`."""
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / 'redis.sock'
        process = subprocess.Popen(
            ['redis-server', '--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder], stdout=subprocess.DEVNULL)
        try:
            wait_for(Redis(unix_socket_path=str(socket)), process)
            yield f'redis+unix://{socket}'
        finally:
            process.terminate()
            process.wait()


def wait_for(client, process):
    until = time.monotonic() + 10
    while True:
        try:
            client.ping()
            return
        except ConnectionError:
            if process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.01)
