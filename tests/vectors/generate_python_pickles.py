"""Writes python_pickles.json: states that CPython pickled in each protocol, and the states that CPython reads back.

`generate_python_pickles.py --check` compares the file with what would be written.
"""

import base64
import json
import pickle
import re
import struct
import sys
from collections import OrderedDict
from pathlib import Path

FILE = Path(__file__).resolve().parent / 'python_pickles.json'
RENEWED, CREATED = 1700000000, 1699999899.75

shared = ['shared', {'n': 1}]
nested = ()
for level in range(40):
    nested = (level, nested, [nested])[:2] if level % 2 else [level, nested]

STATES = {
    'scalars': {'none': None, 'true': True, 'false': False, 'empty': '', '': 'an empty key'},
    'integers': {
        'n': [0, 1, -1, 127, 128, 255, 256, -128, -129, 65535, 65536, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1]
    },
    'large integers': {'n': [2**63 - 1, 2**63, -(2**63), 2**64, 2**70, -(2**70), 10**100, -(10**100), 2**2039, 2**2040]},
    'the longest integers': {'n': [10**4300 - 1, 1 - 10**4300]},
    'floats': {'n': [0.0, -0.0, 1.0, -1.5, 0.1, 1e15, 1e16, 1e22, 1e-4, 1e-5, 5e-324, 1.7976931348623157e308, 1 / 3]},
    'floats that are not finite': {'n': [float('nan'), float('inf'), float('-inf')]},
    'text': {'t': ['a', 'zoë', 'ключ', '🔑', '"\\/', '\x00\x01\x1f\x7f\x80\xff', '\n\r\t\b\f', '\u2028', 'x' * 300]},
    'backslashes': {'t': ['\\', '\\\\', '\\u0041', '\\\\u0041', '\\U0001f511', '\\n', 'a\\', '\n\\\n']},
    'lone surrogates': {'t': ['\ud800', 'a\udfffb', '\udc00\ud800'], '\udfff': 1},
    'keys': {'ключ': 1, 'a b': 2, '"': 3, '\n': 4, '\\': 5, '🔑': 6},
    'tuples': {'t': [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((), ((),))], 'u': ('a', ['b'], {'c': ()})},
    'nesting': {'deep': nested, 'dicts': {'a': {'b': {'c': {}}}}, 'lists': [[[[]]], []]},
    'shared references': {'one': shared, 'other': shared, 'list': [shared, [shared], shared], 'key': 'shared'},
    'many references': {'list': [f's{n % 300}' for n in range(320)]},
    'rows with the same keys': {'rows': [{'product_id': n, 'quantity': 1, 'colour': 'red'} for n in range(80)]},
    'small integers': {'seen': [n % 250 for n in range(1000)]},
    'more items than Python appends at once': {'list': [0] * 1002, 'dict': {str(n): 0 for n in range(1002)}},
}


def unicode_(text):
    return b'X' + struct.pack('<I', len(text.encode())) + text.encode()


TIMES = b'J' + struct.pack('<i', RENEWED) + b'G' + struct.pack('>d', CREATED)

# Pickles that Python 3 never writes: with opcodes of Python 2, and with rarer forms of others.
BY_HAND = {
    "Python 2's str, protocol 0": b"(I1700000000\nF1699999899.75\n(dp0\nS'a'\np1\nS'it\\'s \\x41\\n\\\\'\np2\nsS\"b'\"\np3\nI01\nst.",
    "Python 2's str, protocols 1 and 2": b'\x80\x02' + TIMES + b'}(U\x01aT\x03\x00\x00\x00a"b' + b'U\x01bU\x00u\x87.',
    "Python 2's long and bool, protocol 0": b"(I1700000000\nF1699999899.75\n(dS'n'\n(lL5L\naL-1180591620717411303424L\naI00\nast.",
    'a list and a dict from marks': b'(' + TIMES + b'(' + unicode_('a') + b'(K\x01K\x02l' + unicode_('b') + b'(dd' + b't.',
    'POP, POP_MARK and DUP': TIMES + b'}' + unicode_('a') + b'N0(K\x01K\x022K\x091(0K\x072\x86s\x87.',
    'an item set twice': TIMES + b'}(' + unicode_('a') + b'K\x01' + unicode_('b') + b'K\x02' + unicode_('a') + b'K\x03u\x87.',
    'a memo that is overwritten': TIMES + b'}' + unicode_('a') + b'(' + unicode_('x') + b'q\x00K\x05q\x00h\x00ls\x87.',
    'MEMOIZE after PUT': b'\x80\x04' + TIMES + b'}' + unicode_('a') + b'(\x8c\x01xq\x00\x8c\x01y\x94h\x01h\x00ls\x87.',
    'a long of no bytes and of padding': TIMES + b'}' + unicode_('a') + b'(\x8a\x00\x8a\x04\xff\xff\xff\xff\x8b\x05\x00\x00\x00\x01\x00\x00\x00\x00ls\x87.',
    'floats as text': b"(I1700000000\nF1699999899.75\n(dS'a'\n(lFinf\naF-inf\naFnan\naF1e3\naF-.5\nast.",
    'escapes of protocol 0': b"(I1700000000\nF1699999899.75\n(dVa\nV\\u0041\\U0001f511\\u005cn\xe9 \\x \\\\u0041\nst.",
    'a frame': b'\x80\x04\x95' + struct.pack('<Q', len(TIMES) + 3) + TIMES + b'}\x87.',
    'lengths of eight bytes': b'\x80\x04' + TIMES + b'}\x8d' + struct.pack('<Q', 1) + b'a\x8e' + struct.pack('<Q', 2) + 'é'.encode() + b's\x87.',
}


def plain(value):
    """The value as JSON represents it: bytes are text."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value


def text(state):
    """The state as khufu writes it: without spaces, with only the necessary escapes, and with the shortest floats."""
    written = json.dumps(plain(state), ensure_ascii=False, separators=(',', ':'))
    written = re.sub(r'(?<=\d)e([+-])0*(\d)', lambda match: 'e' + match[1].strip('+') + match[2], written)
    return written.encode('utf-8', 'backslashreplace').decode()


def cases():
    for name, state in STATES.items():
        long = len(str(state)) > 8000
        for protocol in (0, 2) if long else range(pickle.HIGHEST_PROTOCOL + 1):
            yield f'{name}, protocol {protocol}', pickle.dumps((RENEWED, CREATED, state), protocol)
    for protocol in range(3, pickle.HIGHEST_PROTOCOL + 1):
        state = {'bytes': [b'', b'abc', 'zoë'.encode(), b'x' * 300]}
        yield f'bytes, protocol {protocol}', pickle.dumps((RENEWED, CREATED, state), protocol)
    yield from BY_HAND.items()


def document():
    listed = []
    for name, pickled in cases():
        renewed, created, state = pickle.loads(pickled)
        assert (renewed, created) == (RENEWED, CREATED), name
        listed.append({'name': name, 'pickle': base64.b64encode(pickled).decode(), 'state_json': text(state)})
    return {
        'description': 'Pickles of (1700000000, 1699999899.75, state), and each state as this library writes it in JSON.',
        'cases': listed,
    }


written = json.dumps(document(), indent=1) + '\n'
if sys.argv[1:] == ['--check']:
    sys.exit(0 if FILE.read_text() == written else f'{FILE.name} is not what {Path(__file__).name} writes')
FILE.write_text(written)
