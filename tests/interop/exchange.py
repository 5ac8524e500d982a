"""Exchanges generated sessions between the real Pyramid and every language's peer (README.md)."""

import argparse
import datetime
import json
import pickletools
import struct
import sys
from dataclasses import replace
from decimal import Decimal
from random import Random

from alternate import Alternation
from alternate import KINDS as ALTERNATING
from checks import Attempts, Mismatch, meaning, no_longer, objects, same
from formats import KINDS
from originals import Clock, clock, commit, cookie_of, open_session
from peer import COMMANDS, ORIGINALS, Peer, PeerError
from redis_server import redis_server
from states import as_json, as_text, fixed, generated, levels, pickled, settable

NOW = 1_700_000_000
TOO_LARGE, UNSUPPORTED = 7, 9
LIMIT = 4064  # of a cookie's value


class Exchange(Attempts):
    """The exchanges of one peer in one kind of format."""

    def __init__(self, peer, kind, seed):
        super().__init__()
        self.peer, self.kind = peer, kind
        self.random = Random(f'{seed} {kind}')

    def run(self, number_of_states):
        for name, state in [*fixed(), *generated(self.random, number_of_states)]:
            self.use(KINDS[self.kind](self.random))
            self.attempt(self.peer_to_python, name, state)
            if levels(state) > self.format.deepest:
                continue
            self.attempt(self.python_to_peer, name, state)
            self.attempt(self.python_to_peer_to_python, name, state)
            self.attempt(self.peer_to_python_to_peer, name, state)
            self.attempt(self.python_to_reading_peer, name, state)
        if self.kind.endswith('pickle'):
            for name, state in pickled():
                for protocol in [3, 4, 5]:
                    self.use(replace(KINDS[self.kind](self.random), protocol=protocol))
                    self.attempt(self.python_to_peer_to_python, name, state)
                    self.attempt(self.python_to_reading_peer, name, state)
        self.use(KINDS[self.kind](self.random))
        for exchange in [
            self.limit_from_python, self.limit_from_peer, self.timeout, self.tampered, self.previous_secret, self.other_format,
            *([self.keys_of_other_types] if self.format.serializer == 'json' else [self.bytes_are_text, self.unsupported]),
        ]:
            self.attempt(exchange)

    # The two sides

    def use(self, format, more_options=()):
        self.format = format
        self.peer.factory([*format.options(), *more_options])

    def python_writes(self, state, format=None, created=None, written=None):
        """Pyramid writes the state. Returns the browser's Cookie header, and the session's `created` and `renewed`."""
        format = format or self.format
        created = created or self.moment(0)
        written = written or self.moment(100)
        try:
            [set_cookie] = self.keep(format, state, created, written)
        except ValueError:  # too long, so use the newest protocol, which is the shortest
            format.protocol = 5
            del format.original
            [set_cookie] = self.keep(format, state, created, written)
        return cookie_of(set_cookie), created, int(written)

    def keep(self, format, state, created, written):
        session = open_session(format.original, created)
        session.update(state)
        clock.now = written
        session.keys()  # reading sets `accessed`
        return commit(session)

    def python_reads(self, cookie_header, now, created, renewed, state, factory=None):
        session = open_session(factory or self.format.original, now, cookie_header)
        same('new', session.new, False)
        same('created', session.created, created)
        same('renewed', session.renewed, renewed)
        self.same_state(dict.copy(session), state)
        return session

    def same_state(self, found, wanted):
        """Compares two states. A pickle must also keep Python's types."""
        exactly = repr if self.format.serializer == 'pickle' else meaning
        same('state', exactly(found), exactly(wanted))

    def peer_writes(self, now, cookie_header, state):
        set_cookie = self.peer.write(now, cookie_header, self.as_texts(state))
        cookie, *attributes = set_cookie.split('; ')
        same('attributes', attributes, ['Path=/', 'SameSite=Lax'])
        return cookie

    def peer_reads(self, cookie_header, now, created, renewed, state, load_result='loaded'):
        read = self.peer.read(now, cookie_header)
        same('load result', read.load_result, load_result)
        same('created', read.created, created)
        same('renewed', read.renewed, renewed)
        wanted = as_json(state)
        same('state', meaning(read.state), meaning(wanted))
        same('items', meaning(read.items), meaning([(as_text(key), value) for key, value in wanted.items()]))

    def moment(self, offset):
        return NOW + offset + self.random.choice([0.0, 0.25, 0.75, self.random.random()])

    def dressed(self, cookie):
        """A Cookie header with this cookie, in a form that proxies and browsers may send."""
        name, _, value = cookie.partition('=')
        return self.random.choice([
            cookie, f'{name}="{value}"', f'{cookie}{"=" * (-len(value) % 4)}',
            f'first=1; {cookie}', f'{cookie}; last="a b"', f'a=b;{cookie};c', f'junk; ;= ; {cookie} ;',
            f'{name}=stale; {cookie}', f'{name}2=x; {cookie}; x{name}=y',
        ])

    def as_texts(self, state):
        """Keys, and values as JSON text, which is written in a random style."""
        for key, value in state.items():
            text = json.dumps(
                value, ensure_ascii=self.random.random() < 0.5, indent=self.random.choice([None, None, 1]),
                separators=self.random.choice([None, (',', ':'), (' , ', '\t: ')]))
            try:
                text.encode()
            except UnicodeEncodeError:  # a lone surrogate can only be escaped
                text = json.dumps(value)
            yield key, text

    # The exchanges

    def python_to_peer(self, state):
        cookie, created, renewed = self.python_writes(state)
        self.peer_reads(self.dressed(cookie), self.moment(160), created, renewed, state)

    def peer_to_python(self, state):
        created, state = self.moment(0), settable(state)
        if not state:
            same('Set-Cookie', self.peer.write(created, '', []), None)
            return
        cookie = self.peer_writes(created, '', state)
        self.python_reads(cookie, self.moment(60), created, int(created), state)
        if levels(state) <= self.format.deepest:
            of_python = replace(self.format, protocol=2).dumps(int(created), created, state)
            no_longer('the payload', self.format.payload(cookie), of_python)

    def python_to_peer_to_python(self, state):
        cookie, created, _ = self.python_writes(state)
        now, key = self.moment(160), self.random.choice([*settable(state), 'added'])
        changes = {key: 'set by the peer'}
        cookie = self.peer_writes(now, self.dressed(cookie), changes)
        state = {**state, **changes}
        session = self.python_reads(cookie, self.moment(200), created, int(now), state)
        no_longer('the payload', self.format.payload(cookie), self.format.dumps(int(now), created, state))
        if self.format.serializer == 'pickle':
            same('shared objects', objects(dict.copy(session)), objects(state))

    def python_to_reading_peer(self, state):
        """A session that the peer only reads is written back with nothing changed but its time."""
        cookie, created, _ = self.python_writes(state)
        readable = [key for key, value in state.items() if key == as_text(key) and is_finite(value)]
        if not readable:
            return
        now, payload = self.moment(160), self.format.payload(cookie)
        self.peer.open(now, self.dressed(cookie))
        self.peer.get(self.random.choice(readable))
        cookie = cookie_of(self.peer.commit())
        self.python_reads(cookie, self.moment(200), created, int(now), state)
        if self.format.serializer == 'pickle':
            same('payload', self.format.payload(cookie), with_time(payload, int(now)))
        else:
            no_longer('the payload', self.format.payload(cookie), payload)

    def peer_to_python_to_peer(self, state):
        created, state = self.moment(0), settable(state) or {'abc': '123'}
        cookie = self.peer_writes(created, '', state)
        session = self.python_reads(cookie, self.moment(60), created, int(created), state)
        session[self.random.choice([*state, 'added'])] = 'set by Python'
        [set_cookie] = commit(session)
        self.peer_reads(self.dressed(cookie_of(set_cookie)), self.moment(160), created, session.accessed, dict.copy(session))

    def limit_from_python(self):
        """Pyramid writes a cookie of the largest size."""
        def length(padding):
            return len(self.python_writes({'padding': 'p' * padding}, created=NOW, written=NOW)[0]) - len('session=')
        padding = next(padding for padding in range(1500, 3000) if length(padding) == LIMIT)
        state = {'padding': 'p' * padding}
        cookie, created, renewed = self.python_writes(state, created=NOW, written=NOW)
        self.peer_reads(cookie, NOW + 1.5, created, renewed, state)

    def limit_from_peer(self):
        """The peer writes a cookie of the largest size, and refuses to write the next larger one."""
        fits, does_not = 0, 4000
        while does_not - fits > 1:
            padding = (fits + does_not) // 2
            try:
                cookie = self.peer_writes(NOW, '', {'padding': 'p' * padding})
                fits = padding
            except PeerError as error:
                same('status', error.status, TOO_LARGE)
                does_not = padding
        state = {'padding': 'p' * fits}
        cookie = self.peer_writes(NOW, '', state)
        length = len(cookie) - len('session=')
        if not LIMIT - 1 <= length <= LIMIT:
            raise Mismatch(f'the longest cookie has {length} characters')
        self.python_reads(cookie, NOW + 60, NOW, NOW, state)

    def timeout(self):
        """On both sides, a session that was idle for 1200 seconds is loaded. If it was idle longer, it has expired."""
        state = {'user': 'ada'}
        cookie, created, renewed = self.python_writes(state)
        self.peer_reads(cookie, renewed + 1200.0, created, renewed, state)
        now = renewed + 1200.25
        self.peer_reads(cookie, now, now, now, {}, 'expired')
        cookie = self.peer_writes(NOW + 0.5, '', state)
        self.python_reads(cookie, NOW + 1200.0, NOW + 0.5, NOW, state)
        same('an expired state', dict.copy(open_session(self.format.original, NOW + 1200.25, cookie)), {})

    def tampered(self):
        """A changed character, a shortened cookie and another secret are detected."""
        cookie, _, _ = self.python_writes({'user': 'ada'})
        name, _, value = cookie.partition('=')
        for i in self.random.sample(range(len(value) - 1), 40):
            other = value[:i] + self.random.choice([c for c in 'AZaz09-_' if c != value[i]]) + value[i + 1:]
            same('load result', self.peer.read(NOW + 160.0, f'{name}={other}').load_result, 'bad_signature')
        cut = self.peer.read(NOW + 160.0, f'{name}={value[:len(value) // 4 * 4 - 4]}')
        same('load result', cut.load_result, 'bad_signature')
        same('state', cut.state, {})
        self.use(self.format.rotated(self.random))
        same('load result', self.peer.read(NOW + 160.0, cookie).load_result, 'bad_signature')

    def previous_secret(self):
        """A secret is rotated: the peer reads what Pyramid wrote with the old one, and writes it with the new one."""
        old, new, state = self.format, self.format.rotated(self.random), {'user': 'ada'}
        cookie, created, renewed = self.python_writes(state, old)
        previous = [('previous_' + name, value) for name, value in old.options() if name.startswith('secret')]
        self.use(new, previous)
        self.peer_reads(cookie, NOW + 160.0, created, renewed, state, 'loaded_previous_secret')
        cookie = self.peer_writes(NOW + 160.5, cookie, {})
        self.python_reads(cookie, NOW + 200.0, created, renewed, state)

    def other_format(self):
        """A site moves to this format from each of the others."""
        state = {'user': 'ada', 'cart': {'A-1': 2}, 'big': 2**70, 'price': 1.10}
        current = self.format
        for kind in KINDS:
            if kind == self.kind:
                continue
            old = KINDS[kind](self.random)
            cookie, created, renewed = self.python_writes(state, old)
            self.use(current, [(f'accept.before.{name}', value) for name, value in old.options()])
            self.peer_reads(cookie, NOW + 160.0, created, renewed, state, 'loaded_other_format')
            cookie = self.peer_writes(NOW + 160.5, cookie, {'moved': True})
            self.python_reads(cookie, NOW + 200.0, created, NOW + 160, {**state, 'moved': True})

    def keys_of_other_types(self):
        """Python's JSON turns keys that are numbers or constants into text, even if that text is already a key."""
        state = {1: 'one', 'x': 0, '1': 'text', 1.5: [], None: {}, 'null': 2, False: {3: 4, '3': 5}}
        written = {'1': 'text', 'x': 0, '1.5': [], 'null': 2, 'false': {'3': 5}}
        cookie, created, renewed = self.python_writes(state)
        self.peer_reads(cookie, NOW + 160.0, created, renewed, written)
        cookie = self.peer_writes(NOW + 160.5, cookie, {'added': 1})
        self.python_reads(cookie, NOW + 200.0, created, NOW + 160, {**written, 'added': 1})

    def bytes_are_text(self):
        """Bytes that are UTF-8 (protocol 3 and later) are read as text and stay bytes. Integers may have 4,300 digits."""
        self.use(replace(self.format, protocol=self.random.choice([3, 4, 5])))
        state = {'name': 'Zoë'.encode(), 'big': 10**4299}
        cookie, created, renewed = self.python_writes(state)
        self.peer_reads(cookie, NOW + 160.0, created, renewed, {**state, 'name': 'Zoë'})
        cookie = self.peer_writes(NOW + 160.5, cookie, {'added': 1})
        self.python_reads(cookie, NOW + 200.0, created, NOW + 160, {**state, 'added': 1})

    def unsupported(self):
        """A session with an object that is not data is not overwritten, and Pyramid can still read it."""
        recursive = []
        recursive.append(recursive)
        for value in [
            '\ud83d\udd11', datetime.date(2026, 1, 1), Decimal('1.10'), {1, 2}, frozenset('a'), 1j, range(3), {1: 'a key that is no text'},
            {('a', 'b'): 1}, b'\xff', Clock(), Clock, print, recursive, 10**4300,
        ]:
            for protocol in range(6):
                self.use(replace(self.format, protocol=protocol))
                cookie, created, renewed = self.python_writes({'user': 'ada', 'value': value})
                read = self.peer.read(NOW + 160.0, cookie)
                same(f'load result of a {type(value).__name__} in protocol {protocol}', read.load_result, 'unsupported')
                same('state', read.state, {})
                try:
                    set_cookie = self.peer.write(NOW + 160.0, cookie, [('added', '1')])
                    raise Mismatch(f'a {type(value).__name__} was overwritten by {set_cookie}')
                except PeerError as error:
                    same('status', error.status, UNSUPPORTED)
                    if 'under the key "value"' not in str(error):
                        raise Mismatch(f'the error does not name the key: {error}') from error
                session = open_session(self.format.original, NOW + 200.0, cookie)
                same('user', dict.copy(session)['user'], 'ada')


def is_finite(value):
    text = json.dumps(value, default=bytes.decode)
    return 'NaN' not in text and 'Infinity' not in text


def with_time(payload, time):
    """A pickle that Pyramid wrote, with its first time replaced."""
    opcodes = [(opcode.name, start) for opcode, _, start in pickletools.genops(payload)]
    first = next(i for i, (name, _) in enumerate(opcodes) if name not in ['PROTO', 'FRAME', 'MARK'])
    (_, start), (_, end) = opcodes[first:first + 2]
    changed = payload[:start] + b'J' + struct.pack('<i', time) + payload[end:]
    if opcodes[1][0] == 'FRAME':
        [length] = struct.unpack('<Q', payload[3:11])
        changed = changed[:3] + struct.pack('<Q', length + len(changed) - len(payload)) + changed[11:]
    return changed


def exchanges(peer, originals, store, arguments):
    """Runs every exchange of a peer. Yields each with its kind."""
    for kind in KINDS:
        exchange = Exchange(peer, kind, arguments.seed)
        exchange.run(arguments.states)
        yield kind, exchange
    for kind in ALTERNATING:
        alternation = Alternation(peer, originals, kind, store, arguments.seed)
        alternation.run(arguments.states // 10)
        yield kind, alternation


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument('--peers', default=','.join(COMMANDS), help='the peers, separated by commas (%(default)s)')
    arguments.add_argument('--seed', default='1', help='seed of the generated states (%(default)s)')
    arguments.add_argument('--states', type=int, default=120, help='generated states for each format (%(default)s)')
    arguments = arguments.parse_args()

    passed = failed = 0
    with redis_server() as store:
        originals = {name: Peer(name) for name in ORIGINALS}
        for name in arguments.peers.split(','):
            peer = Peer(name)
            for kind, exchange in exchanges(peer, originals, store, arguments):
                passed += exchange.passed
                failed += len(exchange.failures)
                print(f'{name:5} {kind:30} {exchange.passed:5} exchanged, {len(exchange.failures)} failed', flush=True)
                for failure in exchange.failures[:10]:
                    print(f'      {failure}')
            failed += not ended(peer)
        failed += sum(not ended(original) for original in originals.values())
    print(f'interop: {passed} passed, {failed} failed')
    return failed == 0 and passed > 0


def ended(peer):
    status = peer.close()
    if status != 0:
        print(f'{peer.name} ended with status {status}')
    return status == 0


if __name__ == '__main__':
    sys.exit(not main())
