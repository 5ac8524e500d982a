"""Checks README.md: the installation, the example in every language, the pictures, and the versions."""

import json
import re
import shutil
import time
import tomllib
import urllib.error

from examples import Browser, Shell, cgi, http, pyramid
from originals import cookie_of
from pages import root
from peer import PeerError, target

# The programs that the page's code is inserted into.
C = '''
#include <khufu.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(const char *why) {
    fprintf(stderr, "%s\\n", why);
    return 1;
}

int main(void) {
    const char *secret = getenv("SESSION_SECRET"), *cookie = getenv("HTTP_COOKIE");
    if (secret == NULL) secret = "";
    if (cookie == NULL) cookie = "";
@CODE@
    khufu_factory_free(factory);
    khufu_options_free(options);
    return 0;
}
'''

CPP = '''
#include <cstdlib>
#include <exception>
#include <iostream>
#include <khufu.hpp>
#include <string>

static std::string variable(const char *name) {
    const char *value = std::getenv(name);
    return value == nullptr ? "" : value;
}

int main() try {
    const std::string secret = variable("SESSION_SECRET"), cookie = variable("HTTP_COOKIE");
@CODE@
} catch (const std::exception &error) {
    std::cerr << error.what() << "\\n";
    return 1;
}
'''

GO = '''
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"

	khufu "github.com/khufu/khufu/bindings/go"
)

func main() {
@CODE@
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
'''

CMAKE = '''
cmake_minimum_required(VERSION 3.13)
project(visits C)
add_executable(visits visits.c)
'''


def write(folder, name, text):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder


def refusal(request, cookie):
    try:
        return request(cookie)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def check_pictures(page, report):
    """Checks that the pictures for dark and for light pages differ only in their colours."""
    pictures = [root / name for name in re.findall(r'(?:src|srcset)="([^"]+)"', page.text)]
    shapes = {re.sub(r'#[0-9a-f]{6}', '', picture.read_text()) for picture in pictures}
    report.check('README.md: both pictures show the same', (len(pictures), len(shapes)), (2, 1))


def nearly_full(peer, secret):
    """A cookie that is so full that counting one visit makes its session too large."""
    peer.factory([('secret', secret)])
    size, cookie = 2800, None
    while True:
        try:
            cookie = cookie_of(peer.write(time.time(), '', [('text', json.dumps('x' * size))]))
        except PeerError:
            return cookie
        size += 1


def check_versions(page, report):
    with open(root / 'Cargo.toml', 'rb') as file:
        manifest = tomllib.load(file)['package']
    go = re.search(r'^go (.*)$', (root / 'bindings/go/go.mod').read_text(), re.M)[1]
    oldest = f'Both commands need Rust {manifest["rust-version"]} and Go {go}, or newer.'
    report.check('README.md: it names the oldest Rust and Go', oldest in page.text.replace('\n', ' '))
    requirements = (root / 'scripts/requirements.txt').read_text()
    originals = dict(re.findall(r'^(\S+)==(\S+)', requirements.lower().replace('-', '_'), re.M))
    compared = ["Pyramid {pyramid}'s factories", 'pyramid_session_redis {pyramid_session_redis}', 'Beaker {beaker}']
    rows = {row[0] for row in page.tables()[0][1:]}
    report.check('README.md: it compares the versions that are tested',
                 {name.format(**originals) for name in compared} - rows, set())


def check(page, pages, report, servers, working):
    commands, install, compile_c, cmake, make_go, make_gem = page.take('sh', 'sh', 'sh', 'cmake', 'sh', 'sh')
    python, c, cpp, go, ruby, rust = page.take('python', 'c', 'cpp', 'go', 'ruby', 'rust')
    report.check('README.md: it has at most 200 lines', page.text.count('\n') <= 200)
    check_pictures(page, report)
    check_versions(page, report)

    shell = Shell(working)
    goals = re.findall(r'^make (\w+)', commands.text, re.M)
    known = shell.call('make', '-s', 'help')
    report.check('README.md: the first commands are known', [f'make {goal} ' in known for goal in goals], [True, True])
    [make_secret] = re.findall(r"`(python3 -c '[^`]*')`", page.text)
    secret = shell.call('sh', '-c', make_secret).strip()
    report.check('README.md: a secret of hex digits', len(bytes.fromhex(secret)), 64)
    shell.environment['SESSION_SECRET'] = secret
    shell.run(install.text)
    folders = {name: write(working / name, file, text) for name, file, text in [
        ('c', 'visits.c', C.replace('@CODE@', c.text)), ('cpp', 'visits.cpp', CPP.replace('@CODE@', cpp.text)), ('go', 'visits.go', GO.replace('@CODE@', go.text)),
        ('ruby', 'config.ru', ruby.text), ('rust', 'main.rs', rust.text)]}

    browser = Browser(report)
    at_pyramid = pyramid(python, secret)
    [set_cookie] = [value for name, value in at_pyramid('/login?user=ada')[0] if name == 'Set-Cookie']
    browser.cookie = cookie_of(set_cookie)
    browser.visit('Pyramid', lambda cookie: at_pyramid('/greet', cookie))

    strict = 'cc() { command cc -std=c11 -Wall -Wextra -Wpedantic -Werror "$@"; }\n'
    shell.run(strict + compile_c.text, folders['c'])
    browser.visit('C with the shared library', cgi(shell, folders['c'] / 'visits'))
    shell.run('c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror visits.cpp $(pkg-config --cflags --libs khufu) -o visits',
              folders['cpp'])
    browser.visit('C++', cgi(shell, folders['cpp'] / 'visits'))
    del shell.environment['LD_LIBRARY_PATH']
    browser.visit('C with the static library', cgi(shell, folders['c'] / 'visits-static'))
    write(folders['c'], 'CMakeLists.txt', CMAKE + cmake.text)
    shell.run('cmake -B build -DCMAKE_PREFIX_PATH=$HOME/.local && cmake --build build', folders['c'])
    browser.visit('C by CMake', cgi(shell, folders['c'] / 'build/visits'))
    shell.environment['LD_LIBRARY_PATH'] = f'{shell.home}/.local/lib'

    shell.run('go mod init example.com/visits\n' + make_go.text, folders['go'])
    with http(shell, 'PORT=8080 go run .', folders['go']) as request:
        browser.visit('Go', request)
        # An error's reason may name a key, a file or a server.
        found = refusal(request, nearly_full(servers.services[0].peer, secret))
        report.check('README.md: Go does not show a visitor the reason of an error', found, (500, 'The session could not be used.\n'))

    gem = shutil.copytree(root / 'bindings/ruby', working / 'gem')
    shell.run(make_gem.text, gem)
    # Debian's Rack is 2; suite ruby also tests Rack 3. While its environment is development, rackup puts Rack::Lint around the application.
    with http(shell, 'rackup --port 8080', folders['ruby']) as request:
        browser.visit('Ruby', request)

    crate = folders['rust']
    write(crate / 'src', 'main.rs', rust.text)
    [dependency] = re.findall(r'`(khufu = \{.*?\})`', page.text)
    (working / 'khufu').symlink_to(root)
    path = tomllib.loads(dependency)['khufu']['path']
    report.check('README.md: the crate is where its line says', (crate / path).resolve(), root)
    write(crate, 'Cargo.toml',
          f'[package]\nname = "visits"\nversion = "0.1.0"\nedition = "2024"\n\n[dependencies]\n{dependency}\n')
    shutil.copy(root / 'Cargo.lock', crate)
    shell.environment |= {'CARGO_TARGET_DIR': str(target / 'tests/docs'), 'CARGO_NET_OFFLINE': 'true'}
    browser.visit('Rust', cgi(shell, 'cargo', 'run', folder=crate))

    browser.visit('Pyramid again', lambda cookie: at_pyramid('/greet', cookie))
    without = shell.call('sh', '-c', 'SESSION_SECRET= "$0" 2>&1 || echo "exit $?"', folders['c'] / 'visits')
    report.check('README.md: C without a secret', without, 'the option secret must not be empty\nexit 1\n')
    stranger = Browser(report)
    stranger.visit('a stranger', cgi(shell, folders['c'] / 'visits'), 'stranger')
