"""docs/install.md: its table, and the installation from source, which the README's test runs. tests/dist/run runs the
other commands."""

import re
import tomllib

from pages import root


def check(page, pages, report, servers, working):
    *_, source = page.take(*['sh'] * 8)
    readme = pages['README.md'].text
    commands = source.text.splitlines()
    report.check('docs/install.md: the installation from source is that of README.md',
                 [command for command in commands if command not in readme], [])
    makefile = (root / 'Makefile').read_text()
    unknown = [goal for goal in re.findall(r'make (\w+)', page.text) if f'\n{goal}:' not in makefile]
    report.check('docs/install.md: each goal of make is known', unknown, [])

    with open(root / 'Cargo.toml', 'rb') as file:
        rust = tomllib.load(file)['package']['rust-version']
    go = re.search(r'^go (.*)$', (root / 'bindings/go/go.mod').read_text(), re.M)[1]
    python = re.search(r'requires-python = ">=(.*)"', (root / 'bindings/python/pyproject.toml').read_text())[1]
    ruby = re.search(r'required_ruby_version = ">= (.*)"', (root / 'bindings/ruby/khufu.gemspec').read_text())[1]
    oldest = {f'Rust {rust} or newer', f'Go {go} or newer', f'Python {python} or newer', f'Ruby {ruby} or newer'}
    report.check('docs/install.md: it names the oldest Rust, Go, Python and Ruby',
                 oldest - {row[1] for row in page.tables()[0]}, set())
