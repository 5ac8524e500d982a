"""Exchanges in which an original and a peer take turns in one session, or use it at the same time.

The originals are those that keep sessions in Redis, and Beaker's cookies.
"""

import base64
import datetime
import json
import pickle
import time
from random import Random
from threading import Thread

from checks import Attempts, Mismatch, meaning, no_longer, objects, same
from formats import SECRETS
from originals import cookie_of
from peer import Peer, PeerError
from redis import Redis
from states import fixed, generated, levels, settable

NOW = 1_700_000_000
TIMEOUT = 1200
UNSUPPORTED, GONE = 9, 14
TEXT_SECRETS = ['itsaseekreet', 'k' * 64, 'k' * 200]  # Beaker can encrypt only with ASCII

# The environment of the original, and khufu's options.
KINDS = {
    'pyramid_session_redis json': ('pyramid 2', {'library': 'pyramid_session_redis', 'type': 'store', 'serializer': 'json'}),
    'pyramid_session_redis pickle': ('pyramid 2', {'library': 'pyramid_session_redis', 'type': 'store', 'serializer': 'pickle'}),
    'pyramid_redis_sessions pickle': ('pyramid 1', {'library': 'pyramid_redis_sessions', 'type': 'store', 'serializer': 'pickle'}),
    **{
        f'beaker {where} {serializer}': ('pyramid 2', {'library': 'beaker', 'type': where, 'serializer': serializer})
        for where in ['store', 'signed_cookie', 'encrypted_cookie'] for serializer in ['json', 'pickle']
    },
}


class Alternation(Attempts):
    """The exchanges of one peer in one kind of format."""

    def __init__(self, peer, originals, kind, store, seed):
        super().__init__()
        environment, self.kind = KINDS[kind]
        self.peer, self.original = peer, originals[environment]
        self.store, self.redis = store, Redis.from_url(store.removeprefix('redis+'))
        self.random = Random(f'{seed} {kind}')

    def run(self, number_of_states):
        for name, state in [*fixed(), *generated(self.random, number_of_states)]:
            state = settable(state)
            if self.fits(state):
                self.use()
                for exchange in [self.original_to_peer, self.peer_to_original, self.by_turns]:
                    self.attempt(exchange, name, state)
        for exchange in [
            self.flash_messages, self.csrf_token, self.reading_renews, self.timeout_of_the_originals, self.timeout_of_the_peers,
            self.as_browsers_send_it, self.tampered, self.another_secret,
            *(self.of_records() if self.stored else [self.other_format]),
        ]:
            self.redis.flushall()
            self.use()
            self.attempt(exchange)

    def of_records(self):
        return [
            self.peer_keeps_what_the_original_wrote, self.original_writes_blindly, self.original_brings_back,
            self.flashed_at_once, self.peers_lose_nothing, self.large, self.deleted_by_the_original, self.deleted_by_the_peer,
            self.set_after_invalidate,
            self.regenerated, self.never_issued, self.expiry_in_redis,
            *([self.timeout_of_the_record] if self.name != 'beaker' else []),
            *([self.no_timeout] if self.name != 'pyramid_redis_sessions' else []),
            *([self.unsupported, self.python_types] if self.format['serializer'] == 'pickle' else []),
        ]

    @property
    def name(self):
        return self.format['library']

    @property
    def stored(self):
        return self.kind['type'] == 'store'

    def fits(self, state):
        """True if both sides can write the state. No side keeps an empty session."""
        return state and levels(state) < 400 and (self.stored or len(json.dumps(state)) < 1300)

    def use(self, secret=None, **options):
        encrypted = self.kind['type'] == 'encrypted_cookie'
        secret = secret or self.random.choice(TEXT_SECRETS if encrypted else SECRETS)
        self.format = {
            **self.kind, 'secret': secret, 'timeout': str(TIMEOUT),
            **({'store': self.store} if self.stored else {}),
            **({'encrypt_key': self.random.choice(TEXT_SECRETS)} if encrypted else {}),
            **({'cookie_name': 'beaker.session.id'} if self.kind['library'] == 'beaker' else {}),
            **options,
        }
        self.original.factory(self.format.items())
        self.peer.factory(self.format.items())

    # Actions of either side

    def begin(self, side, state, now=NOW):
        """Begins a session. Returns the Cookie header of the browser's next request."""
        return cookie_of(self.wrote(side, now, '', state))

    def change(self, side, now, cookie, changes):
        """Sets these keys. Returns the Cookie header of the browser's next request."""
        set_cookie = self.wrote(side, now, cookie, changes)
        return cookie_of(set_cookie) if set_cookie else cookie

    def wrote(self, side, now, cookie, changes):
        return side.write(now, cookie, [(key, json.dumps(value)) for key, value in changes.items()])

    def committed(self, side, cookie):
        set_cookie = side.commit()
        return cookie_of(set_cookie) if set_cookie else cookie

    def both_read(self, cookie, now, renewed, state):
        """Checks that the original and the peer read this session."""
        seen = [side.read(now, cookie) for side in [self.original, self.peer]]
        for read in seen:
            same('load result', read.load_result, 'loaded')
            same('state', meaning(read.state), meaning(state))
            same('items', meaning(read.items), meaning(list(state.items())))
            if self.name != 'pyramid_redis_sessions':  # it has no such time, only the TTL in Redis
                near('renewed', read.renewed, renewed)
        same("the peer's created", seen[1].created, seen[0].created)
        near('created', seen[0].created, NOW)

    def is_new(self, side, now, cookie, load_result):
        read = side.read(now, cookie)
        same('load result', read.load_result, load_result)
        same('state', read.state, {})

    def moment(self, offset):
        return NOW + offset + self.random.choice([0.0, 0.25, 0.75, self.random.random()])

    # The exchanges of a state

    def original_to_peer(self, state):
        now = self.moment(0)
        self.both_read(self.begin(self.original, state, now), self.moment(100), now, state)

    def peer_to_original(self, state):
        now = self.moment(0)
        set_cookie = self.wrote(self.peer, now, '', state)
        same('attributes', set_cookie.split('; ')[1:], ['Path=/', 'SameSite=Lax'])
        self.both_read(cookie_of(set_cookie), self.moment(100), now, state)

    def by_turns(self, state):
        first, second = [self.original, self.peer] if self.random.random() < 0.5 else [self.peer, self.original]
        cookie, state = self.begin(first, state, self.moment(0)), dict(state)
        for turn in range(4):
            changes = {self.random.choice([*state, 'added']): {'turn': turn}, f'key {turn}': [turn, 1.5, None]}
            now = self.moment(100 * turn + 100)
            cookie = self.change([second, first][turn % 2], now, cookie, changes)
            state.update(changes)
        self.both_read(cookie, now + 60, now, state)

    # Other exchanges

    def flash_messages(self):
        for first, second in [[self.original, self.peer], [self.peer, self.original]]:
            cookie = self.begin(first, {'user': 'ada'})
            first.open(NOW + 1.0, cookie)
            first.flash('one')
            first.flash('é "two"')
            first.flash('bad', 'error')
            cookie = self.committed(first, cookie)
            second.open(NOW + 2.0, cookie)
            same('messages', second.pop_flash(), ['one', 'é "two"'])
            second.flash('three', 'error')
            cookie = self.committed(second, cookie)
            first.open(NOW + 3.0, cookie)
            same('messages', [first.pop_flash(), first.pop_flash('error')], [[], ['bad', 'three']])
            cookie = self.committed(first, cookie)
            self.both_read(cookie, NOW + 4.0, NOW + 3.0, {'user': 'ada'})

    def csrf_token(self):
        for first, second in [[self.original, self.peer], [self.peer, self.original]]:
            cookie = self.begin(first, {'user': 'ada'})
            first.open(NOW + 1.0, cookie)
            token = first.csrf_token()
            cookie = self.committed(first, cookie)
            second.open(NOW + 2.0, cookie)
            same('token', second.csrf_token(), token)
            self.both_read(cookie, NOW + 3.0, NOW + 1.0, {'user': 'ada', '_csrft_': token})

    def reading_renews(self):
        """A session that only the peer reads stays alive for the original."""
        cookie = self.begin(self.original, {'user': 'ada'})
        self.peer.open(NOW + 1000.0, cookie)
        same('user', self.peer.get('user'), 'ada')
        cookie = self.committed(self.peer, cookie)
        self.both_read(cookie, NOW + 2000.0, NOW + 1000, {'user': 'ada'})

    def timeout_of_the_originals(self):
        """A session that the original wrote is loaded until it has been idle for the timeout."""
        cookie, name = self.begin(self.original, {'user': 'ada'}), self.name
        if name == 'pyramid_redis_sessions':
            self.wait_for_expiry()
            self.is_new(self.peer, NOW + 1.0, cookie, 'missing')
        else:
            same('load result', self.peer.read(NOW + TIMEOUT - 1.0, cookie).load_result, 'loaded')
            self.is_new(self.peer, NOW + TIMEOUT + 1.5, cookie, 'expired')

    def timeout_of_the_peers(self):
        cookie, name = self.begin(self.peer, {'user': 'ada'}), self.name
        if name == 'pyramid_redis_sessions':
            self.wait_for_expiry()
            self.is_new(self.original, NOW + 1.0, cookie, 'none')
        else:
            same('state', self.original.read(NOW + TIMEOUT - 1.0, cookie).state, {'user': 'ada'})
            same('state', self.original.read(NOW + TIMEOUT + 1.5, cookie).state, {})

    def wait_for_expiry(self):
        [key] = self.records()
        self.redis.pexpire(key, 1)
        while self.redis.exists(key):
            time.sleep(0.001)

    def as_browsers_send_it(self):
        cookie = self.begin(self.original, {'user': 'ada'})
        name, _, value = cookie.partition('=')
        for header in [
            f'{name}="{value}"', f'first=1; {cookie}; last="a b"', f'{name}=stale; {cookie}', f'{cookie};{name}=stale',
        ]:
            same(f'load result of {header}', self.peer.read(NOW + 1.0, header).load_result, 'loaded')

    def other_format(self):
        """A site moves from Beaker's cookies to khufu's."""
        cookie, old = self.begin(self.original, {'user': 'ada'}), self.format
        new = {'secret': 'new', 'cookie_name': old['cookie_name']}
        accepted = ['library', 'type', 'serializer', 'secret', 'encrypt_key']
        self.peer.factory((new | {f'accept.before.{name}': old[name] for name in accepted if name in old}).items())
        same('load result', self.peer.read(NOW + 1.0, cookie).load_result, 'loaded_other_format')
        cookie = self.change(self.peer, NOW + 1.0, cookie, {'moved': True})
        read = self.peer.read(NOW + 2.0, cookie)
        same('session', [read.load_result, read.created, read.state], ['loaded', NOW, {'user': 'ada', 'moved': True}])

    def tampered(self):
        """A changed, missing or added character is detected."""
        cookie = self.begin(self.original, {'user': 'ada'})
        name, _, value = cookie.partition('=')
        for i in self.random.sample(range(len(value)), 20):
            other = self.random.choice([c for c in '0Az-9' if c != value[i]])
            read = self.peer.read(NOW + 1.0, f'{name}={value[:i]}{other}{value[i + 1:]}')
            if read.load_result not in ['bad_signature', 'malformed'] or read.state:
                raise Mismatch(f'{value} with {other} at {i} is {read.load_result}')
        for other in [value[:-1], value + 'A', value[40:], 'A' * len(value)]:
            read = self.peer.read(NOW + 1.0, f'{name}={other}')
            if read.load_result not in ['bad_signature', 'malformed'] or read.state:
                raise Mismatch(f'{other} is {read.load_result}')

    def another_secret(self):
        cookie, old = self.begin(self.original, {'user': 'ada'}), self.format
        kept = {name: old[name] for name in old if name == 'encrypt_key'}
        self.use(secret='another', **kept)
        self.is_new(self.peer, NOW + 1.0, cookie, 'bad_signature')
        self.use(secret='another', previous_secret=old['secret'], **kept)
        same('load result', self.peer.read(NOW + 1.0, cookie).load_result, 'loaded_previous_secret')
        cookie = self.change(self.peer, NOW + 2.0, cookie, {'seen': True})
        self.both_read(cookie, NOW + 3.0, NOW + 2.0, {'user': 'ada', 'seen': True})

    # Both sides at the same time, and the records in Redis

    def records(self):
        """The keys of all records. An exchange begins without any."""
        return [key for key in self.redis.keys() if not key.startswith(b'beaker_lock:')]

    def peer_keeps_what_the_original_wrote(self):
        """The original commits while the peer has the session open. The peer overwrites nothing."""
        cookie = self.begin(self.original, {'user': 'ada', 'gone': 1, 'both': 0})
        self.peer.open(NOW + 1.0, cookie)
        self.original.open(NOW + 1.0, cookie)
        self.original.set('original', 1)
        self.original.set('both', 'the original')
        self.original.delete('gone')
        self.original.commit()
        self.peer.set('peer', 2)
        self.peer.set('both', 'the peer')
        cookie = self.committed(self.peer, cookie)
        self.both_read(cookie, NOW + 2.0, NOW + 1.0, {'user': 'ada', 'both': 'the peer', 'original': 1, 'peer': 2})

    def original_writes_blindly(self):
        """If the peer commits while the original has the session open, the original overwrites the peer's changes."""
        cookie = self.begin(self.original, {'user': 'ada'})
        self.original.open(NOW + 1.0, cookie)
        self.original.get('user')
        self.change(self.peer, NOW + 1.0, cookie, {'peer': 2})
        self.original.set('original', 1)
        self.original.commit()
        self.both_read(cookie, NOW + 2.0, NOW + 1.0, {'user': 'ada', 'original': 1})

        self.original.open(NOW + 3.0, cookie)
        self.original.get('user')
        self.change(self.peer, NOW + 3.0, cookie, {'peer': 2})
        self.original.commit()
        kept = {'peer': 2} if self.name == 'pyramid_redis_sessions' else {}  # the others save after a read, too
        self.both_read(cookie, NOW + 4.0, NOW + 3.0, {'user': 'ada', 'original': 1, **kept})

    def original_brings_back(self):
        """A session that the peer ended is restored if a request of the original that opened it earlier writes it."""
        cookie = self.begin(self.original, {'user': 'ada'})
        self.original.open(NOW + 1.0, cookie)
        self.original.get('user')
        self.peer.open(NOW + 1.0, cookie)
        self.peer.invalidate()
        self.peer.commit()
        self.original.set('original', 1)
        self.original.commit()
        self.both_read(cookie, NOW + 2.0, NOW + 1.0, {'user': 'ada', 'original': 1})

    def flashed_at_once(self):
        cookie = self.begin(self.original, {'_f_': ['old']})
        self.peer.open(NOW + 1.0, cookie)
        same('messages', self.peer.pop_flash(), ['old'])
        self.peer.flash('of the peer')
        self.original.open(NOW + 1.0, cookie)
        self.original.flash('of the original')
        self.original.commit()
        self.peer.commit()
        self.both_read(cookie, NOW + 2.0, NOW + 1.0, {'_f_': ['of the original', 'of the peer']})

    def peers_lose_nothing(self):
        """Two processes of the peer's language write to one session as fast as they can."""
        cookie, wanted = self.begin(self.original, {'user': 'ada'}), {'user': 'ada'}
        other = Peer(self.peer.name)
        other.factory(self.format.items())
        writers = []
        for side, name in [(self.peer, 'one'), (other, 'other')]:
            keys = [f'{name} {i}' for i in range(30)]
            wanted.update(dict.fromkeys(keys, 1))
            writers.append(Thread(target=lambda side, keys: [self.wrote(side, NOW + 1.0, cookie, {key: 1}) for key in keys],
                                  args=(side, keys)))
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        same('status', other.close(), 0)
        same('state', self.original.read(NOW + 2.0, cookie).state, wanted)

    def large(self):
        state = {'text': 'é"\\' * 20_000, 'numbers': list(range(5_000))}
        self.both_read(self.begin(self.original, state), NOW + 1.0, NOW, state)
        self.both_read(self.begin(self.peer, state), NOW + 1.0, NOW, state)

    def deleted_by_the_original(self):
        """A commit of the peer does not restore a session that was deleted while the peer had it open."""
        cookie = self.begin(self.original, {'user': 'ada'})
        self.peer.open(NOW + 1.0, cookie)
        self.peer.set('seen', True)
        self.original.open(NOW + 1.0, cookie)
        self.original.invalidate()
        self.original.commit()
        if self.name == 'beaker':  # Beaker keeps the record and changes the id, so delete the record here
            self.redis.delete(*self.records())
        try:
            raise Mismatch(f'the commit succeeded with {self.peer.commit()}')
        except PeerError as error:
            same('status', error.status, GONE)
        self.is_new(self.peer, NOW + 2.0, cookie, 'missing')
        self.is_new(self.original, NOW + 2.0, cookie, 'none')

    def deleted_by_the_peer(self):
        cookie = self.begin(self.original, {'user': 'ada'})
        self.peer.open(NOW + 1.0, cookie)
        self.peer.invalidate()
        set_cookie = self.peer.commit()
        same('cleared', [set_cookie.split('; ')[0].partition('=')[2], 'Max-Age=0' in set_cookie], ['', True])
        same('records', self.records(), [])
        self.is_new(self.original, NOW + 2.0, cookie, 'none')

    def set_after_invalidate(self):
        """Values set after `invalidate` belong to a new session."""
        cookie = self.begin(self.original, {'user': 'ada'})
        self.peer.open(NOW + 1.0, cookie)
        self.peer.invalidate()
        self.peer.set('user', 'eve')
        began = self.committed(self.peer, cookie)
        self.both_read(began, NOW + 2.0, NOW + 1.0, {'user': 'eve'})
        self.is_new(self.peer, NOW + 2.0, cookie, 'missing')
        self.is_new(self.original, NOW + 2.0, cookie, 'none')

    def regenerated(self):
        cookie = self.begin(self.original, {'cart': [1]})
        self.peer.open(NOW + 1.0, cookie)
        self.peer.set('user', 'ada')
        self.peer.regenerate_id()
        moved = self.committed(self.peer, cookie)
        self.both_read(moved, NOW + 2.0, NOW + 1.0, {'cart': [1], 'user': 'ada'})
        self.is_new(self.peer, NOW + 2.0, cookie, 'missing')
        self.is_new(self.original, NOW + 2.0, cookie, 'none')

    def never_issued(self):
        """A genuine id without a record opens a new session, which gets another id."""
        cookie = self.begin(self.original, {'user': 'ada'})
        self.redis.flushall()
        self.is_new(self.peer, NOW + 1.0, cookie, 'missing')
        began = self.change(self.peer, NOW + 1.0, cookie, {'user': 'eve'})
        if began == cookie:
            raise Mismatch('the id from the browser was reused')
        self.both_read(began, NOW + 2.0, NOW + 1.0, {'user': 'eve'})

    def expiry_in_redis(self):
        """Whichever side writes last, the record gets the TTL that the original would set."""
        seconds = TIMEOUT + (120 if self.name == 'beaker' else 0)
        for side, cookie in [(self.original, ''), (self.peer, '')]:
            self.redis.flushall()
            cookie = self.begin(side, {'user': 'ada'})
            for writer in [self.peer, self.original, self.peer]:
                self.change(writer, NOW + 1.0, cookie, {'by': writer.name})
                [key] = self.records()
                near('time to live', self.redis.ttl(key), seconds)

    def timeout_of_the_record(self):
        """A session keeps the timeout with which it began."""
        self.use(timeout='60')
        cookie = self.begin(self.original, {'user': 'ada'})
        self.peer.factory((self.format | {'timeout': '1200'}).items())
        self.change(self.peer, NOW + 30.0, cookie, {'seen': True})
        [key] = self.records()
        near('time to live', self.redis.ttl(key), 60)
        if self.name == 'pyramid_session_redis':
            self.both_read(cookie, NOW + 89.0, NOW + 30, {'user': 'ada', 'seen': True})
            self.is_new(self.peer, NOW + 92.0, cookie, 'expired')

    def no_timeout(self):
        self.use(timeout='')
        for side in [self.original, self.peer]:
            self.redis.flushall()
            cookie = self.begin(side, {'user': 'ada'})
            cookie = self.change(self.peer, NOW + 1.0, cookie, {'seen': True})
            [key] = self.records()
            same('time to live', self.redis.ttl(key), -1)
            for reader in [self.original, self.peer]:
                same('state', reader.read(NOW + 10.0**8, cookie).state, {'user': 'ada', 'seen': True})

    def unsupported(self):
        """A session with an object that is not data is not overwritten."""
        cookie = self.begin(self.original, {'user': 'ada'})
        [key] = self.records()
        record = changed(self.name, self.redis.get(key), {'date': datetime.date(2026, 1, 1)})
        self.redis.set(key, record, keepttl=True)
        self.is_new(self.peer, NOW + 1.0, cookie, 'unsupported')
        try:
            raise Mismatch(f"the session was overwritten: {self.wrote(self.peer, NOW + 1.0, cookie, {'added': 1})}")
        except PeerError as error:
            same('status', error.status, UNSUPPORTED)
            if 'datetime.date under the key "date"' not in str(error):
                raise Mismatch(f'the error names neither class nor key: {error}') from error
        same('record', self.redis.get(key), record)

    def python_types(self):
        """Values that the peer does not change, or only merges, keep their types. The record is no longer than the
        original's."""
        cookie = self.begin(self.original, {'user': 'ada'})
        [key] = self.records()
        row = {'colour': 'red', 'sizes': (1, 2)}
        values = {'pair': (1, 'two'), 'token': b'abc', 'rows': [row, row, dict(row)], 'deep': [({'t': (b'',)},)], 'price': 1.0}
        self.redis.set(key, changed(self.name, self.redis.get(key), values), keepttl=True)
        self.peer.open(NOW + 1.0, cookie)
        values['late'] = (b'meanwhile', (1,))
        self.redis.set(key, changed(self.name, self.redis.get(key), values), keepttl=True)
        self.peer.set('added', 1)
        self.peer.commit()
        record, wanted = self.redis.get(key), {'user': 'ada', **values, 'added': 1}
        same('state', repr(state_of(self.name, record)), repr(wanted))
        same('shared objects', objects(state_of(self.name, record)), objects(wanted))
        no_longer('the record', record, changed(self.name, record, {}))


def near(what, found, wanted):
    """Checks a time to the second, because some of the originals round to it."""
    if abs(found - wanted) > 1:
        raise Mismatch(f'{what} is {found!r}, not {wanted!r}')


def state_of(name, record):
    """The data in an original's pickled record."""
    record = pickle.loads(record)
    if name == 'beaker':
        record = pickle.loads(base64.b64decode(record))
        return {key: value for key, value in record.items() if not key.startswith('_')}
    return record['m' if name == 'pyramid_session_redis' else 'managed_dict']


def changed(name, record, values):
    """An original's pickled record with more values, as Python writes it."""
    record = pickle.loads(record)
    if name == 'beaker':
        state = pickle.loads(base64.b64decode(record))
        return pickle.dumps(base64.b64encode(pickle.dumps(state | values, 4)).decode())
    record['m' if name == 'pyramid_session_redis' else 'managed_dict'].update(values)
    return pickle.dumps(record)
