"""The vectors of the originals that keep sessions in Redis, and of Beaker's cookies.

Each case has the Set-Cookie value and the records that the original left in Redis.
"""

import base64
import json
import pickletools
import re
import zlib
from contextlib import ExitStack

from originals import cookie_of
from peer import Peer, PeerError
from redis import Redis
from redis_server import redis_server

WRITTEN, NOW = 1795442014.5, 1795442100.0
SECRET, TIMEOUT = 'itsaseekreet', 1200

STATES = {
    'empty': {},
    'login': {'user_id': 42, 'name': 'Zoë', '_csrft_': '00112233445566778899aabbccddeeff00112233'},
    'flash': {'_f_': ['one', 'two'], '_f_error': [{'code': 500}]},
    'nested': {'cart': [{'sku': 'A-1', 'qty': 2, 'price': 9.5}], 'big': 2**70, 'none': None, 't': True},
}
BEAKER_KINDS = {
    'ext:redis': {'type': 'store'}, 'cookie': {'type': 'signed_cookie'},
    'cookie, encrypted (crypto_type cryptography)': {'type': 'encrypted_cookie', 'encrypt_key': 'sesame'},
}


class StoredVectors:
    FILES = {
        'beaker': (
            'pyramid 2', 'Set-Cookie and Redis records as Beaker 1.14.1 with pyramid_beaker 0.9 wrote them',
            [(name, serializer, kind) for name in ['login', 'flash', 'nested'] for serializer in ['json', 'pickle']
             for kind in BEAKER_KINDS]),
        'pyramid_redis_sessions': (
            'pyramid 1', 'Set-Cookie and Redis records as pyramid_redis_sessions 1.0.1 (Pyramid 1.10) wrote them',
            [(name, 'pickle', None) for name in STATES]),
        'pyramid_session_redis': (
            'pyramid 2', 'Set-Cookie and Redis records as pyramid_session_redis 1.8.1 wrote them',
            [(name, serializer, None) for name in ['login', 'flash', 'nested'] for serializer in ['pickle', 'json']]),
    }

    def __enter__(self):
        self.stack = ExitStack()
        self.store = self.stack.enter_context(redis_server())
        self.redis = Redis.from_url(self.store.removeprefix('redis+'))
        self.originals = {name: Peer(name) for name, _, _ in self.FILES.values()}
        return self

    def __exit__(self, *error):
        for original in self.originals.values():
            original.close()
        return self.stack.__exit__(*error)

    def files(self):
        for file, (_, description, cases) in self.FILES.items():
            yield file, {'description': description, 'cases': [self.write(file, *case) for case in cases]}

    def write(self, file, name, serializer, kind):
        state = STATES[name]
        secrets = {'secret': SECRET}
        if kind:
            options = BEAKER_KINDS[kind]
            secrets = {'kind': kind, 'secret' if options['type'] == 'store' else 'validate_key': SECRET}
            secrets.update((name, value) for name, value in options.items() if name == 'encrypt_key')
        case = {**secrets, 'serializer': serializer, 'timeout': TIMEOUT}
        self.redis.flushall()
        set_cookie = self.original_of(file, case).write(WRITTEN, '', [(key, json.dumps(state[key])) for key in state])
        return {'name': name, 'set_cookie': set_cookie, 'records': self.records(), 'state_json': json.dumps(state), **case}

    def original_of(self, file, case):
        original = self.originals[self.FILES[file][0]]
        options = {
            'library': file, 'type': 'store', 'store': self.store, 'serializer': case['serializer'],
            'timeout': str(case['timeout']), 'secret': case.get('secret') or case['validate_key'],
        }
        original.factory((options | BEAKER_KINDS.get(case.get('kind'), {})).items())
        return original

    def records(self):
        keys = [key for key in self.redis.keys() if not key.startswith(b'beaker_lock:')]
        return {key.decode(): {
            'ttl': self.redis.ttl(key), 'value_base64': base64.b64encode(self.redis.get(key)).decode(),
        } for key in keys}

    def difference(self, file, fresh, committed):
        """How the committed file differs from what the original writes, or which cases the original does not open. An
        empty text if there is no difference."""
        if without_random_parts(fresh) != without_random_parts(committed):
            return 'DIFFERS from what the original writes'
        unread = [case['name'] for case in committed['cases'] if not self.opens(file, case)]
        return f'is NOT OPENED by the original: {", ".join(unread)}' if unread else ''

    def opens(self, file, case):
        original = self.original_of(file, case)
        self.redis.flushall()
        for key, record in case['records'].items():
            self.redis.set(key, base64.b64decode(record['value_base64']), ex=record['ttl'])
        try:
            read = original.read(NOW, cookie_of(case['set_cookie']))
        except PeerError:  # Beaker raises an exception for a cookie that it refuses
            return False
        return read.load_result == 'loaded' and json.dumps(read.state) == case['state_json']


# A new file is compared with the committed one, except for ids, times and values that depend on them. Pickles are
# compared opcode by opcode. The contents of encrypted cookies cannot be compared.

ID = re.compile(r'[0-9a-f]{32}|[0-9a-f]{64}|[\w-]{64}')


def without_random_parts(content):
    if isinstance(content, dict):
        return {masked(name): without_random_parts(value) for name, value in content.items()}
    if isinstance(content, list):
        return [without_random_parts(value) for value in content]
    return masked(content)


def masked(value):
    """A value without ids and times. A text that contains other values is decoded first."""
    if isinstance(value, bytes):
        return ['bytes', *map(without_random_parts, contents(value))]
    if isinstance(value, (int, float)):
        return 'a time' if 1.7e9 < value < 1.9e9 else value
    if not isinstance(value, str):
        return value
    if ID.fullmatch(value):
        return 'an id'
    if value.startswith('beaker_cache:'):
        return re.sub(ID, 'an id', value)
    if cookie := re.fullmatch(r'( ?[\w.]+=)([^;]*)(;.*)', value):
        return [cookie[1], masked_cookie(cookie[2]), cookie[3]]
    if len(value) > 40 and re.fullmatch(r'[A-Za-z0-9+/]+=*', value) and len(value) % 4 == 0:
        return masked(base64.b64decode(value))
    return value


def masked_cookie(value):
    if re.match(r'[0-9a-f]{40}', value):  # signed in hex digits
        value = value[40:]
        return 'encrypted' if re.match(r'.{22}==', value) else masked(value)
    return masked(base64.urlsafe_b64decode(value + '=' * (-len(value) % 4))[64:].decode())


def contents(data):
    if data.startswith(b'\x80'):
        return [[code.name, None if code.name == 'FRAME' else argument] for code, argument, _ in pickletools.genops(data)]
    if data.startswith(b'x'):
        data = zlib.decompress(data)
    return [json.loads(data)]
