"""Follows the pages in docs/start as a reader would: runs each `sh` block, saves each file, changes a file as each
`diff` says, starts the server, and compares the answers in the `console` blocks, in which `…` is a CSRF token.

Only this differs from what a reader does: the servers listen on free ports; the library is built already when `make
install` is called; `sudo apt-get install` only checks that scripts/dependencies has installed the packages; pip and
cargo use the versions that are pinned in scripts/ and in Cargo.lock; compilers report more, and warnings are errors;
the Pyramid application that shares a service's login uses the Pyramid that this test has.
"""

import contextlib
import re
import sys
import time
from html import escape
from pathlib import Path

from examples import Shell, free_port, serving
from originals import commit, cookie_of, open_session
from pages import root
from peer import target
from pyramid.session import SignedCookieSessionFactory

PYRAMID = 'docs/start/pyramid.md'
SETTINGS = {
    'PIP_CONSTRAINT': str(root / 'scripts/requirements.txt'), 'PIP_DISABLE_PIP_VERSION_CHECK': '1',
    'CARGO_NET_OFFLINE': 'true', 'NO_PROXY': 'localhost',
}
COMMANDS = '''
sudo() { [ "$1 $2" = 'apt-get install' ] && dpkg-query -W "${@:3}" >/dev/null; }
cc() { command cc -Wall -Wextra -Wno-unused-parameter -Werror "$@"; }
c++() { command c++ -Wall -Wextra -Wpedantic -Werror "$@"; }
cargo() { command cargo "$@" && { [ "$1" != new ] || cp "$KHUFU/Cargo.lock" "$2"; }; }
'''
TOKEN = re.compile('(?<=value=")[0-9a-f]{40}(?=")')
UNSAFE = '<b>'


class Reader:
    """Follows one page, with a home folder of its own."""

    def __init__(self, page, pages, report, working):
        self.page, self.pyramid, self.report = page, pages[PYRAMID], report
        working.mkdir(parents=True)
        self.shell = Shell(working)
        # Go's cache ignores pkg-config's flags. A flag without effect makes Go compile the package again.
        again = f'-gcflags=github.com/khufu/khufu/bindings/go=-D={working}'
        del self.shell.environment['PYTHONPATH']
        self.shell.environment |= {**SETTINGS, 'GOFLAGS': again, 'PWD': str(self.shell.home)}
        if page.path.stem == 'rust':
            # In the folder of other suites, Cargo would replace the library with one that has fewer features.
            settings = {'CARGO_TARGET_DIR': str(target / 'tests/start'), 'CARGO_PROFILE_DEV_DEBUG': '0'}
            self.shell.environment |= settings
        self.ports = {port: str(free_port()) for port in ['6543', '8080']}
        self.port = '6543' if page is self.pyramid else '8080'

    @property
    def folder(self):
        return Path(self.shell.environment['PWD'])

    def adapted(self, text):
        """The page's text, with free ports and the target folder of this test."""
        text = re.sub('|'.join(self.ports), lambda match: self.ports[match[0]], text)
        return text.replace('$KHUFU/target', str(target))

    def run(self, text):
        return self.shell.run(self.adapted(text), self.folder)

    def follow(self):
        first_console = next(block for block in self.page.blocks if block.language == 'console')
        with contextlib.ExitStack() as servers:
            for block, following in zip(self.page.blocks, [*self.page.blocks[1:], None]):
                if block.language == 'console':
                    if block is first_console:
                        self.check_escaping()
                    self.check_console(block)
                elif block.language == 'diff':
                    self.change(block)
                elif block.language != 'sh':
                    self.save(block, self.folder)
                elif following and following.language == 'console':
                    servers.close()
                    self.start(block, self.folder, self.port, servers)
                    if self.page is not self.pyramid:
                        self.start_pyramid(servers)
                else:
                    self.run(COMMANDS + block.text)
            self.check_new_token()

    def file_of(self, block):
        """The name of the file, which the line before the block says."""
        fence = int(block.place.rpartition(':')[2])
        return re.search('`([^`]+)`:$', self.page.text.splitlines()[fence - 3])[1]

    def save(self, block, folder):
        (folder / self.file_of(block)).write_text(self.adapted(block.text))

    def change(self, block):
        path = self.folder / self.file_of(block)
        text = path.read_text()
        for removed, added in re.findall(r'((?:^-.*\n)+)((?:^\+.*\n)+)', block.text, re.M):
            removed, added = (re.sub('^.', '', lines, flags=re.M) for lines in [removed, added])
            self.report.check(f'{block.place}: the lines that change are there', text.count(removed), 1)
            text = text.replace(removed, added)
        path.write_text(text)

    def start(self, block, folder, port, servers):
        command, port = ['bash', '-c', self.adapted(block.text)], int(self.ports[port])
        servers.enter_context(serving(command, port, cwd=folder, env=self.shell.environment))

    def start_pyramid(self, servers):
        """Starts the application of Pyramid's page."""
        folder = self.shell.home / 'login-pyramid'
        folder.mkdir()
        (folder / 'env').symlink_to(sys.prefix)
        program, start = ([block for block in self.pyramid.blocks if block.language == language][index]
                          for language, index in [('python', 0), ('sh', 2)])
        (folder / 'login.py').write_text(self.adapted(program.text))
        self.start(start, folder, '6543', servers)

    def check_console(self, block):
        commands = re.findall(r'^\$ (.*)\n((?:(?!\$ ).*\n)*)', block.text, re.M)
        # What the block defines is exported, so that later blocks can use it.
        printed = self.run('set -a\n' + ''.join(f"{command}\nprintf '\\0'\n" for command, _ in commands))
        for (command, answer), found in zip(commands, printed.split('\0')[:-1], strict=True):
            self.report.check(f'{block.place}: {command}', TOKEN.sub('…', found), answer)

    def check_escaping(self):
        """The page escapes the name and the messages that another service wrote."""
        secret = (self.shell.home / 'session-secret').read_text().strip()
        session = open_session(SignedCookieSessionFactory(secret), time.time())
        session['user'] = UNSAFE
        session.flash(UNSAFE)
        [cookie] = map(cookie_of, commit(session))
        html = self.run(f"curl -s -H 'Cookie: {cookie}' localhost:{self.port}")
        self.report.check(f'{self.page.name}: no unescaped text', UNSAFE in html, False)
        self.report.check(f'{self.page.name}: escaped text', html.count(escape(UNSAFE)), 2)

    def check_new_token(self):
        """A login gives the session a new token, and scripts cannot read its cookie."""
        site = f'localhost:{self.port}'
        status = self.run(f'''
            old=$(token)
            browse -d csrf_token=$old -d user=ada -d password=lovelace {site}/login | grep -q Hello
            browse -d csrf_token=$old {site}/logout -o /dev/null -w '%{{http_code}}'
        ''')
        self.report.check(f'{self.page.name}: the token from before the login is refused', status in ['400', '403'])
        jar = (self.folder / 'jar').read_text()
        self.report.check(f'{self.page.name}: scripts cannot read the cookie', '#HttpOnly_localhost' in jar)


def check(page, pages, report, servers, working):
    page.left.clear()
    Reader(page, pages, report, working / 'start' / page.path.stem).follow()
