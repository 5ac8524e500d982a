"""A site's servers: the real Pyramid, and a khufu service in each language. Each can be at any step of a guide."""

import itertools
from dataclasses import dataclass
from random import Random

from originals import commit, cookie_of, open_session
from peer import COMMANDS, Peer

NOW = 1_700_000_000
TIMEOUT = 1200  # the default
JUNK = ['', 'a', 'abc', '!!!!', '=', 'é', 'A' * 39, 'A' * 53, 'A' * 54, 'A' * 86, 'A' * 4064]
ADA = '"ada"'


@dataclass
class Step:
    name: str
    kind: str  # 'opens', 'writes' or 'forgets', if the step does so with a format; 'before' for the state before step 1
    options: list  # the options of khufu's services, as pairs
    session_factory: type  # Pyramid's session factory


class Pyramid:
    name = 'pyramid'

    def use(self, step):
        self.session_factory = step.session_factory

    def visit(self, now, cookie):
        """Answers a request that counts a visit. Returns the old state of the session, and the browser's new cookie."""
        session = open_session(self.session_factory, now, cookie)
        found = dict.copy(session)
        session['visits'] = found.get('visits', 0) + 1
        session.setdefault('user', 'ada')
        [set_cookie] = commit(session)
        return found, cookie_of(set_cookie)


class Service:
    """A program in one of the languages that uses khufu."""

    def __init__(self, name):
        self.name = name
        self.peer = Peer(name)

    def use(self, step):
        self.peer.factory(step.options)

    def load_result(self, now, cookie):
        return self.peer.read(now, cookie).load_result

    def visit(self, now, cookie):
        found = self.peer.read(now, cookie).state
        pairs = [('visits', str(found.get('visits', 0) + 1))] + [('user', ADA)] * ('user' not in found)
        return found, cookie_of(self.peer.write(now, cookie, pairs))

    def untouched(self, now, cookie):
        """Answers a request that does not use the session. Returns the cookie that it sets, or None."""
        set_cookie = self.peer.write(now, cookie, [])
        return set_cookie and cookie_of(set_cookie)


class Servers:
    def __init__(self):
        self.pyramid = Pyramid()
        self.services = [Service(name) for name in COMMANDS]
        self.all = [self.pyramid, *self.services]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for service in self.services:
            service.peer.close()


def lost(servers, writing, reading, later=1):
    """Each server writes a session in the step `writing`, and each server opens it in the step `reading`. Returns which
    sessions were lost."""
    cookies = []
    for writer in servers.all:
        writer.use(writing)
        cookies.append((writer, writer.visit(NOW, '')[1]))
    losers = []
    for reader in servers.all:
        reader.use(reading)
        for writer, cookie in cookies:
            if reader.visit(NOW + later, cookie)[0] != {'visits': 1, 'user': 'ada'}:
                losers.append(f'{reader.name} of {writer.name}')
    return losers


def check_move(what, steps, report, servers):
    """Checks that these steps log nobody out, while some servers are already at the next step."""
    check = report.check
    everyone = [f'{reader.name} of {writer.name}' for reader in servers.all for writer in servers.all]
    for step in steps:
        check(f'{what}: in "{step.name}" all servers open each other\'s sessions', lost(servers, step, step), [])
    for before, after in itertools.pairwise(steps):
        check(f'{what}: "{after.name}" opens the sessions of "{before.name}"', lost(servers, before, after), [])
        check(f'{what}: "{before.name}" opens the sessions of "{after.name}"', lost(servers, after, before), [])
    for step in steps:
        opened = [open_session(step.session_factory, NOW, f'session={junk}') for junk in JUNK]
        check(f'{what}: in "{step.name}" junk opens no session in Pyramid', [(session.new, dict(session)) for session in opened],
              [(True, {})] * len(JUNK))
    for first, second, third in zip(steps, steps[1:], steps[2:]):
        if third.kind == 'writes':
            check(f'{what}: without "{second.name}" sessions would be lost', lost(servers, third, first), everyone)
        if third.kind == 'forgets':
            check(f'{what}: "{second.name}" opens an idle session of "{first.name}"', lost(servers, first, second, TIMEOUT), [])
            check(f'{what}: "{second.name}" does not open an expired session', lost(servers, first, second, TIMEOUT + 1), everyone)
            check(f'{what}: "{third.name}" no longer opens sessions of "{first.name}"', lost(servers, first, third), everyone)
    for seed in range(3):
        check(f'{what}: a visitor stays logged in through all steps ({seed})', walk(steps, servers, Random(seed)), [])


def walk(steps, servers, random):
    """Restarts the servers one after the other for each step, while a visitor sends requests to random servers. Returns
    which requests found the session lost."""
    now, cookie, visits, lost = NOW, '', 0, []

    def requests(number, seconds):
        nonlocal now, cookie, visits
        for server in random.choices(servers.all, k=number):
            now += random.randrange(seconds)
            found, cookie = server.visit(now, cookie)
            if found != ({'visits': visits, 'user': 'ada'} if visits else {}):
                lost.append(f'request {visits} at {server.name}: {found}')
            visits += 1

    for server in servers.all:
        server.use(steps[0])
    requests(10, 60)
    for step in steps[1:]:
        if step.kind == 'forgets':
            until = now + TIMEOUT
            while now <= until:
                requests(1, TIMEOUT)
        for server in random.sample(servers.all, k=len(servers.all)):
            server.use(step)
            requests(10, 60)
    return lost


def check_table(page, cookies, steps, report, servers):
    """Checks that the cookies open in each step as the page's last table says, and that old cookies are written again."""
    [head, *rows] = page.tables()[-1]
    report.check(f'{page.name}: the table has a column for each step', len(head) - 1, len(steps))
    report.check(f'{page.name}: the table has a row for each cookie', len(rows), len(cookies))
    for (name, *cells), cookie in zip(rows, cookies):
        for step, cell in zip(steps, cells):
            for service in servers.services:
                service.use(step)
                result = f'`{service.load_result(NOW + 1, cookie)}`'
                report.check(f'{page.name}: {name} in "{step.name}", {service.name}', result, cell)
                if 'loaded' in result:
                    again = service.untouched(NOW + 1, cookie)
                    written = again and service.load_result(NOW + 2, again)
                    what = f'{name} after a request that does not use the session, in "{step.name}", {service.name}'
                    report.check(f'{page.name}: {what}', written, None if result == '`loaded`' else 'loaded')
