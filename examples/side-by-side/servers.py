"""The programs of this folder, and how to start each as a server."""

import contextlib
import os
import secrets
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

here = Path(__file__).resolve().parent
target = Path(os.environ.get('CARGO_TARGET_DIR', here.parents[1] / 'target'))
gem = here.parents[1] / 'bindings/ruby/lib'


@dataclass(frozen=True)
class Server:
    name: str  # the library's
    language: str
    source: str
    program: str  # what is run: the source, or what the compiler makes of it
    sessions: str = ''  # where khufu keeps the sessions

    @property
    def title(self):
        return self.name + {'signed_cookie': ', cookie', 'store': ', memory'}.get(self.sessions, '')

    def command(self, port):
        if self.language == 'Ruby':
            return ['puma', '-s', '-e', 'production', '-t', '8:8', '-b', f'tcp://127.0.0.1:{port}', here / self.program]
        return [target / 'side-by-side' / self.program]

    @contextlib.contextmanager
    def running(self, *prefix, **environment):
        """Runs the server, and yields its port. The prefix is a command that starts the server's."""
        with socket.create_server(('127.0.0.1', 0)) as free:
            port = free.getsockname()[1]
        environment = {
            **os.environ, **environment, 'ADDRESS': f'127.0.0.1:{port}', 'SECRET': secrets.token_hex(64),
            'TYPE': self.sessions, 'RUBYLIB': str(gem),
        }
        child = subprocess.Popen([*prefix, *self.command(port)], env=environment)
        try:
            wait_for(child, port)
            yield port
        finally:
            child.terminate()
            child.wait()


def wait_for(child, port):
    """Waits until a server listens."""
    while child.poll() is None:
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(('127.0.0.1', port)).close()
        time.sleep(0.05)
    raise RuntimeError(f'{child.args[0]} ended with status {child.returncode}')


SCS = Server('scs', 'Go', 'go/scs/main.go', 'go/scs')
GORILLA = Server('gorilla/sessions', 'Go', 'go/gorilla/main.go', 'go/gorilla')
RACK = Server('Rack::Session::Cookie', 'Ruby', 'ruby/cookie.ru', 'ruby/cookie.ru')
TOWER = Server('tower-sessions', 'Rust', 'rust/src/bin/tower_sessions.rs', 'rust/tower_sessions')
COOKIE_IN, MEMORY_IN = (
    {
        'Go': Server('khufu', 'Go', 'go/khufu/main.go', 'go/khufu', sessions),
        'Ruby': Server('khufu', 'Ruby', 'ruby/khufu.ru', 'ruby/khufu.ru', sessions),
        'Rust': Server('khufu', 'Rust', 'rust/src/bin/khufu.rs', 'rust/khufu', sessions),
    }
    for sessions in ['signed_cookie', 'store']
)
SERVERS = [
    SCS, GORILLA, COOKIE_IN['Go'], MEMORY_IN['Go'],
    RACK, COOKIE_IN['Ruby'], MEMORY_IN['Ruby'],
    TOWER, COOKIE_IN['Rust'], MEMORY_IN['Rust'],
]
PAIRS = [[SCS, MEMORY_IN['Go']], [GORILLA, COOKIE_IN['Go']], [RACK, COOKIE_IN['Ruby']], [TOWER, MEMORY_IN['Rust']]]
