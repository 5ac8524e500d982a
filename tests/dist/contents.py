"""What is in the packages: one version everywhere, the licences, the bill of materials, and the oldest glibc."""

import base64
import ctypes
import hashlib
import json
import os
import re
import subprocess
import tarfile
import tomllib
import zipfile

from pages import root

MODULE = 'github.com/khufu/khufu/bindings/go'
METADATA = 'import importlib.metadata; print(importlib.metadata.version("khufu"))'


def output(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def found(pattern, text):
    match = re.search(pattern, text, re.M)
    return match[1] if match else None


def package(manifest):
    return tomllib.loads(manifest.read_text())['package']


def versions(working):
    """The version that each package, and each file of the repository that has one, says."""
    dist, archive = working / 'dist', working / 'archive/moved'
    library = ctypes.CDLL(str(archive / 'lib/libkhufu.so.1'))
    library.khufu_version.restype = ctypes.c_char_p
    [wheel], [gem], [bill], [crate] = (list(dist.glob(name)) for name in ['*.whl', '*.gem', '*.cdx.json', '*.crate'])
    [specification] = (working / 'ruby/gems/specifications').glob('khufu-*.gemspec')
    python = working / 'python/venv/bin/python'
    module = working / f'go/go/pkg/mod/cache/download/{MODULE}/@v/list'
    found_there = {
        'the archive': found(r'khufu-(.*)-linux', next(dist.glob('*.tar.gz')).name),
        'its README': found(r'^# khufu (\S+) ', (archive / 'README.md').read_text()),
        'its header': found(r'define KHUFU_VERSION "(.*)"', (archive / 'include/khufu.h').read_text()),
        'its library': library.khufu_version().decode(),
        'its command': output(archive / 'bin/khufu', '--version').split()[-1],
        'pkg-config': found(r'^Version: (.*)', (archive / 'lib/pkgconfig/khufu.pc').read_text()),
        'CMake': found(r'PACKAGE_VERSION "(.*)"', (archive / 'lib/cmake/khufu/khufu-config-version.cmake').read_text()),
        'the wheel': wheel.name.split('-')[1],
        'the wheel, installed': output(python, '-c', METADATA).strip(),
        "the wheel's library": output(python, '-c', 'import khufu; print(khufu.__version__)', cwd=working).strip(),
        'the gem': found(r's\.version = "(.*)"', specification.read_text()),
        'version.rb': found(r'VERSION = "(.*)"', (root / 'bindings/ruby/lib/khufu/version.rb').read_text()),
        'the Go module': module.read_text().strip().removeprefix('v'),
        'the crate': package((working / crate.stem / 'Cargo.toml'))['version'],
        'the bill of materials': json.loads(bill.read_text())['metadata']['component']['version'],
        'CHANGELOG.md': found(r'^## (\d[\d.]*)', (root / 'CHANGELOG.md').read_text()),
    }
    for deb in dist.glob('*.deb'):
        found_there[deb.name.partition('_')[0]] = output('dpkg-deb', '-f', deb, 'Version').strip()
    return found_there


def check_versions(report, working):
    version = package(root / 'Cargo.toml')['version']
    said = versions(working)
    report.check('every package and file has the version of Cargo.toml', said, dict.fromkeys(said, version))
    series = found(r'find_package\(khufu (\S+)', (root / 'README.md').read_text())
    report.check('README.md asks CMake for its series', series, version.rpartition('.')[0])


def purl(name, version):
    return f'pkg:cargo/{name}@{version}'


def crates_of(bill):
    return [each for each in bill['components'] if each['purl'].startswith('pkg:cargo/')]


def check_bill(report, bill, library):
    """The bill agrees with Cargo.lock, and has each crate that the library names in its messages."""
    locked = {purl(each['name'], each['version']): each.get('checksum') for each in package(root / 'Cargo.lock')}
    crates = {each['purl']: each['hashes'][0]['content'] for each in crates_of(bill)}
    report.check('the bill of materials has the checksums of Cargo.lock', crates,
                 {crate: locked.get(crate) for crate in crates})
    refs = {each['bom-ref'] for each in bill['components']} | {bill['metadata']['component']['bom-ref']}
    edges = {each['ref']: set(each['dependsOn']) for each in bill['dependencies']}
    report.check('… describes whatever it refers to', (set(edges) | set().union(*edges.values())) - refs, set())
    reached, left = set(), [bill['metadata']['component']['bom-ref']]
    while left:
        ref = left.pop()
        if ref not in reached:
            reached.add(ref)
            left += edges.get(ref, [])
    report.check('… and khufu uses each of them', refs - reached, set())
    named = {purl(name.decode(), version.decode())
             for name, version in re.findall(rb'registry/src/[^/]+/([a-z][\w-]*?)-(\d[^/]*)/', library)}
    report.check('the library itself names crates', len(named) > 10)
    report.check('… which are in the bill of materials', named - set(crates), set())


def notices(working):
    """THIRD-PARTY and the licences of each package: the names of its files, and their content."""
    dist = working / 'dist'
    for deb in dist.glob('*.deb'):
        subprocess.run(['dpkg-deb', '-x', deb, working / 'unpacked'], check=True)
    [wheel] = dist.glob('*.whl')
    with zipfile.ZipFile(wheel) as file:
        file.extractall(working / 'unpacked/wheel')
    folders = {
        'the archive': working / 'archive/moved',
        'the Debian packages': working / 'unpacked/usr/share/doc/libkhufu1',
        'the wheel': next(working.glob('unpacked/wheel/*.dist-info/licenses')),
        'the gem': next(working.glob('ruby/gems/gems/khufu-*')),
        'the Go module': next(working.glob(f'go/go/pkg/mod/{MODULE}@*/library')),
    }
    files = ['crates.txt', 'rust-standard-library.html']
    return {name: [(folder / 'THIRD-PARTY' / file).read_bytes() for file in files] for name, folder in folders.items()}


def check_licences(report, working, bill):
    all_notices = notices(working)
    crates_text = all_notices['the archive'][0].decode()
    differing = [name for name, files in all_notices.items() if files != all_notices['the archive']]
    report.check('each package has the same licences of others', differing, [])
    head = crates_text.partition('-' * 100)[0]
    listed = set(re.findall(r'^(\S+) (\d\S*): ', head, re.M))
    crates = {(each['name'], each['version']) for each in crates_of(bill)}
    report.check('… of every crate in the bill of materials', listed, crates)
    texts = re.findall(r'^-{100}\n(.*)\n-{100}$', crates_text, re.M)
    report.check('… with a text for each', {name for names in texts for name in names.split(', ')},
                 {' '.join(crate) for crate in crates})


def check_wheel(report, working):
    """The wheel's RECORD has the hash of each file."""
    [wheel] = (working / 'dist').glob('*.whl')
    with zipfile.ZipFile(wheel) as file:
        contents = {name: base64.urlsafe_b64encode(hashlib.sha256(file.read(name)).digest()).rstrip(b'=').decode()
                    for name in file.namelist()}
        [record] = [name for name in contents if name.endswith('.dist-info/RECORD')]
        listed = dict(re.findall(r'^(.*),sha256=(.*),\d+$', file.read(record).decode(), re.M))
    del contents[record]
    report.check('the wheel: its list of files has their hashes', listed, contents)


def check_glibc(report, library, page):
    needed = {tuple(map(int, version.split(b'.'))) for version in re.findall(rb'GLIBC_(\d+\.\d+)\0', library)}
    named = tuple(map(int, found(r'glibc (\d+\.\d+) or newer', page.text.replace('\n', ' ')).split('.')))
    report.check('docs/install.md: the oldest glibc is right', named, max(needed))


def check(report, working, crate, page):
    [bill] = (json.loads(path.read_text()) for path in (working / 'dist').glob('*.cdx.json'))
    library = (working / 'archive/moved/lib/libkhufu.so.1').read_bytes()
    environment = {**os.environ, 'DIST': str(working / 'dist')}
    subprocess.run(['bash', '-c', crate.text], cwd=working, env=environment, check=True)
    check_versions(report, working)
    check_bill(report, bill, library)
    check_licences(report, working, bill)
    check_wheel(report, working)
    check_glibc(report, library, page)
