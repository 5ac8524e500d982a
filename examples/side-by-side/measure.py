"""Measures the requests per second of each pair of servers, and prints a table.

The two servers of a pair take turns, so that other load on the machine slows both. Each has one processor, and the
clients have another. A closed loop sends the next request only when the response to the one before has come, so it
shows what a request costs, and not how long visitors wait under load.
"""

import argparse
import contextlib
import statistics
import subprocess

from servers import PAIRS, target


def measure(port, seconds):
    """The requests per second of a server, as one run of the clients counts them."""
    command = ['taskset', '-c', '1', target / 'side-by-side/go/measure', f'127.0.0.1:{port}', str(seconds)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--seconds', type=float, default=3, help='of each server in each round')
    parser.add_argument('--languages', nargs='+', default=['Go', 'Ruby', 'Rust'])
    arguments = parser.parse_args()
    print('|  | sessions | requests per second | the slowest and the fastest round |\n| --- | --- | --- | --- |')
    for pair in PAIRS:
        if pair[0].language not in arguments.languages:
            continue
        with contextlib.ExitStack() as stack:
            ports = [stack.enter_context(server.running('taskset', '-c', '0')) for server in pair]
            for port in ports:
                measure(port, 0.5)  # warms the server up
            rates = [[measure(port, arguments.seconds) for port in ports] for _ in range(arguments.rounds)]
        for server, found in zip(pair, zip(*rates)):
            median, slowest, fastest = statistics.median(found), min(found), max(found)
            print(f'| {server.language} | {server.title} | {median:,.0f} | {slowest:,} to {fastest:,} |', flush=True)


if __name__ == '__main__':
    main()
