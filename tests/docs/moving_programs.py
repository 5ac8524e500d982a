"""The pages of docs/moving/ for libraries in Ruby and Go. Puts the pages' code into programs, and runs them."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from moving_python import shown
from pages import root
from redis_server import redis_server

SITES = root / 'tests/docs/sites'
GO = root / 'examples/side-by-side/go'  # its go.mod has the versions of the libraries
SECRETS = {'OLD_SECRET': 'an old secret ' * 6, 'SESSION_SECRET': 'a new secret'}


def check_rack_session(page, report, working):
    folder = working / 'rack-session'
    folder.mkdir()
    old, new = page.take('ruby', 'ruby')
    for name, text in [('old.ru', old.text), ('new.ru', new.text)]:
        (folder / name).write_text(text)
    (folder / 'later.ru').write_text(new.text.replace('\nuse CarryOver', '\n# '))
    rack3 = subprocess.run(['scripts/rack3'], cwd=root, check=True, capture_output=True, text=True).stdout.strip()
    for rack, libraries in [('Rack 2', ''), ('Rack 3', rack3)]:
        command = ['ruby', '-w', '-I', root / 'bindings/ruby/lib', SITES / 'rack.rb']
        environment = {**os.environ, **SECRETS, 'RUBYLIB': libraries}
        pipes = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE, 'text': True}
        with subprocess.Popen(command, env=environment, **pipes) as ruby:
            defaults = json.loads(ruby.stdout.readline())

            def answer(file, path, cookie):
                print(json.dumps([str(folder / file), path, cookie]), file=ruby.stdin, flush=True)
                return json.loads(ruby.stdout.readline())

            report.check(f'{rack}: its version', defaults['release'][0], rack[-1])
            check_rack(rack, answer, report)
    return {name: shown(value) for name, value in {'same_site': None, **defaults}.items()}, {}


def check_rack(rack, answer, report):
    jar = {}

    def visit(file, path='/', cookies=jar):
        """Returns the page. Keeps the browser's cookies; an empty cookie is one that the response removes."""
        body, changes = answer(file, path, '; '.join('='.join(pair) for pair in cookies.items()))
        cookies.update(changes)
        for name in [name for name, value in changes.items() if not value]:
            del cookies[name]
        return body

    visit('old.ru', '/login')
    copied = dict(jar)
    report.check(f'{rack}: the old middleware has a visitor', (visit('old.ru'), [*jar]), ('ada', ['rack.session']))
    report.check(f'{rack}: the visitor stays logged in', (visit('new.ru'), [*jar]), ('ada', ['session']))
    report.check(f'{rack}: the next page', visit('new.ru'), 'ada')
    report.check(f'{rack}: without CarryOver', visit('later.ru'), 'ada')
    report.check(f'{rack}: the old middleware does not know the visitor', visit('old.ru', cookies=dict(jar)), '')
    bob = {}
    visit('new.ru', '/bob', cookies=bob)
    bob |= copied
    report.check(f'{rack}: the session of khufu wins', (visit('new.ru', cookies=bob), [*bob]), ('bob', ['session']))
    visit('new.ru', '/logout')
    report.check(f'{rack}: a logout', (visit('new.ru'), jar), ('', {}))
    report.check(f'{rack}: a copy of the old cookie', visit('new.ru', cookies=dict(copied)), 'ada')
    forged = {'rack.session': copied['rack.session'][::-1]}
    report.check(f'{rack}: a forged old cookie', visit('new.ru', cookies=forged), '')
    visit('new.ru', '/logout', cookies=copied)
    report.check(f'{rack}: a logout at the first request', (visit('new.ru', cookies=copied), copied), ('', {}))


def check_go(page, library, report, working, redis=''):
    """Puts the page's blocks into a program, runs it, and reports its checks. Returns the defaults of the library, and
    those of khufu."""
    code = (SITES / f'{page.path.stem}.go').read_text()
    for number, block in enumerate(page.take('go', 'go', 'go'), 1):
        code = code.replace(f'// block {number}\n', block.text.replace('redis://localhost:6379/0', redis))
    folder = working / page.path.stem
    folder.mkdir()
    khufu = root / 'bindings/go'
    module = (GO / 'go.mod').read_text().replace('../../../bindings/go', str(khufu))
    (folder / 'go.mod').write_text(
        f'{module}\nrequire github.com/khufu/khufu/bindings/go/gorilla v0.0.0\n\n'
        f'replace github.com/khufu/khufu/bindings/go/gorilla => {khufu}/gorilla\n')
    for source in [GO / 'go.sum', SITES / 'browser.go']:
        shutil.copy(source, folder)
    (folder / 'main.go').write_text(code)
    output = subprocess.run(['go', 'run', '.'], cwd=folder, check=True, capture_output=True, text=True).stdout
    printed = json.loads(output)
    for what, found, wanted in printed['Checks']:
        report.check(f'{library}: {what}', found, wanted)
    return [{name: shown(value) for name, value in (printed[side] or {}).items()} for side in ['Theirs', 'Ours']]


def check_calls(page, report):
    """Checks that the methods in the table of calls exist: those of scs's manager, and those of khufu's session."""
    find = ['go', 'list', '-m', '-f', '{{.Dir}}', 'github.com/alexedwards/scs/v2']
    theirs = subprocess.run(find, cwd=GO, check=True, capture_output=True, text=True).stdout.strip()
    for variable, folder in [('manager', Path(theirs)), ('session', root / 'bindings/go')]:
        source = ''.join(path.read_text() for path in folder.glob('*.go'))
        names = set(re.findall(rf'\b{variable}\.(\w+)', page.text))
        missing = [name for name in names if f') {name}(' not in source and f'\t{name} ' not in source]
        report.check(f'{page.name}: the methods of {variable}', missing, [])


def check_gorilla(page, report, working):
    return check_go(page, 'gorilla/sessions', report, working)


def check_scs(page, report, working):
    with redis_server() as redis:
        defaults = check_go(page, 'scs', report, working, redis)
    check_calls(page, report)
    return defaults
