"""Checks that docs/formats.md has all choices of `type` and `serializer`, and every load result."""

import re

from pages import root


def check(page, pages, report, servers, working):
    tables = {table[0][0].strip('`'): [row[0].strip('`') for row in table[1:]] for table in page.tables()}
    options = {row[0].removesuffix(' ◆').strip('`'): row[1] for row in pages['docs/options.md'].tables()[0][1:]}
    for option in ['type', 'serializer']:
        report.check(f'docs/formats.md: every {option}', options[option].endswith(f' {", ".join(tables[option])}'))
    header = (root / 'include/khufu.h').read_text()
    report.check('docs/formats.md: the load results are those of khufu.h', tables['load result'],
                 [name.lower() for name in re.findall(r'^  KHUFU_LOAD_(\w+) =', header, re.M)])
