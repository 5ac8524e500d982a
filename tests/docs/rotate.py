"""Takes the three steps of docs/rotate-a-secret.md, with Pyramid and a service in each language."""

import subprocess

import code_in_languages
from originals import cookie_of, commit, open_session
from pyramid.config import Configurator
from pyramid.interfaces import ISessionFactory
from pyramid.session import SignedCookieSessionFactory
from services import NOW, Step, check_move, check_table

OLD, NEW = 'an old secret', 'a new secret ' * 10
KINDS = {'1': 'opens', '2': 'writes', '3': 'forgets'}


def with_secrets(options, **secrets):
    """The page's options, with the names of secrets replaced by real secrets."""
    return [(name, secrets.get(value, value)) for name, value in options]


def run(block, names):
    """Runs a page's Python block, which may use these names and add others. Returns the session factory that it
    configured."""
    names['config'] = Configurator()
    exec(compile(block.text, block.place, 'exec'), names)
    names['config'].commit()
    return names['config'].registry.queryUtility(ISessionFactory)


def definitions(page):
    """The names that the page's first Python block defines, and OLD and NEW."""
    names = {'OLD': OLD, 'NEW': NEW, 'SignedCookieSessionFactory': SignedCookieSessionFactory}
    run(next(block for block in page.blocks if block.language == 'python'), names)
    return names


def written_by(step):
    """The cookie of a session of the user ada, written by Pyramid in this step."""
    session = open_session(step.session_factory, NOW)
    session['user'] = 'ada'
    [set_cookie] = commit(session)
    return cookie_of(set_cookie)


def check_secret(block, digits, report):
    secret = subprocess.run(['sh', '-ec', block.text], check=True, capture_output=True, text=True).stdout.strip()
    report.check(f'{block.place}: a secret of hex digits', (len(secret), len(bytes.fromhex(secret))), (digits, digits // 2))


def check(page, pages, report, servers, working):
    check_secret(page.take('sh'), 128, report)
    page.take('python')
    names = definitions(page)
    steps = [Step('before', 'before', [('secret', OLD)], SignedCookieSessionFactory(OLD, httponly=True))]
    for name, kind in KINDS.items():
        ini, python = page.take('ini', 'python')
        [options] = ini.option_lists()
        steps.append(Step(name, kind, with_secrets(options, OLD=OLD, NEW=NEW), run(python, names)))
    before, _, writing, after = steps
    check_move('rotating', steps, report, servers)
    check_table(page, [written_by(before), written_by(after)], steps, report, servers)

    session = open_session(writing.session_factory, NOW + 2, written_by(before))
    session.get('user')
    cookies = [cookie_of(set_cookie) for set_cookie in commit(session)]
    report.check('Pyramid writes a session again when it is read',
                 [open_session(after.session_factory, NOW + 3, cookie).get('user') for cookie in cookies], ['ada'])

    names = {'old_secret': OLD, 'new_secret': NEW}
    code_in_languages.check(page, names, before, after, 'loaded_previous_secret', report, working)
