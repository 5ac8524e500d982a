"""Builds the documentation's site, and checks its links, its search, and that it loads nothing from other hosts."""

import json
import re
import subprocess
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

from pages import Page, root
from peer import target

SITE = target / 'docs-site'
HOST = 'http://site'


class Parsed(HTMLParser):
    """The anchors of a page, the addresses that it links, and those that a browser loads with it."""

    def __init__(self, path):
        super().__init__()
        self.address = f'{HOST}/{path.relative_to(SITE)}'.removesuffix('index.html')
        self.anchors, self.links, self.loaded, self.policy = {'', '__'}, [], [], ''
        self.feed(path.read_text())

    def handle_starttag(self, tag, pairs):
        attributes = dict(pairs)
        self.anchors.add(attributes.get('id'))
        if attributes.get('http-equiv') == 'Content-Security-Policy':
            self.policy = attributes['content']
        for name in ['href', 'src', 'srcset', 'action', 'poster', 'data']:
            if attributes.get(name):
                address = urljoin(self.address, attributes[name])
                (self.links if tag == 'a' else self.loaded).append(address)

    handle_startendtag = handle_starttag


def check(report):
    built = subprocess.run([root / 'scripts/docs'], capture_output=True, text=True)
    found = built.returncode, re.findall('WARNING.*', built.stderr)
    report.check('the site is built without a warning', found, (0, []))
    pages = {page.address: page for page in map(Parsed, sorted(SITE.glob('**/*.html')))}
    check_links(pages, report)
    check_hosts(pages, report)

    files = [Page(path) for path in [*root.glob('*.md'), *root.glob('docs/**/*.md'),
                                    *root.glob('bindings/**/README.md')]]
    missing = [page.name for page in files
               if address_of(page) not in pages or not page.anchors() <= pages[address_of(page)].anchors]
    report.check('the site has every page, with the anchors of its headings', missing, [])

    start = pages[f'{HOST}/']
    left_out = [page.name for page in files if address_of(page) not in {*start.links, start.address}]
    report.check('the navigation has every page', left_out, [])

    index = json.loads((SITE / 'search/search_index.json').read_text())['docs']
    searches = {'regenerate_grace': 'docs/options/', 'HAProxy': 'docs/cookies/', 'CarryOver': 'docs/moving/',
                'khufu_session_open_with': 'include/khufu.h/'}
    for words, page in searches.items():
        found = [entry['location'] for entry in index if words in entry['title'] + entry['text']]
        report.check(f'the search finds {words}', any(location.startswith(page) for location in found))


def address_of(page):
    path = re.sub(r'(README)?\.md$', '', page.name)
    return f'{HOST}/{path}'.rstrip('/') + '/'


def check_links(pages, report):
    """Every address of the site has a file, and its fragment is an anchor there."""
    broken = []
    for page in pages.values():
        for address in {*page.links, *page.loaded}:
            parts = urlsplit(address)
            if address.startswith(HOST) and not page.address.endswith('404.html'):
                linked = pages.get(HOST + parts.path)
                exists = linked or (SITE / unquote(parts.path).lstrip('/')).is_file()
                if not exists or linked and unquote(parts.fragment) not in linked.anchors:
                    broken.append((page.address, address))
    report.check('every link of the site has a target', broken, [])


def check_hosts(pages, report):
    """Nothing is loaded from another host, and the pages forbid it."""
    loaded = {address for page in pages.values() for address in page.loaded}
    styles = ''.join(path.read_text() for path in SITE.glob('**/*.css'))
    loaded |= {urljoin(HOST, address) for address in re.findall(r'url\(["\']?(?!data:)([^"\')]+)', styles)}
    report.check('the site has pages, scripts and styles', (len(pages) > 30, len(loaded) > 5), (True, True))
    report.check('the site loads nothing from other hosts', [each for each in loaded if not each.startswith(HOST)], [])
    open_pages = [page.address for page in pages.values() if "default-src 'self'" not in page.policy]
    report.check('every page forbids to load from other hosts', open_pages, [])
