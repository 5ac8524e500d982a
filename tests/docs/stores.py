"""Checks that every type of store in the table of docs/stores.md keeps large sessions, and that there are no others."""

import json

from originals import cookie_of
from peer import PeerError
from redis_server import redis_server
from services import NOW

OPTION = 8
LARGE = json.dumps('x' * 10_000)


def check(page, pages, report, servers, working):
    rows = [row[0].strip('`').partition(':')[0] for row in page.tables()[0][1:]]
    report.check('docs/stores.md: its table has every type of store', rows,
                 ['memory', 'sqlite', 'redis', 'a store of your own'])
    with redis_server() as redis:
        for service in servers.services:
            shared = [(f'sqlite:{working}/sessions', servers.services), (redis, servers.services)]
            for store, others in [('memory:', [service]), *shared]:
                options = [('type', 'store'), ('store', store), ('secret', 'x')]
                for each in {service, *others}:
                    each.peer.factory(options)
                cookie = cookie_of(service.peer.write(NOW, '', [('text', LARGE)]))
                found = [other.peer.read(NOW + 1, cookie).state for other in others]
                report.check(f'docs/stores.md: {service.name} keeps a session in {store.partition(":")[0]}',
                             found, [{'text': 'x' * 10_000}] * len(others))
            try:
                found = service.peer.factory([('type', 'store'), ('store', 'mysql://127.0.0.1/0'), ('secret', 'x')])
            except PeerError as error:
                found = error.status
            report.check(f'docs/stores.md: {service.name} keeps no session in MySQL', found, OPTION)
