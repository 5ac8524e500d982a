"""Writes the Go modules, as a Go proxy in a folder: go-module.py VERSION STAGE NOTICES TARGET.

The modules' files are those of bindings/go without the tests, which need the repository. The main module also has the
static library: on Linux x86-64 cgo links that of the package `library`, unless the build tag khufu_system is given."""

import datetime
import json
import os
import sys
import zipfile
from pathlib import Path

MODULE = 'github.com/khufu/khufu/bindings/go'
STORES = ['goredis', 'gorilla', 'sqlstore']  # the modules beside the main one
TO_MAIN = f'replace {MODULE} => ../\n'
FROM_SYSTEM = '// #cgo pkg-config: --static khufu\n'
FROM_MODULE = '''\
// #cgo khufu_system !linux !amd64 pkg-config: --static khufu
// #cgo !khufu_system,linux,amd64 CFLAGS: -I${SRCDIR}/library
// #cgo !khufu_system,linux,amd64 LDFLAGS: ${SRCDIR}/library/libkhufu_linux_amd64.a -lpthread -ldl -lm
'''
IMPORT = f'''\
//go:build linux && amd64 && !khufu_system

package khufu

import _ "{MODULE}/library" // so that go mod vendor copies the static library
'''
PACKAGE = '''\
// Package library has no code. Its folder has khufu's static library, which package khufu links on
// Linux x86-64 with glibc. With the build tag khufu_system it is not used.
package library
'''


def source_files(source):
    """The files of the module in a folder, without its tests and the modules below it: name and content."""
    below = [path.parent for path in source.glob('*/**/go.mod')]
    return {str(path.relative_to(source)): path.read_bytes() for path in source.rglob('*')
            if path.is_file() and not path.name.endswith('_test.go') and not any(map(path.is_relative_to, below))}


def main_files(stage, notices):
    """The files of the main module: name and content."""
    files = source_files(Path('bindings/go'))
    native = files['native.go'].decode()
    if native.count(FROM_SYSTEM) != 1:
        raise SystemExit(f'go-module: bindings/go/native.go has no line {FROM_SYSTEM!r}')
    files['native.go'] = native.replace(FROM_SYSTEM, FROM_MODULE).encode()
    files['library.go'] = IMPORT.encode()
    files['library/library.go'] = PACKAGE.encode()
    files['library/khufu.h'] = (stage / 'include/khufu.h').read_bytes()
    files['library/libkhufu_linux_amd64.a'] = (stage / 'lib/libkhufu.a').read_bytes()
    for path in notices.rglob('*'):
        if path.is_file():
            files[f'library/{path.relative_to(notices)}'] = path.read_bytes()
    return files


def store_files(name, version):
    """The files of a module that uses the main module in this version: name and content."""
    files = source_files(Path('bindings/go') / name)
    needs = files['go.mod'].decode()
    if needs.count(TO_MAIN) != 1:
        raise SystemExit(f'go-module: bindings/go/{name}/go.mod has no line {TO_MAIN!r}')
    files['go.mod'] = needs.replace(TO_MAIN, '').replace(f'{MODULE} v0.0.0', f'{MODULE} v{version}').encode()
    return files


def write(module, version, files, target):
    """Writes a module in the form of a Go proxy."""
    folder = Path(target) / module / '@v'
    folder.mkdir(parents=True)
    time = datetime.datetime.fromtimestamp(int(os.environ['SOURCE_DATE_EPOCH']), datetime.timezone.utc)
    with zipfile.ZipFile(folder / f'v{version}.zip', 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f'{module}@v{version}/{name}', time.timetuple()[:6])
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    (folder / f'v{version}.mod').write_bytes(files['go.mod'])
    information = {'Version': f'v{version}', 'Time': time.strftime('%Y-%m-%dT%H:%M:%SZ')}
    (folder / f'v{version}.info').write_text(json.dumps(information))
    (folder / 'list').write_text(f'v{version}\n')


def main(version, stage, notices, target):
    notices = Path(notices)
    modules = {MODULE: main_files(Path(stage), notices)}
    modules.update({f'{MODULE}/{name}': store_files(name, version) for name in STORES})
    for module, files in modules.items():
        files['LICENSE'] = (notices / 'LICENSE-MIT').read_bytes() + b'\n' + (notices / 'LICENSE-APACHE').read_bytes()
        write(module, version, files, target)


if __name__ == '__main__':
    main(*sys.argv[1:])
