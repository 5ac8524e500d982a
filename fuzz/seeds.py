#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets into fuzz/corpus, from the vectors in tests/vectors.

A seed's name begins with `seed-`. Other files there were found by fuzzing and are kept.
"""
import base64
import hashlib
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORPUS = ROOT / 'fuzz/corpus'
# The most seeds of a target, and the most bytes of a seed.
MOST, LONGEST = 32, 4400


def vectors(name):
    return json.loads((ROOT / f'tests/vectors/{name}.json').read_text())


def unbase64(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


def payload(case):
    """The payload of a signed cookie: everything after its MAC."""
    return unbase64(case['cookie'])[hashlib.new(case.get('hashalg', 'sha512')).digest_size:]


def spread(items):
    """Up to MOST distinct items, evenly spread over all of them."""
    items = list(dict.fromkeys(item for item in items if len(item) <= LONGEST))
    count = min(MOST, len(items))
    return [items[index * len(items) // count] for index in range(count)]


def json_payloads():
    yield from (payload(case) for case in vectors('pyramid_signed_json')['cases'])
    # Texts that Python's json module accepts and other parsers do not, and texts that are not a session.
    for state in [
        '{"a":NaN,"b":[Infinity,{"c":-Infinity}]}', '{"\\ud800":1,"\\udc00":2}', '{"a":1,"a":2,"\\u0061":3}', '{"a" : [ 1 , { } ]}\n',
        '{"n":-0,"f":1.10,"e":1E+5,"big":1180591620717411303424,"far":1e999}', '{"\\ud83d\\ude00":"\\u0000\x7f\u2028"}',
        '{"deep":' + '[' * 300 + ']' * 300 + '}', '{"_f_":["a",1],"_csrft_":"ab"}', '[]', '{"a":1,}', '{} {}',
    ]:
        yield f'[1700000000, 1699999899.75, {state}]'.encode()
    yield from [b'[1e400,1,{}]', b'[1700000000.50,1E2,{}]', b'[NaN,1,{}]', b'[1,2]', b'\xff', b'\xef\xbb\xbf[1,2,{}]']


def pickle_payloads():
    hostile = [payload(case) for case in vectors('hostile_pickle')['cases']]
    written = [base64.b64decode(case['pickle']) for case in vectors('python_pickles')['cases']]
    return spread(hostile)[::2] + spread(written)[::2]


def headers():
    yield from [
        b'', b'session=', b'session=;session', b'other=1; session=\x00', b'session="\x01"; session=\x02', b'session=\x03=',
        b'$Version=1; session=\x04;$Path=/', b'session=a; ' * 9 + b'session=\x05', b'session=\x06\x06', b'session=\\141\xff',
    ]
    for name in ['pyramid_signed_json', 'pyramid_nacl', 'pyramid_signed_pickle']:
        for case in vectors(name)['cases'][::10]:
            yield b'session=' + case['cookie'].encode()
    for case in vectors('beaker')['cases'][::6]:
        yield case['set_cookie'].strip().split(';')[0].encode()


def texts():
    for case in vectors('pyramid_signed_json')['cases']:
        yield case['state_json'].encode()
    equal = [json.dumps(value) if not isinstance(value, str) else value
             for row in vectors('python_values')['equal'] for value in row]
    for start in range(0, len(equal), 40):
        yield '\x1e'.join(equal[start:start + 4]).encode()
    for number in vectors('python_values')['numbers']:
        text = number['before'] + number['digit'] * number['times'] + number['behind']
        yield text.encode()


def records():
    states = [b'{}', b'{"a":1}', b'}.', b'\x80\x02}X\x01\x00\x00\x00aK\x01s.']
    for serializer in (0, 1):
        for mode in range(4):
            for generation in (0, 2, 3):
                head = bytes([serializer | mode << 1 | generation << 6])
                yield head + (states[2 * serializer + 1] if mode == 3 else b'\x00\x04\x03')
        yield bytes([serializer | 3 << 6]) + bytes(200)
        for what in range(8):
            yield bytes([serializer | 2 << 1 | 3 << 6]) + bytes([what, 120, 0x7f, what ^ 2, 3, 0xff])
        for state in states:
            yield bytes([serializer | 3 << 1 | 3 << 6]) + state


def calls():
    """Pseudo-random bytes, which make different calls in each file."""
    for number in range(MOST):
        yield b''.join(hashlib.sha512(b'%d %d' % (number, block)).digest() for block in range(1 + number % 8))


def main():
    targets = {
        'calls': spread(calls()),
        'cookie_header': spread(headers()),
        'payload_json': spread(json_payloads()),
        'payload_pickle': spread(pickle_payloads()),
        'record': spread(records()),
        'set_json': spread(texts()),
    }
    for target, seeds in targets.items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob('seed-*'):
            old.unlink()
        for seed in seeds:
            (folder / f'seed-{hashlib.sha256(seed).hexdigest()[:16]}').write_bytes(seed)
        print(f'{target}: {len(seeds)} seeds, {sum(map(len, seeds))} bytes')


if __name__ == '__main__':
    main()
