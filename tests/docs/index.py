"""Checks that docs/README.md links every page of docs/ and its folders."""

import re


def check(page, pages, report, servers, working):
    linked = set(re.findall(r'\]\(([\w/-]+\.md)\)', page.text))
    folder = page.path.parent
    others = {str(path.relative_to(folder)) for path in folder.glob('**/*.md')} - {'README.md'}
    report.check('docs/README.md: it links every page', linked, others)
