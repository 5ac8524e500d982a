"""Writes the vectors with the real packages: generate.py FOLDER

`generate.py --check` writes them to a temporary folder instead, and compares them with the committed ones.
"""

import json
import pickle
import re
import sys
import tempfile
from pathlib import Path

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent / 'interop'))

from originals import clock, commit, cookie_of, open_session  # noqa: E402
from pyramid.session import JSONSerializer, PickleSerializer, SignedCookieSessionFactory  # noqa: E402
from pyramid_nacl_session import EncryptedCookieSessionFactory  # noqa: E402
from stored import StoredVectors  # noqa: E402
from webob import Response  # noqa: E402

CREATED, RENEWED, NOW = 1699999899.75, 1700000000, 1700000060
SECRET, SALT = 'itsaseekreet', 'pyramid.session.'
SECRETS = [SECRET, 'k' * 64, 'k' * 200, 'sécret']
HASHALGS = ['sha512', 'sha256', 'sha1', 'sha384']
NACL_SECRET = bytes(range(32))

STATES = {
    'empty': {},
    'one': {'abc': '123'},
    'login': {'user_id': 42, 'name': 'Zoë', 'admin': False, '_csrft_': '00112233445566778899aabbccddeeff00112233'},
    'flash': {'_f_': ['one', 'two'], '_f_error': [{'code': 500, 'text': 'it <broke>'}], 'n': None},
    'numbers': {
        'int': -7, 'zero': 0, 'float': 1.5, 'neg_zero': -0.0,
        'big': 2**70, 'exp': 1e300, 'tiny': 5e-324, 'true': True,
    },
    'unicode': {'emoji': '🔑', 'nul': 'a\0b', 'quote': '"\\/\b\f\n\r\t', 'cjk': '漢字', '': 'empty key'},
    'nested': {'cart': [
        {'sku': 'A-1', 'qty': 2, 'tags': ['x', 'y', []]},
        {'sku': 'B-2', 'qty': 1, 'opts': {'gift': True, 'note': None}},
    ]},
    'order': {'z': 1, 'y': 2, 'x': 3, 'a': 4},
    'max': {'pad': 'x' * 2900},
}


def write(factory, state):
    """The value of a cookie in which a session of this factory keeps the state."""
    session = open_session(factory, CREATED)
    session.update(state)
    clock.now = RENEWED
    session.keys()  # reading sets `accessed`
    [set_cookie] = commit(session)
    return cookie_of(set_cookie).partition('=')[2]


def case(name, factory, **settings):
    state = json.loads(json.dumps(STATES[name]))
    return {
        'name': name, **settings, 'renewed': RENEWED, 'created': CREATED,
        'state_json': json.dumps(state), 'cookie': write(factory, state),
    }


def signed(name, serializer, serializer_name, hashalg='sha512', salt=SALT, secret=SECRET, **more):
    factory = SignedCookieSessionFactory(secret, hashalg=hashalg, salt=salt, serializer=serializer)
    return case(name, factory, **more, hashalg=hashalg, salt=salt, secret=secret, serializer=serializer_name)


def signed_json_cases():
    for name in STATES:
        for hashalg in HASHALGS if name in ('login', 'unicode') else ['sha512']:
            for salt in [SALT, 'other.'] if name == 'login' else [SALT]:
                for secret in SECRETS if name == 'login' else [SECRET]:
                    yield signed(name, JSONSerializer(), 'json', hashalg, salt, secret)


def signed_pickle_cases():
    for name in STATES:
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            yield signed(name, PickleSerializer(protocol), 'pickle', protocol=protocol)


def nacl_cases():
    for name in STATES:
        for serializer, serializer_name in [
            (JSONSerializer(), 'json'), (PickleSerializer(), 'pickle'), (PickleSerializer(2), 'pickle'),
        ]:
            factory = EncryptedCookieSessionFactory(NACL_SECRET, serializer=serializer)
            yield case(name, factory, secret_hex=NACL_SECRET.hex(), serializer=serializer_name)


def set_cookie_cases():
    for options in [
        {},
        {'cookie_name': 'sid', 'path': '/app', 'domain': 'example.com', 'secure': True, 'httponly': True, 'samesite': 'Strict'},
        {'max_age': 3600},
        {'samesite': None},
        {'samesite': 'None', 'secure': True},
        {'path': None},
        {
            'cookie_name': 'sid', 'max_age': 3600, 'path': '/app', 'domain': 'example.com', 'secure': True, 'httponly': True,
            'samesite': 'Lax',
        },
    ]:
        session = open_session(SignedCookieSessionFactory(SECRET, **options), CREATED)
        session['abc'] = '123'
        [set_cookie] = commit(session)
        yield {'options': options, 'set_cookie': re.sub('=[^;]*', '=VALUE', set_cookie, count=1)}
    for options in [{}, {'path': '/app', 'domain': 'example.com'}]:
        response = Response()
        response.delete_cookie('session', **options)
        yield {'options': {'delete': True, **options}, 'set_cookie': response.headers['Set-Cookie']}


FILES = {
    'pyramid_signed_json': (
        'Cookie values that Pyramid 2.1 with WebOb 1.8.11 wrote. Each must open to its state, and none may open after '
        'a character was changed.', signed_json_cases),
    'pyramid_signed_pickle': (
        "Cookie values that Pyramid 2.1 wrote with pickle, Pyramid 1.x's default serializer, in each protocol.",
        signed_pickle_cases),
    'pyramid_nacl': (
        'Cookie values that pyramid_nacl_session 1.0.0 wrote (XSalsa20-Poly1305 secretbox after a random nonce). The '
        'secret is in hex digits.', nacl_cases),
    'set_cookie': (
        'Set-Cookie values that WebOb wrote, with the order and the spelling of its attributes.', set_cookie_cases),
}


def generate(folder):
    for name, (description, cases) in FILES.items():
        content = {'description': description, 'now': NOW, 'cases': list(cases())}
        if name == 'set_cookie':
            del content['now']
        write_file(folder, name, content)
    with StoredVectors() as stored:
        for name, content in stored.files():
            write_file(folder, name, content)


def write_file(folder, name, content):
    (folder / f'{name}.json').write_text(json.dumps(content, indent=1))


def without_random_parts(name, text):
    """The file without the parts that differ each time: the nonce and everything that depends on it, and the date."""
    if name == 'pyramid_nacl':
        return re.sub(r'"cookie": "([^"]*)"', lambda found: f'cookie of {len(found[1])}', text)
    return re.sub(r'(Max-Age=3600.*expires=)[^;]*', r'\1…', text)


def differences(folder):
    """Yields each file with how it differs from what the originals write, or with an empty text."""
    for name in FILES:
        fresh, committed = [without_random_parts(name, (place / f'{name}.json').read_text()) for place in [folder, here]]
        yield name, '' if fresh == committed else 'DIFFERS from what the originals write'
    with StoredVectors() as stored:
        for name in stored.FILES:
            fresh, committed = [json.loads((place / f'{name}.json').read_text()) for place in [folder, here]]
            yield name, stored.difference(name, fresh, committed)


def check():
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        results = dict(differences(Path(folder)))
    for name, difference in results.items():
        print(f'{name}.json: {difference or "as the originals write it"}')
    differing = sum(map(bool, results.values()))
    print(f'vectors: {len(results) - differing} passed, {differing} failed')
    return differing == 0


if __name__ == '__main__':
    if sys.argv[1:] == ['--check']:
        sys.exit(not check())
    elif len(sys.argv) == 2:
        generate(Path(sys.argv[1]))
    else:
        sys.exit(__doc__)
