"""README.md: the first example in every language, the options, the limits, and the installation."""

import json
import re
import shutil
import time
import tomllib
import urllib.error

from examples import Browser, Shell, cgi, http, pyramid, rack
from originals import cookie_of
from pages import root
from peer import PeerError, target
from redis_server import redis_server
from services import NOW

TOO_LARGE, OPTION = 7, 8


def write(folder, name, text):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder


def refusal(request, cookie):
    try:
        return request(cookie)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def check_options(page, options_page, report):
    def rows(page, head):
        [table] = [table for table in page.tables() if table[0][0] == head]
        return [(row[0].removesuffix(' ◆'), row[table[0].index('default')]) for row in table[1:]]

    report.check('README.md: the options are those of docs/options.md, with their defaults',
                 rows(page, 'option'), rows(options_page, 'option'))


def check_load_results(page, report):
    [named] = re.findall(r'Each has a load result: (.*?); and', page.text, re.S)
    header = (root / 'include/khufu.h').read_text()
    report.check('README.md: the load results are those of khufu.h', re.findall(r'`(\w+)`', named),
                 [name.lower() for name in re.findall(r'^  KHUFU_LOAD_(\w+) =', header, re.M)])


def check_limits(report, servers):
    """About 2,900 bytes of JSON fit, whatever the seal; the error names the limit."""
    for service in servers.services:
        for options in [[('type', 'signed_cookie'), ('secret', 'x')], [('type', 'encrypted_cookie'), ('secret', '0' * 64)]]:
            service.peer.factory(options)
            fits = service.peer.write(NOW, '', [('text', json.dumps('x' * (2900 - len('{"text":""}'))))])
            try:
                found = service.peer.write(NOW, '', [('text', json.dumps('x' * 3000))])
            except PeerError as error:
                found = error.status, '4064' in str(error)
            report.check(f'README.md: about 2,900 bytes fit, {service.name}, {options[0][1]}',
                         [bool(fits), found], [True, (TOO_LARGE, True)])


def check_stores(report, servers, working):
    """Stores of the types that are named, where a session may be larger than a cookie; and no others."""
    large = json.dumps('x' * 10_000)
    with redis_server() as redis:
        for service in servers.services:
            shared = [(f'sqlite:{working}/sessions', servers.services), (redis, servers.services)]
            for store, others in [('memory:', [service]), *shared]:
                options = [('type', 'store'), ('store', store), ('secret', 'x')]
                for each in {service, *others}:
                    each.peer.factory(options)
                cookie = cookie_of(service.peer.write(NOW, '', [('text', large)]))
                found = [other.peer.read(NOW + 1, cookie).state for other in others]
                report.check(f'README.md: {service.name} keeps a session in {store.partition(":")[0]}',
                             found, [{'text': 'x' * 10_000}] * len(others))
            try:
                found = service.peer.factory([('type', 'store'), ('store', 'mysql://127.0.0.1/0'), ('secret', 'x')])
            except PeerError as error:
                found = error.status
            report.check('… and not in MySQL', found, OPTION)


def check_versions(page, report):
    with open(root / 'Cargo.toml', 'rb') as file:
        manifest = tomllib.load(file)['package']
    go = re.search(r'^go (.*)$', (root / 'bindings/go/go.mod').read_text(), re.M)[1]
    oldest = f'They need Rust {manifest["rust-version"]} and Go {go}, or newer.'
    report.check('README.md: it names the oldest Rust and Go', oldest in page.text.replace('\n', ' '))
    requirements = (root / 'scripts/requirements.txt').read_text()
    originals = dict(re.findall(r'^(\S+)==(\S+)', requirements, re.M))
    tested = f'Pyramid {originals["pyramid"]} and pyramid_nacl_session {originals["pyramid-nacl-session"]}'
    report.check('README.md: it names the originals that are tested', tested in page.text)


def check(page, pages, report, servers, working):
    commands, secret, python = page.take('sh', 'sh', 'python')
    c, run_c, go, run_go, ruby, run_ruby, rust, run_rust = page.take(*'c sh go sh ruby sh rust sh'.split())
    page.take('ini')  # the rotation: the module rotate compares it
    page.take('ini')  # the formats: the module move does
    install, compile_c, cmake, make_go, make_gem, cargo = page.take('sh', 'sh', 'cmake', 'sh', 'sh', 'toml')
    check_options(page, pages['docs/options.md'], report)
    check_load_results(page, report)
    check_limits(report, servers)
    check_stores(report, servers, working)
    check_versions(page, report)

    shell = Shell(working)
    goals = re.findall(r'^make (\w+)', commands.text, re.M)
    known = shell.call('make', '-s', 'help')
    report.check('README.md: the first commands are known', [f'make {goal} ' in known for goal in goals], [True, True])
    shell.run(secret.text)
    shell.run(install.text)
    folders = {name: write(working / name, file, block.text) for name, file, block in [
        ('c', 'visits.c', c), ('go', 'visits.go', go), ('ruby', 'config.ru', ruby), ('rust', 'main.rs', rust)]}

    browser = Browser(report)
    at_pyramid = pyramid(python, shell.environment['SESSION_SECRET'])
    [set_cookie] = [value for name, value in at_pyramid('/login?user=ada')[0] if name == 'Set-Cookie']
    browser.cookie = cookie_of(set_cookie)
    browser.visit('Pyramid', lambda cookie: at_pyramid('/greet', cookie))

    strict = 'cc() { command cc -std=c11 -Wall -Wextra -Wpedantic -Werror "$@"; }\n'
    browser.visit('C', cgi(shell, 'bash', '-c', strict + run_c.text, folder=folders['c']))
    shell.run(strict + compile_c.text, folders['c'])
    browser.visit('C with the shared library', cgi(shell, folders['c'] / 'visits'))
    del shell.environment['LD_LIBRARY_PATH']
    browser.visit('C with the static library', cgi(shell, folders['c'] / 'visits-static'))
    write(folders['c'], 'CMakeLists.txt', cmake.text)
    shell.run('cmake -B build -DCMAKE_PREFIX_PATH=$HOME/.local && cmake --build build', folders['c'])
    browser.visit('C by CMake', cgi(shell, folders['c'] / 'build/visits'))
    shell.environment['LD_LIBRARY_PATH'] = f'{shell.home}/.local/lib'

    shell.run(make_go.text, folders['go'])
    with http(shell, run_go.text, folders['go']) as request:
        browser.visit('Go', request)
        # An error's reason may name a key, a file or a server.
        failing = servers.services[0].peer
        failing.factory([('secret', shell.environment['SESSION_SECRET'])])
        found = refusal(request, cookie_of(failing.write(time.time(), '', [('visits', '"many"')])))
        report.check('README.md: Go tells a visitor no reason', found, (503, 'The session is not available.\n'))

    gem = shutil.copytree(root / 'bindings/ruby', working / 'gem')
    shell.run(make_gem.text, gem)
    browser.visit('Ruby', rack(shell, folders['ruby']))
    # Debian's Rack is 2; while its environment is development, rackup puts Rack::Lint around the application.
    with http(shell, run_ruby.text, folders['ruby']) as request:
        browser.visit('Ruby with Rack 2', request)

    crate = folders['rust']
    write(crate / 'src', 'main.rs', rust.text)
    path = tomllib.loads(cargo.text)['dependencies']['khufu']['path']
    (working / 'khufu').symlink_to(root)
    report.check('README.md: the crate is where its line says', (crate / path).resolve(), root)
    write(crate, 'Cargo.toml', f'[package]\nname = "visits"\nversion = "0.1.0"\nedition = "2024"\n\n{cargo.text}')
    shutil.copy(root / 'Cargo.lock', crate)
    shell.environment |= {'CARGO_TARGET_DIR': str(target / 'tests/docs'), 'CARGO_NET_OFFLINE': 'true'}
    browser.visit('Rust', cgi(shell, 'bash', '-c', run_rust.text, folder=crate))

    browser.visit('Pyramid again', lambda cookie: at_pyramid('/greet', cookie))
    without = shell.call('sh', '-c', 'SESSION_SECRET= "$0" 2>&1 || echo "exit $?"', folders['c'] / 'visits')
    report.check('README.md: C without a secret', without, 'the option secret must be a text that is not empty\nexit 1\n')
    stranger = Browser(report)
    stranger.visit('a stranger', cgi(shell, folders['c'] / 'visits'), 'stranger')
