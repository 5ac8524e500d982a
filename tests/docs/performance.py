"""Checks that each command of docs/performance.md exists. The commands are not run, because that would take minutes and
show nothing on a busy machine."""

import subprocess
import tomllib

from pages import root


def check(page, pages, report, servers, working):
    cycle, growth, server, redis, store = [block.text.split() for block in page.take('sh', 'sh', 'sh', 'sh', 'sh')]
    goals = subprocess.run(['make', '-s', 'help'], cwd=root, check=True, capture_output=True, text=True).stdout
    for make, goal in [cycle, store]:
        report.check(f'docs/performance.md: make {goal}', (make, f'make {goal} ' in goals), ('make', True))
    with open(root / 'Cargo.toml', 'rb') as file:
        benches = {bench['name']: bench.get('required-features', []) for bench in tomllib.load(file).get('bench', [])}
    report.check('docs/performance.md: the benchmark of large sessions', (growth[:3], growth[3] in benches),
                 (['cargo', 'bench', '--bench'], True))
    report.check('docs/performance.md: the benchmark of an async server',
                 (server[:3], server[3] in benches[server[5]], server[4]),
                 (['cargo', 'bench', '--features'], True, '--bench'))
    _, folder, *run, rounds, _ = redis
    report.check('docs/performance.md: make bench also runs the benchmark of Redis in Go',
                 f'(cd {folder} {" ".join(run)})' in (root / 'scripts/bench').read_text())
    report.check('docs/performance.md: its option', f'flag.Int("{rounds[1:]}"' in (root / folder / 'main.go').read_text())
