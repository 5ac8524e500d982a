"""One of the originals as a peer: it answers the requests of README.md with the real package's sessions.

It gets khufu's options and makes the original's session factory from them. pyramid_redis_sessions needs its own
environment, so the imports at the top must exist in both environments. Each format imports its own package.
"""

import json
import sys
from functools import cache
from time import strftime

from originals import clock, end_request, open_request
from redis import StrictRedis


@cache
def client(url):
    return StrictRedis.from_url(url)


def timeout_of(options):
    """The timeout in seconds. No timeout is None here, and an empty text in khufu's options."""
    return int(options['timeout']) if options['timeout'] else None


class PyramidSessionRedis:
    def __init__(self, options, url):
        from pyramid_session_redis import RedisSessionFactory, util
        util.time_time = clock.time
        serializer = {} if options['serializer'] == 'pickle' else {
            'serialize': lambda record: json.dumps(record).encode(), 'deserialize': json.loads}
        self.factory = RedisSessionFactory(
            options['secret'], timeout=timeout_of(options), redis_client_callable=lambda *_, **__: client(url), **serializer)

    def is_new(self, session):
        return session.new

    def state(self, session):
        return dict(session.items())

    def renewed(self, session):
        return session.expires - session.timeout if session.timeout else clock.now


class PyramidRedisSessions(PyramidSessionRedis):
    def __init__(self, options, url):
        from pyramid_redis_sessions import RedisSessionFactory, util
        util.time = clock
        self.factory = RedisSessionFactory(
            options['secret'], timeout=timeout_of(options), client_callable=lambda *_, **__: client(url))

    def renewed(self, session):
        return clock.now - session.timeout + session.redis.pttl(session.session_id) / 1000


class Beaker:
    OWN_KEYS = {'_id', '_domain', '_path', '_accessed_time', '_creation_time'}

    def __init__(self, options, url):
        import beaker.session
        from pyramid_beaker import BeakerSessionFactoryConfig
        beaker.session.time = BeakersTime
        settings = {'timeout': timeout_of(options), 'data_serializer': options['serializer']}
        if options['type'] == 'store':
            settings.update(type='ext:redis', url=client(url), secret=options['secret'])
        else:
            settings.update(type='cookie', validate_key=options['secret'])
        if options['type'] == 'encrypted_cookie':
            settings.update(encrypt_key=options['encrypt_key'], crypto_type='cryptography')
        self.factory = BeakerSessionFactoryConfig(**settings)

    def is_new(self, session):
        return session.is_new

    def state(self, session):
        return {key: value for key, value in session.items() if key not in self.OWN_KEYS}

    def renewed(self, session):
        if hasattr(session, 'last_accessed'):  # only in a store; None if the session is new
            return session.last_accessed or clock.now
        return session.accessed_dict.get('_accessed_time', clock.now)


class BeakersTime:
    time = clock.time
    strftime = strftime


FORMATS = {
    'pyramid_session_redis': PyramidSessionRedis, 'pyramid_redis_sessions': PyramidRedisSessions, 'beaker': Beaker,
}


class Original:
    """Each method is a request, and returns the words of the answer."""

    def factory(self, *words):
        options = dict(zip(words[::2], words[1::2], strict=True))
        url = options.get('store', '').removeprefix('redis+')
        self.format = FORMATS[options['library']](options, url)

    def read(self, now, cookie_header):
        [load_result] = self.open(now, cookie_header)
        session = self.request.session
        pairs = [(key, json.dumps(value)) for key, value in self.format.state(session).items()]
        created, renewed = repr(float(session.created)), repr(float(self.format.renewed(session)))
        state = json.dumps(self.format.state(session))
        return load_result, renewed, created, state, *(word for pair in pairs for word in pair)

    def write(self, now, cookie_header, *words):
        self.open(now, cookie_header)
        for key, value in zip(words[::2], words[1::2], strict=True):
            self.set(key, value)
        return self.commit()

    def open(self, now, cookie_header):
        self.request = open_request(self.format.factory, float(now), cookie_header)
        return ['none' if self.format.is_new(self.request.session) else 'loaded']

    def get(self, key):
        return [json.dumps(self.request.session[key])]

    def set(self, key, value):
        # Interned like the constants of a program, so that pickle writes equal keys as one object.
        self.request.session[sys.intern(key)] = json.loads(value)

    def delete(self, key):
        del self.request.session[key]

    def flash(self, message, queue):
        self.request.session.flash(message, queue)

    def pop_flash(self, queue):
        return [json.dumps(self.request.session.pop_flash(queue))]

    def csrf_token(self):
        return [self.request.session.get_csrf_token()]

    def invalidate(self):
        self.request.session.invalidate()

    def commit(self):
        return end_request(self.request)


def main():
    original = Original()
    for line in sys.stdin:
        request, *words = line.split()
        words = ['' if word == '-' else bytes.fromhex(word).decode() for word in words]
        try:
            verdict, answer = 'ok', getattr(original, request)(*words) or []
        except Exception as error:
            verdict, answer = 'error', ['0', f'{type(error).__name__}: {error}']
        print(verdict, *(word.encode('utf-8', 'surrogatepass').hex() or '-' for word in answer), flush=True)


if __name__ == '__main__':
    main()
