"""docs/share-with-another-library.md: the same settings on both sides, and sessions that every service works on."""

from originals import cookie_of
from readme import redis_server
from rotate import with_secrets
from services import NOW

SECRETS = {'SECRET': 'the secret of the site', 'KEY': 'sesame', 'OLD': 'sesame', 'NEW': 'open'}
URL = 'redis://localhost:6379/0'
# The libraries' names of what khufu calls otherwise; what has another meaning there is not compared.
NAMES = {'redis_url': 'store', 'url': 'store', 'validate_key': 'secret', 'data_serializer': 'serializer'}
APART = {'type', 'crypto_type'}


def check_same_settings(theirs, ours, report):
    """What the library's side sets is set on khufu's, or is the default."""
    ours = {'timeout': '1200', **dict(ours)}
    for name, value in theirs:
        option = name.rpartition('.')[2]
        if option not in APART:
            report.check(f'{ours["format"]}: {name}', ours[NAMES.get(option, option)], value)


def visit(service, cookie):
    """What a service finds, having noted that it was there; and the cookie that the browser has then."""
    found = service.peer.read(NOW, cookie)
    set_cookie = service.peer.write(NOW, cookie, [(service.name, '1')])
    return found, cookie_of(set_cookie) if set_cookie else cookie


def check_shared(options, report, servers):
    cookie = ''
    for count, service in enumerate([*servers.services, servers.services[0]]):
        service.peer.factory(options)
        found, cookie = visit(service, cookie)
        expected = 'loaded' if count else 'none', dict.fromkeys((each.name for each in servers.services[:count]), 1)
        report.check(f'{dict(options)["format"]}: {service.name} goes on with the session',
                     (found.load_result, found.state), expected)


def check(page, pages, report, servers, working):
    with redis_server(working) as redis:
        def local(options):
            return [(name, redis if value == URL else value) for name, value in with_secrets(options, **SECRETS)]

        for _ in range(5):
            theirs, ours = page.take('ini', 'ini')
            [theirs], [ours] = theirs.option_lists(), ours.option_lists()
            check_same_settings(theirs, ours, report)
            check_shared(local(ours), report, servers)
        [rotated] = page.take('ini').option_lists()
        accepted = [(name.removeprefix('accept.old.'), value) for name, value in rotated if name.startswith('accept.old.')]
        for service in servers.services:
            service.peer.factory(local(accepted))
            _, cookie = visit(service, '')
            service.peer.factory(local(rotated))
            found, cookie = visit(service, cookie)
            report.check(f'{service.name} accepts the old encrypt_key', found.load_result, 'loaded_other_format')
            report.check('… and writes the new one', visit(service, cookie)[0].load_result, 'loaded')
