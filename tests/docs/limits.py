"""Checks two statements of docs/limits.md: how large a session in a cookie may be, and which versions are tested."""

import json
import re

from pages import root
from peer import PeerError
from services import NOW

TOO_LARGE = 7


def check_size(report, servers):
    """About 2,900 bytes of JSON fit in every type of cookie. The error names the limit."""
    for service in servers.services:
        for kind, secret in [('signed_cookie', 'x'), ('encrypted_cookie', '0' * 64)]:
            service.peer.factory([('type', kind), ('secret', secret)])
            fits = service.peer.write(NOW, '', [('text', json.dumps('x' * (2900 - len('{"text":""}'))))])
            try:
                found = service.peer.write(NOW, '', [('text', json.dumps('x' * 3000))])
            except PeerError as error:
                found = error.status, '4064' in str(error)
            report.check(f'docs/limits.md: about 2,900 bytes fit, {service.name}, {kind}',
                         [bool(fits), found], [True, (TOO_LARGE, True)])


def check(page, pages, report, servers, working):
    check_size(report, servers)
    requirements = (root / 'scripts/requirements.txt').read_text()
    originals = dict(re.findall(r'^(\S+)==(\S+)', requirements, re.M))
    tested = f'Pyramid {originals["pyramid"]} and pyramid_nacl_session {originals["pyramid-nacl-session"]}'
    report.check('docs/limits.md: it names the originals that are tested', tested in page.text.replace('\n', ' '))
