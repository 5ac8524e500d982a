"""Starts the demo's servers and visits them as a browser would, with sessions in a cookie and then in Redis.

Each line of the report is a check. The exit status is non-zero if a check fails. With --serve, the servers run without
checks for your own browser, until Ctrl-C. README.md describes the servers.
"""

import argparse
import os
import secrets
import signal
import sys
import threading
from pathlib import Path

from browser import Report
from chromium import Chromium, chromedriver
from origin import site
from redis_server import redis_server
from servers import Servers
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


def visit(servers, report, browsers, where, *tours):
    addresses = ', '.join(f'{name} at {servers.url(name)}' for name in COMMANDS)
    print(f'\n== One session in {where}: {addresses}')
    for each in tours:
        each(servers, report)
    with site(target / 'demo/site', servers) as shop:
        walk(*browsers, shop, report, target / 'demo')


def serve(where):
    with redis_server() as store, start(store if where == 'Redis' else '') as servers, \
            site(target / 'demo/site', servers) as shop:
        print(f'Open {shop.url("site", "/")} in a browser. Sessions are in {where}. Ctrl-C ends the servers.', flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


def check():
    report = Report()
    with redis_server() as store, chromedriver() as driver, Chromium(driver) as laptop, Chromium(driver) as phone:
        with start('') as servers:
            visit(servers, report, [laptop, phone], 'a cookie', tour)
        with start(store) as servers:
            visit(servers, report, [laptop, phone], 'Redis', tour, store_tour)
    print(f'\ndemo: {report.passed} passed, {report.failed} failed')
    return report.failed == 0


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument('--serve', metavar='WHERE',
                           help='serve the site, with sessions in a cookie if WHERE is `cookie`, otherwise in Redis')
    where = arguments.parse_args().serve
    for number in [signal.SIGTERM, signal.SIGHUP]:
        signal.signal(number, lambda *_: sys.exit('stopped'))
    if not where:
        return check()
    serve('a cookie' if where == 'cookie' else 'Redis')
    return True


if __name__ == '__main__':
    sys.exit(not main())
