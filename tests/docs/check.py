"""Checks the links of every page, and runs the code blocks of README.md and docs/ with a module for each page. Start it
with `run`, which builds what it needs. The arguments are the names of pages. Without one, it checks all of them, and the
site."""

import re
import sys
import tempfile
from pathlib import Path

import command
import format_choices
import index
import install
import limits
import move
import moving
import operations
import performance
import readme
import rotate
import security
import share
import start
import stores
import website
from pages import Page, root, without_code
from report import Report
from services import Servers

MODULES = {
    'README.md': readme,
    'docs/README.md': index,
    'docs/command.md': command,
    'docs/formats.md': format_choices,
    'docs/install.md': install,
    'docs/limits.md': limits,
    'docs/move-a-format.md': move,
    'docs/operations.md': operations,
    'docs/performance.md': performance,
    'docs/rotate-a-secret.md': rotate,
    'docs/security.md': security,
    'docs/share-with-another-library.md': share,
    **{f'docs/start/{name}.md': start for name in ['c', 'cpp', 'go', 'pyramid', 'ruby', 'rust']},
    'docs/stores.md': stores,
    **{f'docs/moving/{name}.md': moving for name in moving.CHECKS},
}


def check_links(page, report):
    """Links and pictures in the repository exist."""
    broken = []
    for target in re.findall(r'\]\(([^)]+)\)|(?:src|srcset)="([^"]+)"', without_code(page.text)):
        target = ''.join(target)
        if target.startswith('https://'):
            continue
        file, _, anchor = target.partition('#')
        path = (page.path.parent / file).resolve() if file else page.path
        if not path.exists() or anchor and anchor not in Page(path).anchors():
            broken.append(target)
    report.check(f'{page.name}: every link has a target', broken, [])


def main(*chosen):
    report = Report()
    files = [*sorted(root.glob('*.md')), *sorted(root.glob('docs/**/*.md'))]
    pages = {page.name: page for page in map(Page, files)}
    with tempfile.TemporaryDirectory() as working, Servers() as servers:
        for name in chosen or pages:
            page = pages[name]
            check_links(page, report)
            if name in MODULES:
                with report.part(name):
                    MODULES[name].check(page, pages, report, servers, Path(working))
                report.check(f'{name}: every code block was run', [str(block) for block in page.left], [])
            elif name != 'CONTRIBUTING.md':
                report.check(f'{name}: it has no code blocks', [str(block) for block in page.left], [])
    if not chosen:
        with report.part('the site'):
            website.check(report)
    print(f'docs: {report.passed} passed, {report.failed} failed')
    return report.failed == 0


if __name__ == '__main__':
    sys.exit(not main(*sys.argv[1:]))
