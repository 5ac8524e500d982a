"""Writes hostile_pickle.json: genuine signed cookies whose pickles would run code, take all memory, or are none.

`generate_hostile_pickle.py --check` compares the file with what would be written. Nothing here is ever unpickled
with its classes: reading back, for the checks, finds none.
"""

import base64
import datetime
import decimal
import hmac
import io
import json
import pickle
import struct
import sys
from collections import OrderedDict
from pathlib import Path

FILE = Path(__file__).resolve().parent / 'hostile_pickle.json'
CREATED, RENEWED, NOW = 1699999899.75, 1700000000, 1700000060
SECRET, SALT = 'itsaseekreet', 'pyramid.session.'
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)

TIMES = b'J' + struct.pack('<i', RENEWED) + b'G' + struct.pack('>d', CREATED)


def text(data):
    return b'X' + struct.pack('<I', len(data.encode())) + data.encode()


def holding(value):
    """The pickle of (renewed, created, {'a': value}), from the opcodes that make the value."""
    return b'\x80\x04' + TIMES + b'}' + text('a') + value + b's\x87.'


def of_state(state):
    """The pickle of (renewed, created, state), from the opcodes that make the state."""
    return b'\x80\x04' + TIMES + state + b'\x87.'


def python(value, protocol=4):
    """The pickle that Python writes of a session that holds the value."""
    return pickle.dumps((RENEWED, CREATED, {'a': value}), protocol)


def nested(levels, value, wrap):
    for _ in range(levels):
        value = wrap(value)
    return value


class Point:
    """Stands for a site's own class."""

    def __init__(self, x):
        self.x = x


Point.__module__ = 'site.models'
sys.modules['site.models'] = type(sys)('site.models')
sys.modules['site.models'].Point = Point


class System:
    """What an attacker pickles."""

    def __reduce__(self):
        import os
        return os.system, ('echo owned',)


def code():
    """Each way to name a class or to call something: as an attack would, and each opcode alone, on plain data."""
    for protocol in PROTOCOLS:
        name = 'STACK_GLOBAL' if protocol >= 4 else 'GLOBAL'
        yield f'os.system, protocol {protocol}', python(System(), protocol), name
        yield f'an object, protocol {protocol}', python(Point(1), protocol), name
    yield 'os.system by GLOBAL and REDUCE', holding(b"cposix\nsystem\n(S'echo owned'\ntR"), 'GLOBAL'
    yield 'os.system by STACK_GLOBAL', holding(text('os') + text('system') + b'\x93' + text('echo owned') + b'\x85R'), 'STACK_GLOBAL'
    yield 'os.system by INST', holding(b"(S'echo owned'\nios\nsystem\n"), 'INST'
    yield 'os.system by OBJ', holding(b"(cos\nsystem\nS'echo owned'\no"), 'GLOBAL'
    yield 'eval before the session', b"cbuiltins\neval\n(S'1'\ntR0" + holding(b'N'), 'GLOBAL'
    yield 'os.system in place of the session', b"cos\nsystem\n(S'echo owned'\ntR.", 'GLOBAL'
    yield 'os.system as a key', of_state(b'}cos\nsystem\nNs'), 'GLOBAL'
    yield 'a global that was forgotten again', holding(b'cos\nsystem\n0N'), 'GLOBAL'
    yield 'GLOBAL', holding(b'cbuiltins\nint\n'), 'GLOBAL'
    yield 'REDUCE', holding(b'K\x01)R'), 'REDUCE'
    yield 'OBJ', holding(b'(K\x01o'), 'OBJ'
    yield 'NEWOBJ', holding(b'K\x01)\x81'), 'NEWOBJ'
    yield 'NEWOBJ_EX', holding(b'K\x01)}\x92'), 'NEWOBJ_EX'
    yield 'BUILD', holding(b'}}b'), 'BUILD'
    yield 'EXT1', holding(b'\x82\x01'), 'EXT1'
    yield 'EXT2', holding(b'\x83\x01\x00'), 'EXT2'
    yield 'EXT4', holding(b'\x84\x01\x00\x00\x00'), 'EXT4'
    yield 'PERSID', holding(b'Pname\n'), 'PERSID'
    yield 'BINPERSID', holding(b'K\x01Q'), 'BINPERSID'
    yield 'NEXT_BUFFER', holding(b'\x97'), 'NEXT_BUFFER'
    yield 'READONLY_BUFFER', holding(b'K\x01\x98'), 'READONLY_BUFFER'


def beyond_json():
    """What Python's own pickles hold and a session of ours cannot."""
    values = {
        'a datetime': datetime.datetime(2023, 11, 14, 22, 13, 20),
        'a date in a list': [datetime.date(2023, 11, 14)],
        'a complex number': 1 + 2j,
        'a decimal': decimal.Decimal('1.10'),
        'a set': {1},
        'a frozenset': frozenset(['a']),
        'an ordered dict': OrderedDict(a=1),
        'a class': dict,
        'a bytearray': bytearray(b'a'),
        'bytes that are not UTF-8': b'\xff\xfe',
    }
    for name, value in values.items():
        for protocol in PROTOCOLS:
            yield f'{name}, protocol {protocol}', python(value, protocol), ''
    for name, key in {'an int': 1, 'None': None, 'a tuple': ('a', 1), 'a float': 1.5, 'True': True}.items():
        yield f'a dict with {name} for a key', python({key: 1}), 'key'
    yield 'a dict with bytes for a key', python({b'a': 1}), 'key'
    yield 'a state with an int for a key', of_state(b'}K\x01Ns'), 'key'
    yield 'EMPTY_SET', holding(b'\x8f'), 'set'
    yield 'FROZENSET', holding(b'(\x91'), 'set'
    yield 'BYTEARRAY8', holding(b'\x96' + struct.pack('<Q', 1) + b'a'), 'bytearray'
    yield "Python 2's str of é", holding(b'U\x02\xc3\xa9'), ''
    yield 'an int of 4301 digits, LONG4', holding(long4(10**4300)), '4,300'
    yield 'an int of 4301 digits, below zero', holding(long4(-10**4300)), '4,300'
    yield 'an int of 4301 digits, LONG', holding(b'L' + b'9' * 4301 + b'L\n'), '4,300'
    yield 'an int of 4301 digits, INT', holding(b'I' + b'9' * 4301 + b'\n'), '4,300'
    yield 'a protocol of the future', b'\x80\x06' + python('text')[2:], 'later than 5'


def long4(number):
    data = number.to_bytes(number.bit_length() // 8 + 1, 'little', signed=True)
    return b'\x8b' + struct.pack('<i', len(data)) + data


def bombs():
    """Small pickles of what would fill the memory, or the stack."""
    lists = 'x' * 10
    for _ in range(12):
        lists = [lists] * 10
    yield 'a memo bomb of lists', python(lists), 'memo'
    dicts = {}
    for _ in range(30):
        dicts = {'a': dicts, 'b': dicts}
    yield 'a memo bomb of dicts', python(dicts), 'memo'
    yield 'a bomb of tuples by DUP', holding(b')' + b'2\x86' * 40), 'memo'
    yield 'a bomb of one long text', holding(b'(' + text('x' * 1000) + b'2' * 1100 + b'l'), 'memo'
    yield 'a list that holds itself', holding(b']\x94h\x00a'), '1,000'
    yield 'a dict that holds itself', holding(b'}\x94' + text('a') + b'h\x00s'), '1,000'
    yield '1001 lists', holding(nested(1000, b']', lambda value: b']' + value + b'a')), '1,000'
    yield '1001 tuples', holding(nested(1000, b')', lambda value: value + b'\x85')), '1,000'
    yield '1001 dicts', holding(nested(1000, b'}', lambda value: b'}' + text('') + value + b's')), '1,000'


def broken():
    """What is no pickle at all."""
    good = python('text')
    yield 'nothing', b''
    yield 'JSON', b'[1700000000, 1699999899.75, {}]'
    yield 'random bytes', bytes(range(200, 256))
    yield 'an unknown opcode', holding(b'\xff')
    yield 'STOP alone', b'.'
    yield 'no STOP', good[:-1]
    yield 'no STOP after a frame', python('text', 5)[:-1]
    yield 'truncated in an opcode', good[:5]
    yield 'truncated in a frame', b'\x80\x04\x95\x01'
    yield 'something after STOP', good + b'.'
    yield 'a global after STOP', good + b"cos\nsystem\n(S'echo owned'\ntR."
    yield 'POP of nothing', b'0' + good
    yield 'DUP of nothing', b'2' + good
    yield 'POP_MARK without a mark', b'1' + good
    yield 'TUPLE without a mark', b't' + good
    yield 'TUPLE3 of two', b'\x80\x02NN\x87.'
    yield 'a value below a mark', holding(b'(s')
    yield 'APPEND to nothing', b'\x80\x02Na.'
    yield 'APPEND to a text', holding(text('a') + b'Na')
    yield 'APPENDS to a dict', holding(b'}(Ne')
    yield 'SETITEM on a list', holding(b']' + text('a') + b'Ns')
    yield 'SETITEMS of an odd number', holding(b'}(' + text('a') + b'u')
    yield 'DICT of an odd number', holding(b'(' + text('a') + b'd')
    yield 'GET of what was not put', holding(b'g7\n')
    yield 'BINGET of what was not put', holding(b'h\x07')
    yield 'LONG_BINGET of what was not put', holding(b'j\xff\xff\xff\xff')
    yield 'PUT of nothing', b'p0\n' + good
    yield 'MEMOIZE of nothing', b'\x94' + good
    yield 'GET without a number', holding(b'Np0\ngx\n')
    yield 'a text longer than the pickle', holding(b'X\xff\xff\xff\x7fa')
    yield 'a text of 2**63 bytes', holding(b'\x8d' + b'\xff' * 8)
    yield 'bytes of 2**63 bytes', holding(b'\x8e' + b'\xff' * 8)
    yield 'an integer of 2**31 bytes', holding(b'\x8b\xff\xff\xff\x7f')
    yield 'an integer of a negative length', holding(b'\x8b\xff\xff\xff\xff')
    yield 'an integer without digits', holding(b'I\n')
    yield 'an integer of letters', holding(b'Iabc\n')
    yield 'a long of letters', holding(b'LabcL\n')
    yield 'a float of letters', holding(b'Fabc\n')
    yield 'a text that is not UTF-8', holding(b'X\x02\x00\x00\x00\xff\xfe')
    yield 'a text with a broken escape', holding(b'V\\u12\n')
    yield 'a string without quotes', holding(b'Sabc\n')


def careless():
    """What Python lets pass, though it writes no such pickle."""
    yield 'two values', b'N' + python('text')
    yield 'a mark that stays', b'(' + python('text')


def misshapen():
    """Pickles of data that is no session."""
    for name, session in {
        'None': None, 'a dict': {}, 'two': (RENEWED, CREATED), 'four': (RENEWED, CREATED, {}, 0),
        'a list for a state': (RENEWED, CREATED, []), 'None for a state': (RENEWED, CREATED, None),
        'a text for a time': ('1700000000', CREATED, {}), 'None for a time': (RENEWED, None, {}),
        'NaN for a time': (float('nan'), CREATED, {}), 'infinity for a time': (RENEWED, float('inf'), {}),
    }.items():
        yield name, pickle.dumps(session, 2)


def harmless():
    """What looks like the above and is a session: the bounds are where they should be."""
    yield 'protocol 5', python('text', 5)
    yield '1000 lists', holding(nested(999, b']', lambda value: b']' + value + b'a'))
    yield 'an int of 4300 digits', holding(long4(10**4300 - 1))
    yield 'a shared list', python([['x' * 10] * 10] * 10)
    yield 'bytes that are UTF-8', python('é'.encode())
    yield "Python 2's str", holding(b"U\x03abc")
    yield 'PROTO again', holding(b'\x80\x02N')
    yield 'POP of a mark', holding(b'N(0')
    yield 'a value that was taken off', holding(b'NN0')
    yield 'names of classes as text', python(['os', 'system', 'cos\nsystem\n'])


class Plain(pickle.Unpickler):
    """Reads data; finds no class and no object outside."""

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f'{module}.{name}')


def is_data(payload):
    try:
        rest = io.BytesIO(payload)
        Plain(rest).load()
        return rest.read() == b''
    except Exception:
        return False


def case(name, payload, expected, told):
    mac = hmac.digest((SALT + SECRET).encode(), payload, 'sha512')
    cookie = base64.urlsafe_b64encode(mac + payload).rstrip(b'=').decode()
    return {'name': name, 'expected': expected, 'told': told, 'cookie': cookie}


def cases():
    for name, payload, told in [*code(), *beyond_json(), *bombs()]:
        yield case(name, payload, 'unsupported', told or 'more than data')
    for name, payload in broken():
        assert not is_data(payload), name
        yield case(name, payload, 'malformed', 'not a pickle of data')
    for name, payload in careless():
        assert is_data(payload), name
        yield case(name, payload, 'malformed', 'not a pickle of data')
    for name, payload in misshapen():
        assert is_data(payload), name
        yield case(name, payload, 'malformed', 'not a session')
    for name, payload in harmless():
        assert is_data(payload), name
        yield case(name, payload, 'loaded', '')


def content():
    return json.dumps({
        'description': 'Signed cookies (sha512) over pickles that Python would run, choke on or refuse: opened with the '
                       'serializer pickle each has the load result `expected`, and its error has the words `told`.',
        'now': NOW, 'secret': SECRET, 'salt': SALT, 'cases': list(cases()),
    }, indent=1)


if __name__ == '__main__':
    if sys.argv[1:] == ['--check']:
        sys.exit(FILE.read_text() != content() and f'{FILE.name} is not what {Path(__file__).name} writes')
    elif not sys.argv[1:]:
        FILE.write_text(content())
    else:
        sys.exit(__doc__)
