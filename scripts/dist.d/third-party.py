"""Writes the licences of everything that is linked into the library and the command to the given folder."""

import shutil
import sys
from pathlib import Path

import linked

NAMES = ('licen', 'copying', 'copyright', 'notice', 'unlicense')
RULE = '-' * 100


def license_texts(package):
    """A crate's licence files, as texts, with those of the code that it took from others."""
    files = [path for path in sorted(linked.folder(package).rglob('*'))
             if path.is_file() and path.name.lower().startswith(NAMES)]
    if not files:
        raise SystemExit(f'third-party: {package["name"]} {package["version"]} has no licence file')
    return [path.read_text().replace('\r\n', '\n').strip() for path in files]


def crates_text():
    """Every crate with its licence, then each different text once, with the crates that have it."""
    _, packages, _ = linked.metadata()
    head = ['khufu is linked with these crates. The texts of their licences follow.', '']
    users = {}
    for package in packages:
        name = f'{package["name"]} {package["version"]}'
        head.append(f'{name}: {linked.license_expression(package)}')
        for text in license_texts(package):
            users.setdefault(text, []).append(name)
    sqlite = linked.sqlite_version(packages)
    head += ['', f'The crate libsqlite3-sys has SQLite {sqlite}, which is in the public domain.',
             'The licences of the Rust standard library are in rust-standard-library.html.', '']
    for text, names in users.items():
        head += [RULE, ', '.join(names), RULE, '', text, '']
    return '\n'.join(head)


def main(target):
    target.mkdir(parents=True, exist_ok=True)
    (target / 'crates.txt').write_text(crates_text())
    library = Path(linked.run('rustc', '--print', 'sysroot').strip()) / 'share/doc/rust/COPYRIGHT-library.html'
    if not library.exists():
        raise SystemExit(f'third-party: {library} is missing. Install Rust with rustup, which brings this file.')
    shutil.copy(library, target / 'rust-standard-library.html')


if __name__ == '__main__':
    main(Path(sys.argv[1]))
