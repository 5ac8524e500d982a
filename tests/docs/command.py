"""Runs the examples of docs/command.md in the page's order, and checks that its tables agree with `khufu --help`."""

import os
import subprocess

from pages import root
from peer import target


def check(page, pages, report, servers, working):
    build = ['cargo', 'build', '--quiet', '--locked', '--all-features', '--bin', 'khufu']
    subprocess.run(build, cwd=root, check=True)
    folder = working / 'command'
    folder.mkdir()
    environment = {**os.environ, 'PATH': f'{target / "debug"}:{os.environ["PATH"]}'}

    def run(command):
        return subprocess.run(['sh', '-c', command], cwd=folder, env=environment, capture_output=True, text=True)

    ini, *commands = page.take('ini', *['sh'] * 4)
    (folder / 'production.ini').write_text(ini.text)
    for command, status, expected in zip(commands, [0, 0, 0, 6],
                                         ['0 errors, 0 warnings', 'user', 'ended 1', 'missing'], strict=True):
        done = run(command.text)
        report.check(f'{command}: its exit status and output', (done.returncode, expected in done.stdout), (status, True))

    subcommands, statuses = page.tables()
    words = run('khufu --help').stdout
    listed = [line.split()[0] for line in words.partition('Commands:')[2].partition('Options:')[0].splitlines()
              if line.startswith('  ') and line[2] != ' ']
    report.check('docs/command.md: its table has every command', [row[0].strip('`') for row in subcommands[1:]],
                 [f'khufu {name}' for name in listed if name != 'help'])
    exits = [line.split(maxsplit=1) for line in words.partition('Exit statuses:')[2].strip().splitlines()]
    report.check('docs/command.md: its exit statuses are those of --help',
                 [[row[0], row[1].replace('`', '')] for row in statuses[1:]], exits)
