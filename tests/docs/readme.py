"""README.md: the first example in every language, the options, the limits, and the installation."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
import tomllib
import urllib.request

from originals import clock, cookie_of
from pages import root
from peer import PeerError
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from services import NOW

TOO_LARGE = 7

# The README's Ruby is a config.ru: this is what Rack does with it, for one request.
RACK = '''
require "json"
def run(application)
  status, headers, body = application.call({ "REQUEST_METHOD" => "GET", "HTTP_COOKIE" => ENV.fetch("HTTP_COOKIE") })
  puts JSON.generate([status, headers, body.to_a.join])
end
eval(File.read("config.ru"), TOPLEVEL_BINDING, "config.ru")
'''


class Shell:
    """Runs the page's shell code as one reader would type it, in a home of its own; what it exports stays."""

    def __init__(self, working):
        home = working / 'home'
        home.mkdir()
        self.exported = working / 'exported'
        go = json.loads(subprocess.run(['go', 'env', '-json'], check=True, capture_output=True, text=True).stdout)
        self.environment = {
            **os.environ,
            'CARGO_HOME': os.environ.get('CARGO_HOME', os.path.expanduser('~/.cargo')),
            'RUSTUP_HOME': os.environ.get('RUSTUP_HOME', os.path.expanduser('~/.rustup')),
            **{name: go[name] for name in ['GOCACHE', 'GOMODCACHE', 'GOPATH', 'GOENV']},
            'HOME': str(home), 'GEM_HOME': str(home / 'gems'), 'KHUFU': str(root),
        }
        for name in ['PKG_CONFIG_PATH', 'LD_LIBRARY_PATH', 'KHUFU_LIBRARY', 'BUILT']:
            self.environment.pop(name, None)
        self.home = home

    def run(self, text, folder=root, environment={}):
        script = f'set -eu\n{text}\nenv -0 >{self.exported}\n'
        result = subprocess.run(['bash', '-c', script], cwd=folder, check=True, capture_output=True, text=True,
                                env={**self.environment, **environment})
        entries = self.exported.read_text().rstrip('\0').split('\0')
        self.environment = dict(entry.split('=', 1) for entry in entries)
        return result.stdout

    def call(self, *command, folder=root, **environment):
        return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True,
                              env={**self.environment, **environment}).stdout


class Browser:
    """Visits the examples with one cookie, and checks what each answers."""

    def __init__(self, report):
        self.report, self.cookie, self.visits = report, '', 0

    def visit(self, who, request, user='ada'):
        """`request` answers a Cookie header with the headers (pairs) and the body."""
        headers, body = request(self.cookie)
        headers = [(name.lower(), value) for name, value in headers]
        set_cookies = [value for name, value in headers if name == 'set-cookie']
        self.visits += 1
        self.report.check(f'README.md: {who}', body, f'Hello, {user}: visit {self.visits}\n')
        self.report.check('… sends one cookie, for http only', [cookie.split('; ')[1:] for cookie in set_cookies],
                          [['Path=/', 'HttpOnly', 'SameSite=Lax']])
        self.report.check('… and no cache may give it to others', [value for name, value in headers if name == 'vary'], ['Cookie'])
        [set_cookie] = set_cookies
        self.cookie = cookie_of(set_cookie)


def cgi(shell, program):
    def request(cookie):
        head, _, body = shell.call(program, HTTP_COOKIE=cookie).partition('\n\n')
        return [tuple(line.split(': ', 1)) for line in head.splitlines()], body
    return request


def rack(shell, folder):
    def request(cookie):
        status, headers, body = json.loads(shell.call('ruby', '-w', 'rack.rb', folder=folder, HTTP_COOKIE=cookie))
        pairs = [(name, each) for name, value in headers.items() for each in (value if isinstance(value, list) else [value])]
        return pairs, body
    return request


@contextlib.contextmanager
def http(shell, program):
    with socket.create_server(('127.0.0.1', 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen([program], env={**shell.environment, 'PORT': str(port)})
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port)):
                break
            time.sleep(0.1)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def request(cookie):
            with opener.open(urllib.request.Request(f'http://127.0.0.1:{port}/', headers={'Cookie': cookie}), timeout=10) as response:
                return response.headers.items(), response.read().decode()
        yield request
    finally:
        server.terminate()
        server.wait()


def pyramid(block, secret):
    """The page's Pyramid, with a view that logs in and one that greets like the others."""
    config = Configurator()
    os.environ['SESSION_SECRET'] = secret
    exec(compile(block.text, block.place, 'exec'), {'config': config})

    def login(request):
        request.session['user'] = request.params['user']
        return Response('')

    def greet(request):
        session = request.session
        session['visits'] = session.get('visits', 0) + 1
        return Response(f'Hello, {session["user"]}: visit {session["visits"]}\n', vary='Cookie')

    for view in [login, greet]:
        config.add_route(view.__name__, f'/{view.__name__}')
        config.add_view(view, route_name=view.__name__)
    application = config.make_wsgi_app()

    def request(path, cookie=''):
        clock.now = time.time()
        response = Request.blank(path, headers={'Cookie': cookie} if cookie else {}).get_response(application)
        return response.headers.items(), response.text
    return request


def write(folder, name, text):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder


def check_options(page, options_page, report):
    def rows(page, head):
        [table] = [table for table in page.tables() if table[0][0] == head]
        return [(row[0].removesuffix(' ◆'), row[table[0].index('default')]) for row in table[1:]]

    report.check('README.md: the options are those of docs/options.md, with their defaults',
                 rows(page, 'option'), rows(options_page, 'option'))


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
            report.check(f'README.md: about 2,900 bytes fit, {service.name}, {options[0][1]}', [bool(fits), found], [True, (TOO_LARGE, True)])


def check_versions(page, report):
    with open(root / 'Cargo.toml', 'rb') as file:
        manifest = tomllib.load(file)['package']
    go = re.search(r'^go (.*)$', (root / 'bindings/go/go.mod').read_text(), re.M)[1]
    report.check('README.md: it names the oldest Rust and Go', [manifest['rust-version'] in page.text, f'Go\n{go}' in page.text], [True, True])
    originals = dict(line.split('==') for line in (root / 'scripts/requirements.txt').read_text().splitlines() if '==' in line)
    tested = f'Pyramid {originals["pyramid"]} and pyramid_nacl_session {originals["pyramid-nacl-session"]}'
    report.check('README.md: it names the originals that are tested', tested in page.text)


def check(page, pages, report, servers, working):
    commands, secret, python, c, go, ruby, rust = page.take('sh', 'sh', 'python', 'c', 'go', 'ruby', 'rust')
    page.take('ini')  # the rotation: the module rotate compares it
    page.take('ini')  # the formats: the module move does
    install, compile_c, cmake, make_go, make_gem, cargo = page.take('sh', 'sh', 'cmake', 'sh', 'sh', 'toml')
    check_options(page, pages['docs/options.md'], report)
    check_limits(report, servers)
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

    shell.run(f'cc() {{ command cc -std=c11 -Wall -Wextra -Wpedantic -Werror "$@"; }}\n{compile_c.text}', folders['c'])
    browser.visit('C', cgi(shell, folders['c'] / 'visits'))
    del shell.environment['LD_LIBRARY_PATH']
    browser.visit('C with the static library', cgi(shell, folders['c'] / 'visits-static'))
    write(folders['c'], 'CMakeLists.txt', f'cmake_minimum_required(VERSION 3.13)\nproject(visits C)\n{cmake.text}')
    shell.run('cmake -B build -DCMAKE_PREFIX_PATH=$HOME/.local && cmake --build build', folders['c'])
    browser.visit('C by CMake', cgi(shell, folders['c'] / 'build/visits'))
    shell.environment['LD_LIBRARY_PATH'] = f'{shell.home}/.local/lib'

    shell.run(make_go.text, folders['go'])
    with http(shell, folders['go'] / 'visits') as request:
        browser.visit('Go', request)

    gem = shutil.copytree(root / 'bindings/ruby', working / 'gem')
    shell.run(make_gem.text, gem)
    write(folders['ruby'], 'rack.rb', RACK)
    browser.visit('Ruby', rack(shell, folders['ruby']))

    crate = folders['rust']
    write(crate / 'src', 'main.rs', rust.text)
    path = tomllib.loads(cargo.text)['dependencies']['khufu']['path']
    (working / 'khufu').symlink_to(root)
    report.check('README.md: the crate is where its line says', (crate / path).resolve(), root)
    write(crate, 'Cargo.toml', f'[package]\nname = "visits"\nversion = "0.1.0"\nedition = "2024"\n\n{cargo.text}')
    shutil.copy(root / 'Cargo.lock', crate)
    shell.call('cargo', 'build', '--offline', folder=crate, CARGO_TARGET_DIR=str(root / 'target/tests/docs'))
    browser.visit('Rust', cgi(shell, root / 'target/tests/docs/debug/visits'))

    browser.visit('Pyramid again', lambda cookie: at_pyramid('/greet', cookie))
    stranger = Browser(report)
    stranger.visit('a stranger', cgi(shell, folders['c'] / 'visits'), 'stranger')
