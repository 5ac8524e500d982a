"""Writes hostile_pickle.json: genuine signed cookies whose pickles would run code, fill the memory, or are invalid.

`generate_hostile_pickle.py --check` compares the file with what would be written. The checks read the pickles back with
an unpickler that finds no classes, so no code is ever run.
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
    """The pickle of (renewed, created, {'a': value}), given the opcodes of the value."""
    return b'\x80\x04' + TIMES + b'}' + text('a') + value + b's\x87.'


def of_state(state):
    """The pickle of (renewed, created, state), given the opcodes of the state."""
    return b'\x80\x04' + TIMES + state + b'\x87.'


def python(value, protocol=4):
    """The pickle that Python writes for a session with this value."""
    return pickle.dumps((RENEWED, CREATED, {'a': value}), protocol)


def nested(levels, value, wrap):
    for _ in range(levels):
        value = wrap(value)
    return value


class Point:
    """A class of a site's own."""

    def __init__(self, x):
        self.x = x


Point.__module__ = 'site.models'
sys.modules['site.models'] = type(sys)('site.models')
sys.modules['site.models'].Point = Point


class System:
    """An attacker's object."""

    def __reduce__(self):
        import os
        return os.system, ('echo owned',)


def under_a(name):
    """The error for a value that `holding`, `python` or `of_state` pickled."""
    return f'more than data: {name} under the key "a"'


def code():
    """Every way to name a class or to call something: as in an attack, and each opcode alone, on plain data."""
    for protocol in PROTOCOLS:
        yield f'os.system, protocol {protocol}', python(System(), protocol), under_a('posix.system')
        yield f'an object, protocol {protocol}', python(Point(1), protocol), under_a('site.models.Point')
    yield 'os.system by GLOBAL and REDUCE', holding(b"cposix\nsystem\n(S'echo owned'\ntR"), under_a('posix.system')
    yield 'os.system by STACK_GLOBAL', holding(text('os') + text('system') + b'\x93' + text('echo owned') + b'\x85R'), under_a('os.system')
    yield 'os.system by INST', holding(b"(S'echo owned'\nios\nsystem\n"), under_a('os.system')
    yield 'os.system by OBJ', holding(b"(cos\nsystem\nS'echo owned'\no"), under_a('os.system')
    yield 'eval before the session', b"cbuiltins\neval\n(S'1'\ntR0" + holding(b'N'), 'more than data: eval'
    yield 'os.system in place of the session', b"cos\nsystem\n(S'echo owned'\ntR.", 'more than data: os.system'
    yield 'os.system and then nonsense', b"cos\nsystem\n(S'echo owned'\ntRNNa", 'more than data: os.system'
    yield 'os.system as a key', of_state(b'}cos\nsystem\nNs'), 'more than data: os.system'
    yield 'a global that was forgotten again', holding(b'cos\nsystem\n0N'), 'more than data: os.system'
    yield 'a global deep in a list', holding(b'](K\x01}' + text('b') + b'](cos\nsystem\nes' + b'K\x02e'), under_a('os.system')
    yield 'GLOBAL', holding(b'cbuiltins\nint\n'), under_a('int')
    yield 'STACK_GLOBAL of numbers', holding(b'K\x01K\x02\x93'), under_a('.')
    yield 'REDUCE', holding(b'K\x01)R'), under_a('an object')
    yield 'OBJ', holding(b'(K\x01o'), under_a('an object')
    yield 'NEWOBJ', holding(b'K\x01)\x81'), under_a('an object')
    yield 'NEWOBJ_EX', holding(b'K\x01)}\x92'), under_a('an object')
    yield 'BUILD', holding(b'}}b'), under_a("an object's state")
    yield 'EXT1', holding(b'\x82\x01'), under_a('the class of extension code 1')
    yield 'EXT2', holding(b'\x83\x01\x02'), under_a('the class of extension code 513')
    yield 'EXT4', holding(b'\x84\x01\x00\x00\x01'), under_a('the class of extension code 16777217')
    yield 'PERSID', holding(b'Pname\n'), under_a('an object outside the pickle')
    yield 'BINPERSID', holding(b'K\x01Q'), under_a('an object outside the pickle')
    yield 'NEXT_BUFFER', holding(b'\x97'), under_a('a buffer outside the pickle')
    yield 'READONLY_BUFFER', holding(b'K\x01\x98'), under_a('a buffer outside the pickle')


def beyond_json():
    """Values that Python's own pickles can contain and a khufu session cannot."""
    for name, value, told in [
        ('a datetime', datetime.datetime(2023, 11, 14, 22, 13, 20), 'datetime.datetime'),
        ('a date in a list', [datetime.date(2023, 11, 14)], 'datetime.date'),
        ('a complex number', 1 + 2j, 'complex'),
        ('a decimal', decimal.Decimal('1.10'), 'decimal.Decimal'),
        ('a set', {1}, 'set'),
        ('a frozenset', frozenset(['a']), 'frozenset'),
        ('an ordered dict', OrderedDict(a=1), 'collections.OrderedDict'),
        ('a class', dict, 'dict'),
        ('a bytearray', bytearray(b'a'), 'bytearray'),
    ]:
        for protocol in PROTOCOLS:
            yield f'{name}, protocol {protocol}', python(value, protocol), under_a(told)
    for protocol in PROTOCOLS:
        told = 'bytes that are not UTF-8' if protocol >= 3 else 'bytes of a protocol below 3'
        yield f'bytes that are not UTF-8, protocol {protocol}', python(b'\xff\xfe', protocol), under_a(told)
    for name, key in {'an int': 1, 'None': None, 'a tuple': ('a', 1), 'a float': 1.5, 'True': True, 'bytes': b'a'}.items():
        yield f'a dict with {name} for a key', python({key: 1}), under_a('a dict key that is not a str')
    yield 'a state with an int for a key', of_state(b'}K\x01Ns'), 'more than data: a dict key that is not a str'
    yield 'a state with a set for a key', of_state(b'}' + text('b') + b'Ns\x8fNs'), 'more than data: set'
    yield 'EMPTY_SET', holding(b'\x8f(K\x01\x90'), under_a('set')
    yield 'FROZENSET', holding(b'(\x91'), under_a('frozenset')
    yield 'BYTEARRAY8', holding(b'\x96' + struct.pack('<Q', 1) + b'a'), under_a('bytearray')
    yield "Python 2's str of é", holding(b'U\x02\xc3\xa9'), under_a('a Python 2 str that is not ASCII')
    halves = under_a('a str with the two halves of a character')
    yield 'two surrogates in a value', python('\ud83d\udd11'), halves
    yield 'two surrogates in a value, protocol 0', python('x\ud83d\udd11y', 0), halves
    yield 'two surrogates in a key, beside the character', python({'\ud83d\udd11': 1, '🔑': 2}), halves
    state = {'🔑': 1, '\ud83d\udd11': 2}
    yield 'two surrogates in a key of the session', pickle.dumps((RENEWED, CREATED, state), 2), 'the two halves of a character'
    digits = under_a('an integer of more than 4,300 digits')
    yield 'an int of 4301 digits, LONG4', holding(long4(10**4300)), digits
    yield 'an int of 4301 digits, below zero', holding(long4(-10**4300)), digits
    yield 'an int of 4301 digits, LONG', holding(b'L' + b'9' * 4301 + b'L\n'), digits
    yield 'an int of 4301 digits, INT', holding(b'I' + b'9' * 4301 + b'\n'), digits
    yield 'a protocol of the future', b'\x80\x06' + python('text')[2:], 'later than 5'


def long4(number):
    data = number.to_bytes(number.bit_length() // 8 + 1, 'little', signed=True)
    return b'\x8b' + struct.pack('<i', len(data)) + data


DEEP = under_a('lists, tuples or dicts that nest deeper than 1,000 levels')


def bombs():
    """Small pickles of values that would fill the memory or the stack."""
    lists = 'x' * 10
    for _ in range(12):
        lists = [lists] * 10
    yield 'a memo bomb of lists', python(lists), '1 MiB'
    dicts = {}
    for _ in range(30):
        dicts = {'a': dicts, 'b': dicts}
    yield 'a memo bomb of dicts', python(dicts), '1 MiB'
    yield 'a bomb of tuples by DUP', holding(b')' + b'2\x86' * 40), '1 MiB'
    yield 'a bomb of one long text', holding(b'(' + text('x' * 1000) + b'2' * 1100 + b'l'), '1 MiB'
    yield 'a list that holds itself', holding(b']\x94h\x00a'), DEEP
    yield 'a dict that holds itself', holding(b'}\x94' + text('a') + b'h\x00s'), DEEP
    yield '1001 lists', holding(nested(1000, b']', lambda value: b']' + value + b'a')), DEEP
    yield '1001 tuples', holding(nested(1000, b')', lambda value: value + b'\x85')), DEEP
    yield '1001 dicts', holding(nested(1000, b'}', lambda value: b'}' + text('') + value + b's')), DEEP


def broken():
    """Bytes that are not a valid pickle."""
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
    """Pickles that Python accepts but never writes."""
    yield 'two values', b'N' + python('text')
    yield 'a mark that stays', b'(' + python('text')


def misshapen():
    """Pickles of data that is not a session."""
    for name, session in {
        'None': None, 'a dict': {}, 'two': (RENEWED, CREATED), 'four': (RENEWED, CREATED, {}, 0),
        'a list for a state': (RENEWED, CREATED, []), 'None for a state': (RENEWED, CREATED, None),
        'a text for a time': ('1700000000', CREATED, {}), 'None for a time': (RENEWED, None, {}),
        'NaN for a time': (float('nan'), CREATED, {}), 'infinity for a time': (RENEWED, float('inf'), {}),
    }.items():
        yield name, pickle.dumps(session, 2)


def harmless():
    """Valid sessions that are similar to the cases above, to test the limits from the other side."""
    yield 'protocol 5', python('text', 5)
    yield '1000 lists', holding(nested(999, b']', lambda value: b']' + value + b'a'))
    yield 'an int of 4300 digits', holding(long4(10**4300 - 1))
    yield 'surrogates that are no halves of one character', python(['\udd11\ud83d', '\ud83d x \udd11', '\ud83d', '\udd11', '\\ud83d\udd11'])
    yield 'a shared list', python([['x' * 10] * 10] * 10)
    yield 'bytes that are UTF-8', python('é'.encode())
    yield "Python 2's str", holding(b"U\x03abc")
    yield 'PROTO again', holding(b'\x80\x02N')
    yield 'POP of a mark', holding(b'N(0')
    yield 'a value that was taken off', holding(b'NN0')
    yield 'names of classes as text', python(['os', 'system', 'cos\nsystem\n'])


class Plain(pickle.Unpickler):
    """An unpickler that reads data, but finds no classes and no objects outside the pickle."""

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
        yield case(name, payload, 'unsupported', told)
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
        'description': 'Correctly signed cookies (sha512) whose pickles would run code in Python, would fill its memory, '
                       'or are invalid. Opened with the serializer pickle, each has the load result `expected`, and its '
                       'error contains `told`.',
        'now': NOW, 'secret': SECRET, 'salt': SALT, 'cases': list(cases()),
    }, indent=1)


if __name__ == '__main__':
    if sys.argv[1:] == ['--check']:
        sys.exit(FILE.read_text() != content() and f'{FILE.name} is not what {Path(__file__).name} writes')
    elif not sys.argv[1:]:
        FILE.write_text(content())
    else:
        sys.exit(__doc__)
