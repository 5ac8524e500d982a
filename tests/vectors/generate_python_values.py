"""Writes python_values.json: which JSON values are equal by Python's ==, and which numbers Python can read.

`generate_python_values.py --check` compares the file with what would be written. Random numbers have a fixed seed.
"""

import json
import math
import random
import struct
import sys
from fractions import Fraction
from pathlib import Path

FILE = Path(__file__).resolve().parent / 'python_values.json'

TEXTS = [
    'null', 'true', 'false', '0', '-0', '0.0', '-0.0', '0e7', '1', '1.0', '1e0', '10e-1', '-1', '-1.00', '10', '1e1', '1E+1',
    '1e-400', '-1e-400', '1e400', '1e401', '-1e400', 'Infinity', '-Infinity', 'NaN', '[NaN]', '{"a":NaN}', '[Infinity]',
    '[1e999]', '1180591620717411303424', '1180591620717411303424.0', '1.1805916207174113e21', '1180591620717411303425',
    '0.1', '0.10000000000000000555', '1e-1', '0.1000000000000000055511151231257827', '0.10000000000000002',
    '0.30000000000000004', '0.30000000000000005', '0.3', '9007199254740992', '9007199254740993', '9007199254740992.0',
    '9007199254740993.0', '9007199254740994', '9007199254740995.0', '-9007199254740992', '-9007199254740993.0',
    '5e-324', '4e-324', '2e-324', '2.2250738585072014e-308', '2.2250738585072011e-308',
    '""', '"a"', '"A"', r'"\u0061"', '" a"', '"1"', '"null"', '"é"', r'"\u00e9"', r'"e\u0301"', r'"\u00E9"', '"🔑"',
    r'"\ud83d\udd11"', r'"\ud83d"', r'"\udd11"', r'"\udd11\ud83d"', r'"\ud800"', r'"\uD800"', '"\ufffd"', r'"\/"', '"/"',
    r'"\\u0061"', r'"\n"', r'"\u000a"', r'"\u0000"', '"]"', '"[1]"', '[]', '[ ]', '{}', '[[]]', '[[],[]]', '[[[]]]', '[{}]',
    '[1]', '[1.0]', '[true]', '[1,2]', '[1, 2]', '[2,1]', '[12]', '["1",2]', '["a","b"]', '["ab"]', '["a\\",\\"b"]', '[null]',
    '[0,false,0.0]', '[false,-0.0,0]', '{"a":1}', '{"a":1.0}', '{"a":true}', r'{"\u0061":1}', '{"a":2}', '{"b":1}',
    '{"a":1,"a":2}', '{"a":2,"a":1}', '{"a":1,"b":2}', '{"b":2,"a":1}', '{"b":2.0, "a":1e0}', '{"a":2,"b":1}',
    '{"a":{"b":[1,{"c":2,"d":3}]}}', '{"a":{"b":[1.0,{"d":3.0,"c":2}]}}', '{"a":{"b":[1,{"c":2,"d":4}]}}', '[{"a":1,"b":2}]',
    '[{"b":2,"a":true}]', r'{"\ud800":1}', r'{"\udfff":1}', '{"":1}', '{"a":[]}', '{"a":{}}', '{"🔑":1,"\uffff":2}',
    '{"\uffff":2,"🔑":1}',
]
# Numbers as (before, digit, times, behind): `before`, then `digit` repeated `times` times, then `behind`.
NUMBERS = [
    ('', '9', 4299, ''), ('', '9', 4300, ''), ('', '9', 4301, ''), ('-', '9', 4300, ''), ('-', '9', 4301, ''), ('1', '0', 4299, ''),
    ('1', '0', 4300, ''), ('', '7', 100_000, ''), ('', '9', 309, ''), ('', '9', 308, '.0'), ('', '9', 309, '.0'), ('-', '9', 309, 'e0'),
    ('', '9', 4301, 'e-4300'), ('0.', '1', 5000, ''), ('', '1', 1, 'e308'), ('', '1', 1, 'e309'), ('-', '1', 1, 'E+309'), ('', '1', 1, 'e400'),
    ('', '1', 1, 'e-400'), ('0.', '0', 400, '1e700'), ('0.', '0', 400, '1e800'), ('0e', '9', 30, ''), ('1e', '9', 30, ''),
    ('1e-', '9', 30, ''), ('1.797693134862315', '7', 1, 'e308'), ('1.797693134862315', '8', 1, 'e308'),
    ('1.797693134862315', '9', 1, 'e308'), ('-1.797693134862315', '9', 1, 'e308'),
]


def drawn():
    """Random doubles, each as Python writes it, with all its digits, and with numbers that are close to it."""
    draw = random.Random(20)
    for _ in range(60):
        number = draw.choice([
            lambda: struct.unpack('>d', draw.randbytes(8))[0],
            lambda: draw.uniform(-10, 10),
            lambda: float(draw.randrange(2**52, 2**70)),
            lambda: draw.randrange(1000) / 100,
        ])()
        if not math.isfinite(number) or abs(number) > 1e40 or 0 < abs(number) < 1e-40:
            continue
        exact = Fraction(number)
        yield repr(number)
        yield f'{number:.17e}'
        yield f'{number:.60f}'
        yield f'{math.nextafter(number, math.inf)!r}'
        if exact.denominator == 1:
            yield from (str(int(exact) + step) for step in (-1, 0, 1))


def is_read(text):
    try:
        number = json.loads(text)
    except ValueError:
        return False
    return isinstance(number, int) or math.isfinite(number)


def values():
    equal = []
    for text in dict.fromkeys([*TEXTS, *drawn()]):
        # Pyramid's flash compares like this: `msg not in storage`.
        group = next((group for group in equal if json.loads(text) in [json.loads(group[0])]), None)
        if group is None:
            equal.append([text])
        else:
            group.append(text)
    for group in equal:
        for other in equal:
            assert all((json.loads(a) in [json.loads(b)]) is (group is other) for a in group for b in other)
    numbers = [
        {'before': before, 'digit': digit, 'times': times, 'behind': behind, 'is_read': is_read(before + digit * times + behind)}
        for before, digit, times, behind in NUMBERS
    ]
    lines = {
        'equal': ',\n'.join(f'  {json.dumps(group)}' for group in equal),
        'numbers': ',\n'.join(f'  {json.dumps(number)}' for number in numbers),
    }
    return '{\n' + ',\n'.join(f' "{name}": [\n{text}\n ]' for name, text in lines.items()) + '\n}\n'


if __name__ == '__main__':
    if sys.argv[1:] == ['--check']:
        sys.exit(FILE.read_text() != values())
    FILE.write_text(values())
