"""The site in front of the servers, and the new secrets that it asks for."""

import secrets
import threading
from contextlib import contextmanager

from servers import Servers


@contextmanager
def site(command, servers):
    """Starts the site in front of the servers."""
    ports = ','.join(f'{name}={port}' for name, port in servers.ports.items())
    with Servers({'site': [command]}, servers.environment | {'KHUFU_SERVERS': ports}) as running:
        child, = running.children
        threading.Thread(target=change_secrets, args=(child, servers), daemon=True).start()
        yield running


def change_secrets(site, servers):
    """Restarts the servers with a new secret whenever the site prints a line. The line is `rotate` if the previous
    secret must still open sessions, and `replace` if not. Answers the site with the new secret and the previous one.
    If the servers do not start, the site's standard input ends, and the site shows an error."""
    with site.stdin:
        for line in site.stdout:
            new, previous = secrets.token_hex(64), servers.environment['KHUFU_SECRET'] if line == b'rotate\n' else ''
            servers.restart({'KHUFU_SECRET': new, 'KHUFU_PREVIOUS_SECRET': previous})
            site.stdin.write(f'{new} {previous}\n'.encode())
            site.stdin.flush()
