"""The client of the peers' protocol (README.md)."""

import json
import os
import subprocess
from pathlib import Path

root = Path(__file__).resolve().parents[2]
target = Path(os.environ.get('CARGO_TARGET_DIR', root / 'target'))

COMMANDS = {
    'rust': [target / 'debug/examples/exchange'],
    'c': [target / 'tests/exchange-c'],
    'go': [target / 'tests/exchange-go'],
    'ruby': ['ruby', '-w', '-I', 'bindings/ruby/lib', 'tests/interop/exchange.rb'],
}

# The originals that also speak the protocol, each in its own environment.
ORIGINALS = {
    'pyramid 2': ['.venv/bin/python', 'tests/interop/original.py'],
    'pyramid 1': ['.venv-pyramid1/bin/python', '-W', 'ignore', 'tests/interop/original.py'],
}


class PeerError(Exception):
    """An `error` answer, with its status and its message."""

    def __init__(self, status, message):
        super().__init__(f'status {status}: {message}')
        self.status = status


class Read:
    """A session as a peer read it."""

    def __init__(self, load_result, renewed, created, to_json, *pairs):
        self.load_result = load_result.decode()
        self.renewed = float(renewed)
        self.created = float(created)
        self.state = parse_state(to_json)
        keys = [key.decode('utf-8', 'surrogatepass') for key in pairs[::2]]
        self.items = list(zip(keys, map(parse, pairs[1::2]), strict=True))


def parse(text, keep=dict):
    """Parses standard JSON, without Python's NaN and Infinity."""

    def refuse(name):
        raise ValueError(f'{name} is not JSON')

    return json.loads(text, object_pairs_hook=keep, parse_constant=refuse)


def parse_state(text):
    """Parses an object, which must not have a key twice. Inner objects may, because some JSON writers write them so."""
    counts = []

    def keep(pairs):
        counts.append(len(pairs))  # the outermost object comes last
        return dict(pairs)

    state = parse(text, keep)
    if len(state) != counts[-1]:
        raise ValueError('the state has a key twice')
    return state


class Peer:
    def __init__(self, name):
        self.name = name
        libraries = [str(target / 'stage/lib'), os.environ.get('LD_LIBRARY_PATH', '')]
        self.process = subprocess.Popen(
            (COMMANDS | ORIGINALS)[name], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, 'LD_LIBRARY_PATH': ':'.join(filter(None, libraries))},
        )

    def factory(self, options):
        """Makes a factory from options, which are a list of pairs. Names may repeat."""
        self._ask('factory', *(word for pair in options for word in pair))

    def read(self, now, cookie_header):
        return Read(*self._ask('read', repr(now), cookie_header))

    def write(self, now, cookie_header, pairs):
        """Sets each key to its JSON text, and commits. Returns the Set-Cookie value or None."""
        words = self._ask('write', repr(now), cookie_header, *(word for pair in pairs for word in pair))
        return words[0].decode() if words else None

    # Requests for the session that `open` opened last

    def open(self, now, cookie_header):
        """Opens a session. Returns the load result."""
        [load_result] = self._ask('open', repr(now), cookie_header)
        return load_result.decode()

    def get(self, key):
        [value] = self._ask('get', key)
        return parse(value)

    def set(self, key, value):
        self._ask('set', key, json.dumps(value))

    def delete(self, key):
        self._ask('delete', key)

    def flash(self, message, queue=''):
        self._ask('flash', message, queue)

    def pop_flash(self, queue=''):
        [messages] = self._ask('pop_flash', queue)
        return parse(messages)

    def csrf_token(self):
        [token] = self._ask('csrf_token')
        return token.decode()

    def invalidate(self):
        self._ask('invalidate')

    def regenerate_id(self):
        self._ask('regenerate_id')

    def commit(self):
        """Commits. Returns the Set-Cookie value or None."""
        words = self._ask('commit')
        return words[0].decode() if words else None

    # The protocol

    def close(self):
        """Ends the peer by closing its input. Returns its exit status."""
        self.process.stdin.close()
        try:
            return self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def _ask(self, request, *words):
        line = ' '.join([request, *(word.encode().hex() or '-' for word in words)])
        self.process.stdin.write(line.encode() + b'\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline().decode().split()
        if not answer:
            raise EOFError(f'the {self.name} peer has ended')
        verdict, *words = answer
        words = [b'' if word == '-' else bytes.fromhex(word) for word in words]
        if verdict == 'ok':
            return words
        if verdict == 'error':
            raise PeerError(int(words[0]), words[1].decode())
        raise ValueError(f'the {self.name} peer answered {verdict!r}')
