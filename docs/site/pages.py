"""The pages of the site: every Markdown file of the repository, and a page for each file and folder that one of them
links. The pages keep their paths, so that links work. MkDocs calls the functions whose names begin with `on_`."""

import fnmatch
import posixpath
import re
import subprocess
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
LIST = ['git', 'ls-files', '--cached', '--others', '--exclude-standard']
PATHS = subprocess.run(LIST, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
FOLDERS = {str(folder) for path in PATHS for folder in Path(path).parents}
PICTURES = ('.svg', '.png')
LANGUAGES = {'.h': 'c', '.hpp': 'cpp', '.rs': 'rust', '.ru': 'ruby', '.rb': 'ruby', '.py': 'python', '.yml': 'yaml'}
CODE = re.compile(r'(^```.*?^```$|^    .*?$|`[^`\n]+`)', re.M | re.S)
LINK = re.compile(r'(\]\()([^)#\s:]+)(#[^)\s]*)?(\))')


def on_config(config):
    """Puts the pages that match into the navigation, and leaves sections without pages out."""
    pages = [path for path in PATHS if path.endswith('.md')]
    config.nav = expand(config.nav, pages)
    return config


def expand(items, pages):
    expanded = []
    for item in items:
        if isinstance(item, dict):
            [(title, inner)] = item.items()
            inner = expand(inner, pages) if isinstance(inner, list) else inner
            expanded += [{title: inner}] if inner else []
        else:
            expanded += sorted(fnmatch.filter(pages, item)) if '*' in item else [item]
    return expanded


def on_files(files, config):
    for path in PATHS:
        if path.endswith('.md') or path.endswith(PICTURES) and Path(path).parent == Path('docs'):
            files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    todo = [target for path in PATHS if path.endswith('.md') for target in targets(path)]
    todo += ['include/khufu.h', 'include/khufu.hpp']
    while todo:
        path = todo.pop()
        page = page_of(path)
        if page and not files.get_file_from_path(page):
            content, inner = folder_page(path) if path in FOLDERS else source_page(path)
            files.append(File.generated(config, page, content=content))
            todo += inner
    return files


def on_page_markdown(markdown, page, **_):
    """Points links to files and folders at their pages, and shows the picture of the chosen colours. The start page
    belongs to no section, so it has no list of pages."""
    if page.is_homepage:
        page.meta['hide'] = ['navigation']
    folder = posixpath.dirname(page.file.src_uri)
    if page.file.src_uri == 'src/crate.md':
        markdown = crate_page(markdown)

    def pointed(match):
        target = page_of(posixpath.normpath(posixpath.join(folder, match[2])))
        return match[1] + (posixpath.relpath(target, folder) if target else match[2]) + (match[3] or '') + match[4]

    return with_pictures(outside_code(lambda text: LINK.sub(pointed, text), markdown))


def outside_code(change, markdown):
    parts = CODE.split(markdown)
    return ''.join(part if number % 2 else change(part) for number, part in enumerate(parts))


def targets(path):
    """The files and folders that a page links."""
    text = CODE.sub('', (ROOT / path).read_text())
    return [posixpath.normpath(posixpath.join(posixpath.dirname(path), match[2])) for match in LINK.finditer(text)]


def page_of(path):
    """The page that a link to a file or a folder leads to, or None if the link can stay as it is."""
    if path in FOLDERS:
        readme = posixpath.join(path, 'README.md')
        return readme if readme in PATHS else posixpath.join(path, 'index.md')
    return f'{path}.md' if path in PATHS and not path.endswith(('.md', *PICTURES)) else None


def folder_page(folder):
    inner = {Path(path).relative_to(folder).parts[0] for path in PATHS if path.startswith(f'{folder}/')}
    lines = ''.join(f'- [{name}]({name})\n' for name in sorted(inner))
    return f'---\nsearch: {{exclude: true}}\n---\n# {folder}\n\n{lines}', [f'{folder}/{name}' for name in inner]


def source_page(path):
    """The page of a source file. The search finds only the headers, which are the references of C and C++."""
    text = (ROOT / path).read_text()
    suffix = Path(path).suffix
    language = LANGUAGES.get(suffix, suffix.removeprefix('.') or 'text')
    search = '' if path.startswith('include/') else '---\nsearch: {exclude: true}\n---\n'
    return f'{search}# {path}\n\n~~~~~~ {language}\n{text}\n~~~~~~\n', []


def crate_page(markdown):
    """The crate's page without what only rustdoc understands: hidden lines, links to items, and a title of its own."""
    markdown = re.sub(r'^# .*(::|;).*\n', '', markdown, flags=re.M)
    markdown = re.sub(r'\[(`[^`]+`)\](?!\()', r'\1', markdown)
    markdown = re.sub(r'^```$(?=\n\w)', '``` rust', markdown, flags=re.M)
    return '# khufu for Rust\n\n' + re.sub(r'^#', '##', markdown, flags=re.M)


def with_pictures(markdown):
    """The theme shows one of two images by these suffixes. The HTML element asks the system instead."""
    source = r'<source media="[^"]*dark[^"]*" srcset="([^"]*)">'
    element = rf'<picture>\s*{source}\s*<img alt="([^"]*)"\s*src="([^"]*)">\s*</picture>'
    return re.sub(element, r'<img alt="\2" src="\3#only-light"><img alt="\2" src="\1#only-dark">', markdown)
