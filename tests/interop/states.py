"""Session states for the exchange: typical ones, unusual ones, and random ones."""

import json
import re
import sys

TEXTS = [
    '', ' ', 'a', 'Zoë', 'Zoe\u0308', '漢字', '🔑', '👩\u200d🚀', '\U0010ffff', '\uffff', '\ufeff', '\u2028\u2029',
    'a\0b', '\x7f\x80', '"\\/\b\f\n\r\t', '\\u0041', '</script>', "it's; a=b, c", 'null', '1', 'é' * 40,
]
LONE_SURROGATES = ['\ud800', 'x\udfffy', '\udc00\ud800', '\ude00🔑\ud83d']
INTEGERS = [
    0, 1, -1, 42, 255, 256, -128, 65535, 65536, 2**31 - 1, 2**31, -2**31, -2**31 - 1, 2**53, 2**53 + 1, 2**63 - 1,
    2**63, -2**63, -2**63 - 1, 2**64, 2**70, -2**70, 10**300, -10**300, 2**2040, -2**2039, 1700000000,
]
FLOATS = [
    0.0, -0.0, 1.0, 1.10, -1.5, 0.1 + 0.2, 1e16, 1e17, 1e22, 1e23, 1e-5, 1e-7, 1e300, -1e300, 5e-324, -5e-324,
    2.2250738585072014e-308, sys.float_info.max, 4.35, 123456789012345680.0, 1e15 + 0.5, float(2**53), float(2**70),
]
NOT_FINITE = [float('nan'), float('inf'), float('-inf')]
KEYS = [
    '', 'a', 'A', 'user', 'cart', '_csrft_', '_f_', '_f_error', 'é', 'e\u0301', 'a\0', '"', '\\', '\n', '🔑', '__proto__', '1',
]


def nested(levels, innermost, in_object=False):
    for _ in range(levels):
        innermost = {'k': innermost} if in_object else [innermost]
    return innermost


def fixed():
    """The names and states that every exchange tries."""
    yield 'empty', {}
    yield 'one', {'abc': '123'}
    yield 'texts', {str(i): text for i, text in enumerate(TEXTS)}
    yield 'texts as keys', {text: i for i, text in enumerate(TEXTS)}
    yield 'lone surrogates', {'list': LONE_SURROGATES, 'in a key': {'\ud800': 1}}
    yield 'lone surrogates in keys', {'\ud800': 1, 'x\udfffy': {'\udfff': 2}, 'ok': 3}
    yield 'integers', {'all': INTEGERS}
    yield 'floats', {'all': FLOATS}
    yield 'floats and integers side by side', {'pairs': [[1, 1.0], [0, -0.0, 0.0], [True, 1], [False, 0], [2**53, 2.0**53]]}
    yield 'not finite', {'nan': NOT_FINITE[0], 'deep': {'er': [NOT_FINITE[1], 'x']}, 'minus': NOT_FINITE[2], 'kept': 1.10}
    yield 'constants', {'all': [None, True, False], 'none': None, 'yes': True, 'no': False}
    yield 'empty containers', {'list': [], 'object': {}, 'both': [[], {}, [[]], {'': {}}], 'tuple': ()}
    yield 'tuples', {'point': (1, 2.0, ('three',)), 'list': [(), (None,)]}
    yield 'order', {key: i for i, key in enumerate('zyxabc')}
    yield 'order within', {'inner': {'b': 1, 'a': {'d': 1, 'c': 2}, 'A': 3}}
    yield 'keys alike', {'a': 1, 'A': 2, 'a ': 3, 'é': 4, 'e\u0301': 5, 'a\0': 6, '': 7, ' ': 8}
    yield 'flash', {'_f_': ['one', 'two', 1], '_f_error': [{'code': 500}]}
    yield 'token', {'_csrft_': '00112233445566778899aabbccddeeff00112233'}
    shared = ['shared', {'by': 'two'}]
    yield 'one object twice', {'first': shared, 'second': shared, 'both': [shared, shared]}
    yield 'rows with the same keys', {'rows': [{'product_id': i, 'quantity': 1, 'colour': 'red'} for i in range(30)]}
    yield 'small integers', {'seen': [i % 250 for i in range(400)]}
    yield 'many keys', {f'key {i}': i for i in range(150)}
    yield '450 levels of lists', {'deep': nested(450, 'bottom')}
    yield '300 levels of objects', {'deep': nested(300, 'bottom', in_object=True)}
    yield '500 levels of lists', {'deep': nested(499, {})}
    yield '900 levels of lists', {'deep': nested(900, None), 'beside': 1}


def pickled():
    """The names and states that only a pickle of protocol 3 or later can contain."""
    pair, row, token = (1, 2), {'k': 'v'}, b'\x00abc'
    yield 'bytes', {'token': token, 'empty': b'', 'text': 'abc', 'long': b'x' * 256, 'zo\xeb': 'Zoë'.encode()}
    yield 'tuples of everything', {'t': ((), (1,), pair, (1, 2, 3), (1, 2, 3, 4), ([], {}, ((),)), (token, None, 1.0))}
    yield 'containers of tuples', {'list': [pair, [pair], token], 'dict': {'a': pair, 'b': {'c': (row,)}}}
    yield 'one object in several places', {'a': row, 'b': [row, pair], 'c': (row, pair, token), 'd': token, 'e': [[]] * 3}


def levels(value):
    """The depth of the lists and objects in a value."""
    count, layer = -1, [value]
    while layer:
        count += 1
        layer = [inner for outer in layer if isinstance(outer, (list, tuple, dict))
                 for inner in (outer.values() if isinstance(outer, dict) else outer)]
    return count


def as_json(value):
    """The value as JSON represents it: a tuple is an array, bytes are text, and a number that is not finite is null."""
    return json.loads(json.dumps(value, default=bytes.decode), parse_constant=lambda name: None)


def as_text(key):
    """The key with each surrogate replaced, so that UTF-8 can encode it."""
    return re.sub('[\ud800-\udfff]', '\ufffd', key)


def settable(state):
    """The part of a state that can be set as JSON text."""
    return as_json({key: value for key, value in state.items() if levels(value) <= 500 and key == as_text(key)})


def random_text(random):
    kind = random.random()
    if kind < 0.5:
        return random.choice(TEXTS)
    if kind < 0.9:
        return ''.join(random.choice(TEXTS) or 'x' for _ in range(random.randrange(4)))
    return ''.join(chr(random.choice([random.randrange(0x80), random.randrange(0xd800), random.randrange(0xe000, 0x110000)]))
                   for _ in range(random.randrange(12)))


def random_value(random, levels):
    kind = random.random()
    if levels and kind < 0.2:
        items = [random_value(random, levels - 1) for _ in range(random.randrange(5))]
        return random.choice([list, list, tuple])(items)
    if levels and kind < 0.4:
        return {random_key(random): random_value(random, levels - 1) for _ in range(random.randrange(5))}
    if kind < 0.6:
        return random_text(random)
    if kind < 0.75:
        return random.choice([
            random.choice(INTEGERS), random.randrange(-10**6, 10**6), random.getrandbits(random.randrange(1, 200))])
    if kind < 0.9:
        return random.choice([
            random.choice(FLOATS), random.uniform(-1e3, 1e3), random.random() * 10.0 ** random.randrange(-300, 300)])
    return random.choice([None, True, False])


def random_key(random):
    return random.choice(KEYS) if random.random() < 0.6 else random_text(random)


def generated(random, number):
    """`number` random states. A few are large, but all fit a cookie in every format."""
    for i in range(number):
        while True:
            state = {random_key(random): random_value(random, random.choice([1, 3, 6])) for _ in range(random.randrange(9))}
            if i % 10 == 0:
                state['padding'] = 'p' * random.randrange(1800)
            if len(json.dumps(state)) < 2000:
                break
        yield f'generated {i}', state
