"""Starts the demo's servers and visits them as a browser would, with sessions in a cookie and then in Redis.

Each line of the report is a check. The exit status is non-zero if a check fails. With --serve, the servers that use
Redis keep running for a browser until Ctrl-C. README.md describes the servers.
"""

import argparse
import os
import secrets
import signal
import sys
import time
from pathlib import Path

from browser import Report
from redis_server import redis_server
from servers import Servers
from store_tour import store_tour
from tour import tour

here = Path(__file__).resolve().parent
root = here.parents[1]
target = Path(os.environ.get('CARGO_TARGET_DIR', root / 'target'))

COMMANDS = {
    'pyramid': [sys.executable, here / 'pyramid_app.py'],
    'c': [target / 'demo/c-server'],
    'cpp': [target / 'demo/cpp-server'],
    'go': [target / 'demo/go-server'],
    'ruby': ['ruby', '-w', '-I', root / 'bindings/ruby/lib', here / 'ruby_server.rb'],
}


def start(store):
    """Starts all servers, with one secret. If `store` is empty, sessions are in a cookie."""
    return Servers(COMMANDS, {
        'KHUFU_SECRET': secrets.token_hex(64), 'KHUFU_STORE': store, 'LD_LIBRARY_PATH': f'{target}/stage/lib'})


def visit(servers, report, where, *tours):
    addresses = ', '.join(f'{name} at {servers.url(name)}' for name in COMMANDS)
    print(f'\n== One session in {where}: {addresses}')
    for each in tours:
        each(servers, report)


def keep_running(servers):
    print(f'\nOpen {servers.url("pyramid", "/")} in a browser. Ctrl-C ends the servers.', flush=True)
    try:
        while all(child.poll() is None for child in servers.children):
            time.sleep(0.5)
    except KeyboardInterrupt:
        pass


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument('--serve', action='store_true', help='keep the servers running for a browser')
    arguments = arguments.parse_args()
    for number in [signal.SIGTERM, signal.SIGHUP]:
        signal.signal(number, lambda *_: sys.exit('stopped'))
    report = Report()
    with start('') as servers:
        visit(servers, report, 'a cookie', tour)
    with redis_server() as store, start(store) as servers:
        visit(servers, report, 'Redis', tour, store_tour)
        print(f'\ndemo: {report.passed} passed, {report.failed} failed')
        if arguments.serve:
            keep_running(servers)
    return report.failed == 0


if __name__ == '__main__':
    sys.exit(not main())
