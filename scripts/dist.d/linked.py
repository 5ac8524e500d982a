"""The crates that are linked into the library and the command."""

import json
import subprocess
from pathlib import Path

TARGET = 'x86_64-unknown-linux-gnu'
CHOICE = ['--locked', '--features', 'command']


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _linked_versions():
    """The name and version of each linked crate. Cargo's metadata alone would add crates that only tests need."""
    lines = run('cargo', 'tree', *CHOICE, '--target', TARGET, '--edges', 'normal,no-proc-macro', '--prefix', 'none',
                '--format', '{p}').splitlines()
    return {tuple(line.split()[:2]) for line in lines}


def metadata():
    """Cargo's description of the packages, reduced to those that are linked. Returns the root package, the others, and
    the packages that each package uses, by their ids."""
    found = json.loads(run('cargo', 'metadata', *CHOICE, '--format-version', '1', '--filter-platform', TARGET))
    wanted = _linked_versions()
    linked = {package['id']: package for package in found['packages']
              if (package['name'], f'v{package["version"]}') in wanted}
    if len(linked) != len(wanted):
        raise SystemExit('linked: cargo tree and cargo metadata disagree about the linked crates')
    uses = {node['id']: [each['pkg'] for each in node['deps']
                         if each['pkg'] in linked and any(kind['kind'] is None for kind in each['dep_kinds'])]
            for node in found['resolve']['nodes'] if node['id'] in linked}
    root = linked.pop(found['resolve']['root'])
    return root, sorted(linked.values(), key=lambda package: (package['name'], package['version'])), uses


def license_expression(package):
    """The SPDX expression of a crate's licence. Old crates write a slash instead of OR."""
    if not package['license']:
        raise SystemExit(f'linked: {package["name"]} names no licence')
    return package['license'].replace('/', ' OR ')


def folder(package):
    return Path(package['manifest_path']).parent


def sqlite_version(packages):
    """The version of SQLite, which the crate libsqlite3-sys has in itself."""
    [bindings] = [package for package in packages if package['name'] == 'libsqlite3-sys']
    header = (folder(bindings) / 'sqlite3/sqlite3.h').read_text()
    return header.partition('#define SQLITE_VERSION ')[2].split()[0].strip('"')
