"""Starts the demo's servers and visits them as a browser would, with sessions in a cookie and then in Redis.

Each line of the report is a check. The exit status is non-zero if a check fails. With --serve, the servers that use
Redis keep running for a browser until Ctrl-C. README.md describes the servers.
"""

import argparse
import os
import secrets
import signal
import sys
import threading
from pathlib import Path

from browser import Report
from chromium import chromedriver
from redis_server import redis_server
from servers import Servers
from origin import site
from store_tour import store_tour
from tour import tour
from walk import walk

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


def visit(servers, report, driver, where, *tours):
    addresses = ', '.join(f'{name} at {servers.url(name)}' for name in COMMANDS)
    print(f'\n== One session in {where}: {addresses}')
    for each in tours:
        each(servers, report)
    with site(target / 'demo/site', servers) as url:
        walk(driver, url, servers.environment['KHUFU_STORE'] != '', report, target / 'demo')


def serve(store):
    with start(store) as servers, site(target / 'demo/site', servers) as url:
        print(f'\nOpen {url} in a browser. Ctrl-C ends the servers.', flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument('--serve', action='store_true', help='keep the servers running for a browser')
    arguments = arguments.parse_args()
    for number in [signal.SIGTERM, signal.SIGHUP]:
        signal.signal(number, lambda *_: sys.exit('stopped'))
    report = Report()
    with redis_server() as store:
        with chromedriver() as driver:
            with start('') as servers:
                visit(servers, report, driver, 'a cookie', tour)
            with start(store) as servers:
                visit(servers, report, driver, 'Redis', tour, store_tour)
        print(f'\ndemo: {report.passed} passed, {report.failed} failed')
        if arguments.serve:
            serve(store)
    return report.failed == 0


if __name__ == '__main__':
    sys.exit(not main())
