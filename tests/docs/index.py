"""Checks that docs/README.md links every page of docs/."""

import re


def check(page, pages, report, servers, working):
    linked = set(re.findall(r'\]\(([\w-]+\.md)\)', page.text))
    others = {path.name for path in page.path.parent.glob('*.md')} - {'README.md'}
    report.check('docs/README.md: it links every page', linked, others)
