"""The cookie formats, each as a session factory of the original and as khufu's options."""

import base64
import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import originals  # noqa: F401  (silences Pyramid's warning about PickleSerializer)
from pyramid.session import JSONSerializer, PickleSerializer, SignedCookieSessionFactory
from nacl.secret import SecretBox
from pyramid_nacl_session import EncryptedCookieSessionFactory

HASHALGS = ['sha512', 'sha384', 'sha256', 'sha224', 'sha1']
SALTS = ['pyramid.session.', 'other.', '', 'sel é', 'соль']
SECRETS = ['itsaseekreet', 'k' * 64, 'k' * 129, 'k' * 300, 'sécret', 'ÿ', 'секрет 🔑', ' spaces and "quotes" ']


@dataclass
class Format:
    serializer: str
    protocol: int = 2

    def _serializer(self):
        return JSONSerializer() if self.serializer == 'json' else PickleSerializer(self.protocol)

    def dumps(self, renewed, created, state):
        """The payload that Pyramid makes. A pickle has a protocol that khufu also writes."""
        serializer = self if self.serializer == 'json' else replace(self, protocol=max(2, self.protocol))
        return serializer._serializer().dumps((renewed, created, state))

    def payload(self, cookie):
        """The payload in a cookie (`name=value`)."""
        value = cookie.partition('=')[2]
        return self._unsealed(base64.urlsafe_b64decode(value + '=' * (-len(value) % 4)))

    def _unsealed(self, sealed):
        raise NotImplementedError

    @property
    def deepest(self):
        """The most levels of nesting that Python can write. For a pickle, its recursion limit counts each level twice."""
        return 950 if self.serializer == 'json' else 470

    @cached_property
    def original(self):
        """The session factory of the real package."""
        raise NotImplementedError

    def options(self):
        """khufu's options, as a list of pairs."""
        raise NotImplementedError

    def rotated(self, random):
        """The same format with another secret."""
        raise NotImplementedError


@dataclass
class Signed(Format):
    secret: str = SECRETS[0]
    hashalg: str = HASHALGS[0]
    salt: str = SALTS[0]

    @cached_property
    def original(self):
        return SignedCookieSessionFactory(
            self.secret, hashalg=self.hashalg, salt=self.salt, serializer=self._serializer())

    def options(self):
        return [
            ('type', 'signed_cookie'), ('serializer', self.serializer),
            ('secret', self.secret), ('hashalg', self.hashalg), ('salt', self.salt),
        ]

    def _unsealed(self, sealed):
        return sealed[hashlib.new(self.hashalg).digest_size:]

    def rotated(self, random):
        return replace(self, secret=random.choice([secret for secret in SECRETS if secret != self.secret]))


@dataclass
class Encrypted(Format):
    secret: bytes = bytes(range(32))

    @cached_property
    def original(self):
        return EncryptedCookieSessionFactory(self.secret, serializer=self._serializer())

    def options(self):
        return [('type', 'encrypted_cookie'), ('serializer', self.serializer), ('secret_hex', self.secret.hex())]

    def _unsealed(self, sealed):
        return SecretBox(self.secret).decrypt(sealed)

    def rotated(self, random):
        return replace(self, secret=random.randbytes(32))


def signed(serializer):
    def choose(random):
        return Signed(serializer, random.randrange(6), random.choice(SECRETS), random.choice(HASHALGS), random.choice(SALTS))
    return choose


def encrypted(serializer):
    def choose(random):
        return Encrypted(serializer, random.randrange(6), random.randbytes(32))
    return choose


KINDS = {
    'signed_cookie json': signed('json'),
    'signed_cookie pickle': signed('pickle'),
    'encrypted_cookie json': encrypted('json'),
    'encrypted_cookie pickle': encrypted('pickle'),
}
