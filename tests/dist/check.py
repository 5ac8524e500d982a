"""Installs each package of `make dist` as docs/install.md says, and uses it. `run` makes the packages before."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import contents
from consumer import COMPILERS, Consumer
from pages import Page, root
from report import Report

VISITS = ['visit 1: new, messages []', *(f'visit {n}: known, messages ["welcome back"]' for n in [2, 3])]
LINKED = 'readelf -d {} | sed -n "s/.*NEEDED.*\\[\\(libkhufu.*\\)\\]/\\1/p"'
SHARED, STATIC = ['libkhufu.so.1'], []
CMAKE = [('visits-cmake', SHARED), ('visits-cmake-static', STATIC)]


def check_program(report, consumer, what, program, libraries, wanted=VISITS, **environment):
    """The program is linked with these libraries of khufu, and handles its visits."""
    setting = ''.join(f'{name}={value} ' for name, value in environment.items())
    report.check(f'{what} runs', consumer.run(f'{setting}{program}').splitlines()[:len(wanted)], wanted)
    report.check('… and is linked with', consumer.run(LINKED.format(program)).split(), libraries)


def check_archive(report, working, block):
    consumer = Consumer(working, 'archive', COMPILERS)
    consumer.copy('examples/c/visits.c', 'examples/cpp/visits.cpp', 'tests/dist/CMakeLists.txt')
    consumer.run(block.text)
    report.check('the archive: neither Rust nor the repository is in reach', consumer.in_reach(), '')
    check_program(report, consumer, 'the archive: a program in C', './visits', SHARED)
    check_program(report, consumer, 'the archive: a static program in C', './visits-static', STATIC, LD_LIBRARY_PATH='')
    consumer.run('c++ -std=c++17 visits.cpp $(pkg-config --cflags --libs khufu) -o visits-cpp')
    check_program(report, consumer, 'the archive: a program in C++', './visits-cpp', SHARED)
    consumer.run('mv khufu moved && cmake -B build -DCMAKE_PREFIX_PATH=$HOME/moved && cmake --build build')
    for name, libraries in CMAKE:
        check_program(report, consumer, f'the archive, moved: {name}', f'build/{name}', libraries, LD_LIBRARY_PATH='')
    consumer.run('PATH=$HOME/moved/bin:$PATH khufu secret >secret')
    report.check('the archive: its command makes a secret', len((consumer.home / 'secret').read_text().strip()), 128)


def check_debian(report, working, block):
    """Installs the packages into a folder, with the list of the packages that this system has."""
    consumer = Consumer(working, 'debian', [*COMPILERS, 'dpkg', 'dpkg-deb', 'dpkg-query', 'dpkg-split'])
    consumer.copy('examples/c/visits.c', 'examples/cpp/visits.cpp', 'tests/dist/CMakeLists.txt')
    system = consumer.home / 'system'
    (system / 'var/lib/dpkg/info').mkdir(parents=True)
    shutil.copy('/var/lib/dpkg/status', system / 'var/lib/dpkg')
    options = f'--root={system} --force-not-root,bad-path --no-triggers'
    consumer.run(f'sudo() {{ "$@"; }}\ndpkg() {{ command dpkg {options} "$@" 2>/dev/null; }}\n{block.text}')
    report.check('Debian: neither Rust nor the repository is in reach', consumer.in_reach(), '')
    format = "'${Package} ${db:Status-Status}\\n'"
    states = consumer.run(f"dpkg-query --admindir={system}/var/lib/dpkg -f {format} -W 'libkhufu*'")
    report.check('Debian: the packages are installed', states, 'libkhufu-dev installed\nlibkhufu1 installed\n')
    libraries = f'{system}/usr/lib/x86_64-linux-gnu'
    consumer.environment |= {'PKG_CONFIG_SYSROOT_DIR': str(system), 'PKG_CONFIG_LIBDIR': f'{libraries}/pkgconfig'}
    consumer.run('cc visits.c $(pkg-config --cflags --libs khufu) -o visits')
    check_program(report, consumer, 'Debian: a program in C', './visits', SHARED, LD_LIBRARY_PATH=libraries)
    consumer.run(f'cmake -B build -DCMAKE_PREFIX_PATH={system}/usr && cmake --build build')
    for name, libraries in CMAKE:
        check_program(report, consumer, f'Debian: {name}', f'build/{name}', libraries)


def check_wheel(report, working, block):
    real = os.path.realpath(sys.executable)
    wheels = working / 'wheels'
    requirements = (root / 'scripts/requirements-python.txt').read_text().split()
    pins = [line for line in requirements if line.startswith(('cffi==', 'pycparser=='))]
    download = ['pip', '-q', 'download', '--only-binary', ':all:', '--dest', wheels]
    subprocess.run([sys.executable, '-m', *download, *pins], check=True)
    consumer = Consumer(working, 'python', [], PIP_NO_INDEX='1', PIP_FIND_LINKS=str(wheels))
    (consumer.home / 'tools/python3').symlink_to(real)
    consumer.copy('tests/dist/visits.py')
    consumer.run(block.text)
    report.check('the wheel: neither Rust nor the repository is in reach', consumer.in_reach(), '')
    report.check('the wheel: a visitor logs in', consumer.run('venv/bin/python -W error visits.py'), 'loaded ada\n')


def check_gem(report, working, block):
    consumer = Consumer(working, 'ruby', ['ruby', 'gem'], GEM_HOME=str(working / 'ruby/gems'))
    consumer.copy('examples/ruby/visits.rb')
    consumer.run(block.text)
    report.check('the gem: neither Rust nor the repository is in reach', consumer.in_reach(), '')
    report.check('the gem: a visitor is known', consumer.run('ruby -w visits.rb'), 'visit 1 \nvisit 2 Welcome back!\n')
    loaded = consumer.run('ruby -e \'require "khufu"; print Khufu.const_get(:Native).ffi_libraries.first.name\'')
    report.check('the gem: it uses its own library', loaded.startswith(str(consumer.home / 'gems/gems/khufu-')))


def check_go(report, working, install, tagged):
    cache = subprocess.run(['go', 'env', 'GOCACHE'], check=True, capture_output=True, text=True).stdout.strip()
    # Go's cache ignores pkg-config's flags. A flag without effect makes Go compile the package again.
    again = f'-gcflags=github.com/khufu/khufu/bindings/go=-D={working}'
    consumer = Consumer(working, 'go', [*COMPILERS, 'go'], GOCACHE=cache, GOFLAGS=f'-modcacherw {again}')
    consumer.copy('examples/go/main.go')
    consumer.run(f'go mod init example.com/visits\n{install.text}')
    report.check('the Go module: neither Rust nor the repository is in reach', consumer.in_reach(), '')
    opened = ['opened: loaded ']
    check_program(report, consumer, 'the Go module: a program', './visits', STATIC, opened)
    consumer.run('rm visits && go mod vendor && GOPROXY=off go build -mod=vendor && rm -r vendor')
    check_program(report, consumer, 'the Go module: a program with vendored modules', './visits', STATIC, opened)

    packages = [f'github.com/khufu/khufu/bindings/go/{name}' for name in ['goredis', 'gorilla', 'sqlstore', 'storetest']]
    imports = ''.join(f'import _ "{package}"\n' for package in packages)
    (consumer.home / 'stores').mkdir()
    (consumer.home / 'stores/main.go').write_text(f'package main\n\n{imports}\nfunc main() {{}}\n')
    listed = consumer.run('go get ./stores && go build -o stores/stores ./stores && go list -m -f "{{.Path}} {{.Version}}" all')
    version = re.search(r'^version = "(.*)"', (root / 'Cargo.toml').read_text(), re.MULTILINE)[1]
    report.check('the Go modules beside it have the same version',
                 [f'{package} v{version}' in listed.splitlines() for package in packages[:3]], [True] * 3)

    consumer.environment |= {'PKG_CONFIG_LIBDIR': str(consumer.home), 'GOPROXY': 'off'}
    failed = consumer.run(f'rm visits\n(\n{tagged.text}) 2>&1 || true')
    report.check('the Go module: with khufu_system it does not use its own library', "Package 'khufu'" in failed)
    prefix = working / 'archive/moved'
    consumer.environment['PKG_CONFIG_LIBDIR'] = f'{prefix}/lib/pkgconfig'
    consumer.run(tagged.text)
    check_program(report, consumer, 'the Go module: a program with khufu_system', './visits', SHARED, opened,
                  LD_LIBRARY_PATH=f'{prefix}/lib')


def main():
    report = Report()
    page = Page(root / 'docs/install.md')
    with tempfile.TemporaryDirectory() as folder:
        working = Path(folder).resolve()
        shutil.copytree(root / 'dist', working / 'dist')
        archive, debian, wheel, gem, go, go_tagged, crate, _ = page.take(*['sh'] * 8)
        if not Consumer.mounter:
            print('This system permits no mounts: Rust and the repository are not in PATH, but they are not hidden.')
        for name, check, blocks in [('the archive', check_archive, [archive]), ('Debian', check_debian, [debian]),
                                    ('the wheel', check_wheel, [wheel]), ('the gem', check_gem, [gem]),
                                    ('the Go module', check_go, [go, go_tagged])]:
            with report.part(name):
                check(report, working, *blocks)
        with report.part('contents'):
            contents.check(report, working, crate, page)
    print(f'dist: {report.passed} passed, {report.failed} failed')
    return report.failed == 0


if __name__ == '__main__':
    sys.exit(not main())
