"""Starts servers as child processes. README.md says how a server behaves when it starts."""

import os
import selectors
import socket
import subprocess
import sys


class Servers:
    """Servers on 127.0.0.1, which end with the context. `commands` maps a server's name to its command."""

    def __init__(self, commands, environment, log=None):
        self.commands, self.log = commands, log
        self.ports = dict(zip(commands, free_ports(len(commands))))
        self.environment = {**os.environ, **environment}
        self.children = []

    def __enter__(self):
        self.children = []
        try:
            for name, command in self.commands.items():
                self.children.append(subprocess.Popen(
                    [*command, '--port', str(self.ports[name])], env=self.environment,
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log))
            for name, child in zip(self.commands, self.children):
                wait_for_line(name, child, f'listening on 127.0.0.1:{self.ports[name]}')
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for child in self.children:
            child.terminate()
        for child in self.children:
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def restart(self, environment):
        """Starts the servers again, on the same ports, with other values in their environment."""
        self.__exit__()
        self.environment |= environment
        self.__enter__()

    def url(self, name, path=''):
        return f'http://127.0.0.1:{self.ports[name]}{path}'


def free_ports(number):
    sockets = [socket.create_server(('127.0.0.1', 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for_line(name, child, wanted, seconds=30):
    selector = selectors.DefaultSelector()
    selector.register(child.stdout, selectors.EVENT_READ)
    line = child.stdout.readline().decode().strip() if selector.select(seconds) else 'nothing'
    if line != wanted:
        sys.exit(f'FAILED  the {name} server printed {line!r} instead of {wanted!r}')
