"""Takes the steps of docs/move-a-format.md, with Pyramid and a service in each language."""

import datetime

import code_in_languages
from originals import commit, cookie_of, open_session
from peer import PeerError
from pyramid.session import JSONSerializer, PickleSerializer, SignedCookieSessionFactory
from pyramid_nacl_session import EncryptedCookieSessionFactory
from rotate import check_secret, definitions, run, with_secrets, written_by
from services import NOW, Step, check_move, check_table

SIGNING, ENCRYPTION = 'the secret of the site', '0123456789abcdef' * 4
KINDS = {
    'before': 'before',
    '1': 'opens', '2': 'writes', '3': 'forgets',
    '4': 'opens', '5': 'writes', '6': 'forgets',
}
UNSUPPORTED = 9


def check_what_json_cannot_hold(pickled, as_json, report, servers):
    """Checks the page's section about what is in the sessions."""
    session = open_session(pickled.session_factory, NOW)
    session.update(user='ada', since=datetime.date(2026, 1, 1))
    [cookie] = [cookie_of(set_cookie) for set_cookie in commit(session)]
    for service in servers.services:
        service.use(pickled)
        report.check(f'a date is unsupported, {service.name}', service.load_result(NOW, cookie), 'unsupported')
        try:
            found = service.visit(NOW, cookie)
        except PeerError as error:
            found = error.status
        report.check(f'a date is not overwritten, {service.name}', found, UNSUPPORTED)

    session = open_session(as_json.session_factory, NOW)
    session['since'] = datetime.date(2026, 1, 1)
    try:
        found = commit(session)
    except TypeError:
        found = TypeError
    report.check('Pyramid cannot write it as JSON', found, TypeError)

    session = open_session(as_json.session_factory, NOW)
    session.update(pair=(1, 2), numbers={1: 'one'})
    [set_cookie] = commit(session)
    found = dict(open_session(as_json.session_factory, NOW, cookie_of(set_cookie)))
    report.check('tuples and numbers as keys', found, {'pair': [1, 2], 'numbers': {'1': 'one'}})


def check_same(what, step, original, report):
    """Checks that a step of the page does the same as the original's own session factory."""
    session = open_session(original, NOW, written_by(step))
    found = [session.get('user')]
    session['user'] = 'bob'
    [set_cookie] = commit(session)
    found.append(open_session(step.session_factory, NOW, cookie_of(set_cookie)).get('user'))
    found.append(set_cookie.partition(';')[2])
    session = open_session(step.session_factory, NOW)
    session['user'] = 'carol'
    [set_cookie] = commit(session)
    report.check(what, found, ['ada', 'bob', set_cookie.partition(';')[2]])


def check(page, pages, report, servers, working):
    check_secret(page.take('sh'), 64, report)
    secrets = {'SIGNING': SIGNING, 'ENCRYPTION': ENCRYPTION}
    names = definitions(pages['docs/rotate-a-secret.md']) | secrets
    run(page.take('python'), names)
    steps = []
    for name, kind in KINDS.items():
        ini, python = page.take('ini', 'python')
        [options] = ini.option_lists()
        steps.append(Step(name, kind, with_secrets(options, **secrets), run(python, names)))
    before, json, encrypted = steps[0], steps[3], steps[6]

    check_same('before is Pyramid 1.x', before, SignedCookieSessionFactory(
        SIGNING, httponly=True, serializer=PickleSerializer()), report)
    check_same('step 3 is Pyramid 2', json, SignedCookieSessionFactory(SIGNING, httponly=True), report)
    check_same('step 6 is pyramid_nacl_session', encrypted, EncryptedCookieSessionFactory(
        bytes.fromhex(ENCRYPTION), serializer=JSONSerializer(), httponly=True), report)
    check_what_json_cannot_hold(before, json, report, servers)

    check_move('moving', steps, report, servers)
    check_move('moving directly', directly(before, encrypted, names), report, servers)
    check_table(page, [written_by(before), written_by(json), written_by(encrypted)], steps, report, servers)

    names = {'signing': SIGNING, 'encryption': ENCRYPTION}
    code_in_languages.check(page, names, json, encrypted, 'loaded_other_format', report, working)


def directly(before, after, names):
    """From pickle to encrypted JSON in three steps, as the page's text says."""
    pickled, encrypted = names['signed_pickle'], names['encrypted_json']
    accepting = names['AcceptingSerializer']

    def step(name, kind, options, serializer):
        return Step(name, kind, options, names['session_factory'](serializer))

    return [
        before,
        step('open encrypted', 'opens', [
            *before.options, ('accept.encrypted.type', 'encrypted_cookie'), ('accept.encrypted.secret', ENCRYPTION),
        ], accepting(pickled, encrypted)),
        step('write encrypted', 'writes', [
            *after.options, ('accept.pickle.serializer', 'pickle'), ('accept.pickle.secret', SIGNING),
        ], accepting(encrypted, pickled)),
        step('forget pickle', 'forgets', after.options, encrypted),
    ]
