"""Visits the shop of each library with the same browser, and compares what they answer (see README.md).

Each line of the report is a check. The tables in README.md must be those of this run. With
KHUFU_UPDATE=1 they are written anew.
"""

import os
import sys

from browser import Browser, Warehouse
from lines import count
from report import Report
from servers import SERVERS, here

DIFFERENCES = {
    'one of two additions at once is lost': 'loses',
    'an addition that is still running undoes a logout': 'undoes',
    'after a logout, a copy of the cookie still works': 'reopens',
    'accepts a form without a CSRF token': 'forges',
}


def visit(report, browser):
    """Does what every shop must answer alike."""
    report.check('… shows an empty page', browser.page(), ['user '])
    report.check('… asks a visitor to log in', browser.post('/cart', sku='A-1', quantity=2), 403)
    before = browser.copy()
    report.check('… logs in', browser.post('/login', user='ada'), 303)
    report.check('… shows a message', browser.page(), ['user ada', 'message Welcome, ada.'])
    report.check('… shows it once', browser.page(), ['user ada'])
    report.check('… logs in with a new cookie only', before.page(), ['user '])
    report.check('… adds to the cart', browser.post('/cart', sku='A-1', quantity=2), 303)
    report.check('… adds more', browser.post('/cart', sku='B-2', quantity=1), 303)
    report.check('… shows the cart', browser.page(), ['user ada', 'cart A-1 2', 'cart B-2 1'])
    report.check('… logs out', browser.post('/logout'), 303)
    report.check('… shows an empty page again', browser.page(), ['user '])


def loses(browser, warehouse):
    with warehouse.held_order(browser, 'held-1'), warehouse.held_order(browser, 'held-2'):
        pass
    return len([line for line in browser.page() if line.startswith('cart ')]) < 2


def undoes(browser, warehouse):
    with warehouse.held_order(browser, 'held-3'):
        browser.post('/logout')
    return 'user ada' in browser.page()


def reopens(browser, _):
    copy = browser.copy()
    browser.post('/logout')
    return 'user ada' in copy.page()


def forges(browser, _):
    return browser.copy(token=None).post('/cart', sku='C-3', quantity=1) == 303


def observe(port, warehouse):
    """The answers to the questions of the table, each for a session of its own."""
    answers = []
    for question in DIFFERENCES.values():
        browser = Browser(port)
        browser.log_in()
        answers.append('yes' if globals()[question](browser, warehouse) else 'no')
    return answers


def table(head, rows):
    return ''.join(f'| {" | ".join(map(str, row))} |\n' for row in [head, ['---'] * len(head), *rows])


def programs():
    """One server of each program, and how many lines the program has in all and about sessions."""
    for source, server in {server.source: server for server in SERVERS}.items():
        yield server, count(server.language, (here / source).read_text())


def count_lines():
    """The table of lines of this folder's page. It has a row for each program."""
    rows = [[server.language, f'[{server.name}]({server.source})', *counted] for server, counted in programs()]
    return table(['', 'program', 'lines', 'of these about sessions'], rows)


def summarize():
    """The table of lines in the README, with a row for each language."""
    languages = {}
    for server, (lines, _) in programs():
        languages.setdefault(server.language, {})[server.name] = lines
    rows = []
    for language, names in languages.items():
        khufu = names.pop('khufu')
        rows.append([language, khufu, ', '.join(f'{name} {lines}' for name, lines in names.items())])
    return table(['', 'khufu', 'peers'], rows)


def check_page(report, page, name, wanted):
    """Checks the table after the comment `name` of a page, or writes it if KHUFU_UPDATE is set and nothing failed."""
    before, begin, rest = page.read_text().partition(f'<!-- {name} -->\n')
    found, end, after = rest.partition('<!-- end -->')
    if os.environ.get('KHUFU_UPDATE') and not report.failed:
        page.write_text(before + begin + wanted + end + after)
    else:
        report.check(f'{page.relative_to(here.parents[1])}: the table "{name}"', found, wanted)


def main():
    report = Report()
    warehouse = Warehouse()
    rows = []
    for server in SERVERS:
        print(f'{server.language}: {server.title}')
        with report.part(server.title), server.running(WAREHOUSE=warehouse.address) as port:
            visit(report, Browser(port))
            rows.append([server.language, server.title, *observe(port, warehouse)])
    check_page(report, here / 'README.md', 'lines', count_lines())
    check_page(report, here.parents[1] / 'README.md', 'lines', summarize())
    check_page(report, here / 'README.md', 'differences', table(['', 'sessions', *DIFFERENCES], rows))
    print(f'{report.passed} passed, {report.failed} failed')
    sys.exit(report.failed > 0)


if __name__ == '__main__':
    main()
