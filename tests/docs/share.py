"""Checks docs/share-with-another-library.md: both sides have the same settings, every service can use the sessions, and
the table of load results is right."""

import os
import re
import time

from code_in_languages import call, written
from originals import cookie_of
from pages import root
from peer import Peer
from redis_server import redis_server
from rotate import with_secrets
from services import NOW

SECRETS = {'SECRET': 'the secret of the site', 'KEY': 'sesame', 'OLD': 'sesame', 'NEW': 'open'}
URL = 'redis://localhost:6379/0'
# khufu's names for settings that the libraries name differently. Settings in APART have another meaning in khufu and
# are not compared.
NAMES = {'redis_url': 'store', 'url': 'store', 'validate_key': 'secret', 'data_serializer': 'serializer'}
APART = {'type', 'crypto_type'}
# For each option, a value that differs from the other side's, and a format that has this option.
DIFFERENT = {
    'cookie_name': ('sid', 'beaker store'),
    'secret': ('another', 'beaker store'),
    'salt': ('another', 'pyramid_session_redis store'),
    'hashalg': ('sha256', 'pyramid_session_redis store'),
    'encrypt_key': ('another', 'beaker encrypted_cookie'),
    'serializer': ('pickle', 'beaker store'),
    'store': ('{store}?db=1', 'beaker store'),
    'store_prefix': ('x:', 'beaker store'),
    'timeout': ('5', 'beaker store'),
}
IDLE = 60

C = '''
#include <khufu.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(const char *why) {
    fprintf(stderr, "%s\\n", why);
    return 1;
}

int main(int count, char **words) {
    khufu_options *options = khufu_options_new();
    khufu_factory *factory = NULL;
    khufu_session *session = NULL;
    for (int i = 1; i + 1 < count; i += 2)
        if (khufu_options_set(options, words[i], KHUFU_NTS, words[i + 1], KHUFU_NTS) != KHUFU_OK)
            return fail(khufu_options_error(options));
    if (khufu_factory_new(options, &factory) != KHUFU_OK) return fail(khufu_options_error(options));
    @CODE@
    khufu_session_free(session);
    khufu_factory_free(factory);
    khufu_options_free(options);
    return 0;
}
'''


def check_same_settings(theirs, ours, report):
    """Checks that khufu's options set what the library's settings set, or that it is khufu's default."""
    ours = {'timeout': '1200', **dict(ours)}
    for name, value in theirs:
        option = name.rpartition('.')[2]
        if option not in APART:
            report.check(f'{ours["library"]}: {name}', ours[NAMES.get(option, option)], value)


def visit(service, cookie):
    """Lets a service read the session and then set a key with its name. Returns what it read, and the browser's cookie
    afterwards."""
    found = service.peer.read(NOW, cookie)
    set_cookie = service.peer.write(NOW, cookie, [(service.name, '1')])
    return found, cookie_of(set_cookie) if set_cookie else cookie


def check_shared(options, report, servers):
    cookie = ''
    for count, service in enumerate([*servers.services, servers.services[0]]):
        service.peer.factory(options)
        found, cookie = visit(service, cookie)
        expected = 'loaded' if count else 'none', dict.fromkeys((each.name for each in servers.services[:count]), 1)
        report.check(f'{dict(options)["library"]}: {service.name} reads what the others wrote',
                     (found.load_result, found.state), expected)


def written_by_library(library, options, now):
    """A cookie of a session that the library itself wrote."""
    library.factory([*{'timeout': '1200', 'serializer': 'pickle', **dict(options)}.items()])
    return cookie_of(library.write(now, '', [('user', '"ada"')]))


def check_setup(page, block, formats, report, servers, working):
    """Checks that each difference in the table has the load result of its row, in every language, and that the page's
    code prints that result."""
    source = written(working / page.path.stem, 'setup.c', C, block.text, '')
    program = source.with_suffix('')
    flags = call(['pkg-config', '--cflags', '--libs', 'khufu']).split()
    call(['cc', '-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Werror', source, '-o', program, *flags])
    rows = {result.strip('`'): re.findall(r'`(\w+)`', differing) for result, differing in page.table('load result')}
    report.check('the table has every difference', {option for row in rows.values() for option in row}, set(DIFFERENT))
    library, now = Peer('pyramid 2'), time.time() - IDLE
    try:
        cookies = {format: written_by_library(library, options, now) for format, options in formats.items()}
    finally:
        library.close()

    def check_shown(what, options, cookie, expected):
        words = [word for pair in options for word in pair]
        result, why = call([program, *words], env={**os.environ, 'HTTP_COOKIE': cookie}).split('\n')[:2]
        report.check(f'the code shows {what}', (result, bool(why)), (expected, expected != 'loaded'))
        for service in servers.services:
            service.peer.factory(options)
            report.check(f'{service.name} shows {what}', service.load_result(now + IDLE, cookie), expected)

    for format, options in formats.items():
        check_shown(f'that the sides agree on {format}', options, cookies[format], 'loaded')
    for result, differing in rows.items():
        for option in differing:
            value, format = DIFFERENT[option]
            options = dict(formats[format])
            options[option] = value.format(**options)
            check_shown(f'another {option}', [*options.items()], cookies[format], result)


def check_versions(page, report):
    """Checks that the page names the versions that the live exchange uses."""
    versions = {}
    for requirements in ['requirements-pyramid1', 'requirements']:
        text = (root / f'scripts/{requirements}.txt').read_text()
        versions[requirements] = {
            name.lower().replace('-', '_'): version for name, version in re.findall(r'^([\w-]+)==(\S+)', text, re.M)}
    new, old = versions['requirements'], versions['requirements-pyramid1']
    tested = (
        f"pyramid_session_redis {new['pyramid_session_redis']}, pyramid_redis_sessions {old['pyramid_redis_sessions']} "
        f"(on Pyramid {old['pyramid'].rpartition('.')[0]}) and Beaker {new['beaker']} (with pyramid_beaker {new['pyramid_beaker']})")
    report.check('it names the originals that are tested', tested in page.text.replace('\n', ' '))


def check(page, pages, report, servers, working):
    check_versions(page, report)
    with redis_server() as redis:
        def local(options):
            return [(name, redis if value == URL else value) for name, value in with_secrets(options, **SECRETS)]

        formats = {}
        for _ in range(5):
            theirs, ours = page.take('ini', 'ini')
            [theirs], [ours] = theirs.option_lists(), ours.option_lists()
            check_same_settings(theirs, ours, report)
            check_shared(local(ours), report, servers)
            formats[f"{dict(ours)['library']} {dict(ours)['type']}"] = local(ours)
        del formats['pyramid_redis_sessions store']  # it needs another Python environment
        check_setup(page, page.take('c'), formats, report, servers, working)
        [rotated] = page.take('ini').option_lists()
        accepted = [(name.removeprefix('accept.old.'), value) for name, value in rotated if name.startswith('accept.old.')]
        for service in servers.services:
            service.peer.factory(local(accepted))
            _, cookie = visit(service, '')
            service.peer.factory(local(rotated))
            found, cookie = visit(service, cookie)
            report.check(f'{service.name} accepts the old encrypt_key', found.load_result, 'loaded_other_format')
            found, _ = visit(service, cookie)
            report.check(f'{service.name} writes with the new encrypt_key', found.load_result, 'loaded')
