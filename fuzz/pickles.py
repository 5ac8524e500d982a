#!/usr/bin/env python3
"""Compares how khufu and CPython read pickles.

The pickles are the corpus of the target payload_pickle and, with --seconds, mutants of it. Khufu runs as the Rust peer
of the live exchange (tests/interop/README.md). CPython unpickles data but runs no code. Khufu must open exactly the
pickles that CPython unpickles to a session, with the same value. `Differences` lists the exceptions.
"""
import argparse
import base64
import collections
import hashlib
import hmac
import io
import json
import math
import os
import pathlib
import pickle
import pickletools
import random
import re
import resource
import subprocess
import sys
import time
import warnings

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get('CARGO_TARGET_DIR', ROOT / 'target'))
LEVELS, DIGITS, MOST_NODES = 1000, 4300, 100_000


class Refused(Exception):
    """The pickle is not a session made of data alone."""


class Undecided(Exception):
    """The value is too large to compare."""


def refuse_code(event, arguments):
    """An audit hook that prevents a pickle from importing anything. pickle.loads has no other way to do so. A subclass
    of Unpickler would read from a file, which treats frames differently."""
    if event == 'pickle.find_class':
        raise Refused('a class or a function')


def session_of(payload):
    """The session that CPython unpickles: its times and the text of its state."""
    try:
        value = pickle.loads(payload)
    except MemoryError:
        raise Undecided
    except Exception as error:
        raise Refused(str(error))
    if type(value) not in (tuple, list) or len(value) != 3 or type(value[2]) is not dict:
        raise Refused('not a session')
    for number in value[:2]:
        try:
            if type(number) not in (int, float) or not math.isfinite(number):
                raise Refused('not a time')
        except OverflowError:
            raise Refused('not a time')
    budget = [MOST_NODES]
    return float(value[0]), float(value[1]), repr(as_json(value[2], 1, budget))


def as_json(value, level, budget):
    """The value as khufu's JSON represents it."""
    budget[0] -= 1
    if budget[0] < 0:
        raise Undecided
    if level > LEVELS + 1 and isinstance(value, (list, tuple, dict)):
        raise Refused('too deep')
    if value is None or type(value) is bool:
        return value
    if type(value) is int:
        if abs(value) >= 10 ** DIGITS:
            raise Refused('too many digits')
        return value
    if type(value) is float:
        return value if math.isfinite(value) else None
    if type(value) is str:
        if re.search('[\ud800-\udbff][\udc00-\udfff]', value):
            raise Refused('a surrogate pair')
        return value
    if type(value) is bytes:
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise Refused('bytes that are not UTF-8')
    if type(value) in (list, tuple):
        return [as_json(item, level + 1, budget) for item in value]
    if type(value) is dict:
        if not all(type(key) is str for key in value):
            raise Refused('a key that is not a str')
        return {as_json(key, level, budget): as_json(item, level + 1, budget) for key, item in value.items()}
    raise Refused(f'a {type(value).__name__}')


class Differences:
    """The reasons why khufu refuses some pickles that CPython unpickles. Python's own pickler writes no such pickle."""

    # Opcodes that make an object that a session cannot contain. Khufu refuses them even if the final value does not
    # contain the object.
    UNSUPPORTED = {
        'EMPTY_SET', 'FROZENSET', 'ADDITEMS', 'BYTEARRAY8', 'GLOBAL', 'STACK_GLOBAL', 'REDUCE', 'BUILD', 'INST', 'OBJ',
        'NEWOBJ', 'NEWOBJ_EX', 'EXT1', 'EXT2', 'EXT4', 'PERSID', 'BINPERSID', 'NEXT_BUFFER', 'READONLY_BUFFER',
    }
    DECIMAL = re.compile(rb'-?(0|[1-9][0-9]*)L?|00|01')
    FLOAT = re.compile(rb'[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(inf|infinity|nan)', re.I)
    ESCAPES = re.compile(rb'([^\\]|\\([\\\'"nrt]|x[0-9a-fA-F]{2}))*', re.S)
    # FIXED has the sizes of arguments with a fixed size, COUNTED the sizes of the lengths in front of others, and LINES
    # the number of lines of the rest.
    FIXED = {'K': 1, 'M': 2, 'J': 4, 'G': 8, 'h': 1, 'j': 4, 'q': 1, 'r': 4, '\x80': 1, '\x95': 8,
             '\x82': 1, '\x83': 2, '\x84': 4}
    COUNTED = {'U': 1, 'C': 1, '\x8c': 1, '\x8a': 1, 'X': 4, 'B': 4, 'T': 4, '\x8b': 4, '\x8d': 8, '\x8e': 8, '\x96': 8}
    LINES = {'I': 1, 'L': 1, 'F': 1, 'V': 1, 'S': 1, 'p': 1, 'g': 1, 'P': 1, 'c': 2, 'i': 2}

    @classmethod
    def of(cls, payload):
        """The reasons for which khufu may refuse this pickle."""
        at = 0
        while at < len(payload):
            code = chr(payload[at])
            name = pickletools.code2op[code].name if code in pickletools.code2op else None
            start = at + 1
            argument, at = cls.argument(payload, code, start)
            if name in cls.UNSUPPORTED:
                yield 'an object that a session cannot contain'
            elif code in 'IL' and not cls.DECIMAL.fullmatch(argument):
                yield 'an integer that is not in decimal'
            elif code == 'I' and argument.endswith(b'L'):
                yield 'an integer that is not in decimal'
            elif code in 'IL' and len(argument) > DIGITS or code in '\x8a\x8b' and len(argument) > DIGITS // 2 - 400:
                yield 'an integer of more than 4,300 digits'
            elif code == 'F' and not cls.FLOAT.fullmatch(argument):
                yield 'a float that is not in decimal'
            elif code in 'pg' and not re.fullmatch(rb'\+?[0-9]+', argument):
                yield 'a memo index that is not in decimal'
            elif code == 'S' and not (len(argument) > 1 and argument[:1] in b'\'"' and argument[:1] == argument[-1:]
                                      and cls.ESCAPES.fullmatch(argument[1:-1])):
                yield 'a literal that Python does not write'
            elif code in 'CB\x8e' and not is_utf8(argument):
                yield 'bytes that are not UTF-8'
            elif code in 'UTS' and not argument.isascii():
                yield 'a byte string that is not ASCII'
            elif code in 'VX\x8c\x8d' and has_surrogate_pair(code, argument):
                yield 'a surrogate pair'
            if code == '.':
                if at < len(payload):
                    yield 'bytes after the end'
                break
        yield from cls.by_running(payload)

    @classmethod
    def argument(cls, payload, code, start):
        if code in cls.FIXED:
            end = start + cls.FIXED[code]
            return payload[start:end], end
        if code in cls.COUNTED:
            width = cls.COUNTED[code]
            begin = start + width
            end = begin + int.from_bytes(payload[start:begin], 'little')
            return payload[begin:end], end
        end = start
        for _ in range(cls.LINES.get(code, 0)):
            end = payload.find(b'\n', end) + 1 or len(payload)
        return payload[start:end].rstrip(b'\n') if end > start else b'', end

    @staticmethod
    def by_running(payload):
        """The reasons that only show when the pickle is run, here by the unpickler that is written in Python."""
        reasons = []

        class Watched(pickle._Unpickler):
            dispatch = dict(pickle._Unpickler.dispatch)

            def find_class(self, module, name):
                raise Refused

            def keyed(name):
                original = getattr(pickle._Unpickler, name)

                def load(self):
                    keys = self.stack[-2:-1] if name == 'load_setitem' else self.stack[::2]
                    if not all(type(key) is str for key in keys):
                        reasons.append('a key that is not a str')
                    original(self)
                return load

            def load_stop(self):
                if len(self.stack) != 1 or self.metastack:
                    reasons.append('more than one value at the end')
                pickle._Unpickler.load_stop(self)

            for letter, name in [(b's', 'load_setitem'), (b'u', 'load_setitems'), (b'd', 'load_dict')]:
                dispatch[letter[0]] = keyed(name)
            dispatch[b'.'[0]] = load_stop
            # The unpickler in Python is stricter about frames than the one in C.
            dispatch[0x95] = lambda self: self.read(8)

        try:
            Watched(io.BytesIO(payload)).load()
        except Exception:
            pass  # The reasons found until then still count.
        return reasons


def is_utf8(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def has_surrogate_pair(code, data):
    try:
        text = data.decode('raw-unicode-escape' if code == 'V' else 'utf-8', 'surrogatepass')
    except UnicodeDecodeError:
        return False
    return re.search('[\ud800-\udbff][\udc00-\udfff]', text) is not None


class Khufu:
    SECRET = b'itsaseekreet'

    def __init__(self):
        program = TARGET / 'debug/examples/exchange'
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        answer = self.ask('factory', b'secret', self.SECRET, b'serializer', b'pickle', b'timeout', b'')
        assert answer[0] == b'ok', answer

    def ask(self, verb, *words):
        line = ' '.join([verb, *(word.hex() or '-' for word in words)])
        self.process.stdin.write(line.encode() + b'\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit('khufu ended')
        return answer.split()

    def open(self, payload):
        """The load result, the times and the text of the state."""
        mac = hmac.digest(b'pyramid.session.' + self.SECRET, payload, 'sha512')
        cookie = b'session=' + base64.urlsafe_b64encode(mac + payload).rstrip(b'=')
        answer = self.ask('read', b'1700000060', cookie)
        assert answer[0] == b'ok', answer
        result, renewed, created, state = (b'' if word == b'-' else bytes.fromhex(word.decode()) for word in answer[1:5])
        return result.decode(), float(renewed), float(created), repr(json.loads(state))


def check(khufu, payload, tally):
    """Returns how khufu and CPython disagree about a pickle, or None. Counts the outcome in `tally`."""
    result, renewed, created, state = khufu.open(payload)
    try:
        expected = session_of(payload)
    except Undecided:
        tally['too large to compare'] += 1
        return None
    except Refused as why:
        tally['refused by both'] += result != 'loaded'
        return f'CPython refuses it ({why}), khufu opens it' if result == 'loaded' else None
    if result == 'loaded':
        found = renewed, created, state
        tally['opened by both'] += found == expected
        return None if found == expected else f'CPython reads {expected}, khufu {found}'
    if reason := next(iter(Differences.of(payload)), None):
        tally[f'refused by khufu alone: {reason}'] += 1
        return None
    return f'CPython reads {expected}, khufu says {result}'


def opcodes(payload):
    """A pickle's opcodes with their arguments, as far as they can be told apart."""
    at, parts = 0, []
    while at < len(payload):
        _, end = Differences.argument(payload, chr(payload[at]), at + 1)
        parts.append(payload[at:end])
        at = max(end, at + 1)
    return parts


def mutant(generator, corpus, pool):
    parts = opcodes(generator.choice(corpus))
    for _ in range(generator.choice([1, 1, 1, 2, 3, 6])):
        at = generator.randrange(len(parts) + 1)
        match generator.randrange(7):
            case 0:
                parts[at:at + 1] = []
            case 1 | 2:
                parts.insert(at, generator.choice(pool))
            case 3:
                parts[at:at + 1] = [generator.choice(pool)]
            case 4 if parts:
                first = generator.randrange(len(parts))
                parts[at:at] = parts[first:first + generator.randrange(1, 6)]
            case 5 if at < len(parts) and parts[at]:
                part = bytearray(parts[at])
                part[generator.randrange(len(part))] = generator.choice([generator.randrange(256), 0, 0x7f, 0xff])
                parts[at] = bytes(part)
            case _ if at + 1 < len(parts):
                parts[at], parts[at + 1] = parts[at + 1], parts[at]
    return b''.join(parts)[:3000]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--seconds', type=float, default=0)
    parser.add_argument('--seed', type=int, default=random.randrange(1 << 32))
    arguments = parser.parse_args()
    sys.setrecursionlimit(10 * LEVELS)
    sys.set_int_max_str_digits(0)
    warnings.simplefilter('ignore')  # warnings about escapes in string literals
    sys.addaudithook(refuse_code)
    khufu = Khufu()
    # A memo index may make CPython allocate any amount of memory.
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    corpus = [path.read_bytes() for path in sorted((ROOT / 'fuzz/corpus/payload_pickle').iterdir())]
    vectors = json.loads((ROOT / 'tests/vectors/python_pickles.json').read_text())['cases']
    corpus += [base64.b64decode(case['pickle']) for case in vectors]
    pool = sorted({part for payload in corpus for part in opcodes(payload) if len(part) < 100})
    generator = random.Random(arguments.seed)
    count, wrong, tally = 0, 0, collections.Counter()
    start = reported = time.monotonic()

    def look_at(payload):
        nonlocal count, wrong
        count += 1
        if reason := check(khufu, payload, tally):
            wrong += 1
            print(f'{reason[:600]}: base64 {base64.b64encode(payload).decode()}', flush=True)

    for payload in corpus:
        look_at(payload)
    while time.monotonic() - start < arguments.seconds and wrong < 20:
        look_at(mutant(generator, corpus, pool))
        if time.monotonic() - reported > 5:
            reported = time.monotonic()
            print(f'  {count} pickles so far, {wrong} differ', flush=True)
    for outcome, number in tally.most_common():
        print(f'{number:8} {outcome}')
    print(f'pickles that khufu and CPython {sys.version.split()[0]} read alike (--seed {arguments.seed}): '
          f'{count - wrong} passed, {wrong} failed')
    sys.exit(wrong > 0)


if __name__ == '__main__':
    main()
