"""Writes the Go module with the static library, as a Go proxy in a folder: go-module.py VERSION STAGE NOTICES TARGET.

The module's files are those of bindings/go without the tests, which need the repository. On Linux x86-64 cgo links the
static library of the package `library`, unless the build tag khufu_system is given."""

import datetime
import json
import os
import sys
import zipfile
from pathlib import Path

MODULE = 'github.com/khufu/khufu/bindings/go'
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


def module_files(stage, notices):
    """The module's files: name and content."""
    source = Path('bindings/go')
    files = {path.name: path.read_bytes() for path in source.iterdir()
             if path.is_file() and not path.name.endswith('_test.go')}
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
    files['LICENSE'] = (notices / 'LICENSE-MIT').read_bytes() + b'\n' + (notices / 'LICENSE-APACHE').read_bytes()
    return files


def main(version, stage, notices, target):
    folder = Path(target) / MODULE / '@v'
    folder.mkdir(parents=True)
    time = datetime.datetime.fromtimestamp(int(os.environ['SOURCE_DATE_EPOCH']), datetime.timezone.utc)
    files = module_files(Path(stage), Path(notices))
    with zipfile.ZipFile(folder / f'v{version}.zip', 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f'{MODULE}@v{version}/{name}', time.timetuple()[:6])
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    (folder / f'v{version}.mod').write_bytes(files['go.mod'])
    information = {'Version': f'v{version}', 'Time': time.strftime('%Y-%m-%dT%H:%M:%SZ')}
    (folder / f'v{version}.info').write_text(json.dumps(information))
    (folder / 'list').write_text(f'v{version}\n')


if __name__ == '__main__':
    main(*sys.argv[1:])
