"""A shell of someone who installs a package: with a few tools, but without Rust and without this repository."""

import os
import shutil
import subprocess
from pathlib import Path

from pages import root

# The tools of any system, and of a person who compiles C.
SYSTEM = ['sh', 'bash', 'env', 'cat', 'chmod', 'gzip', 'ls', 'mkdir', 'mount', 'mv', 'readelf', 'rm', 'sed', 'tar',
          'uname', 'unshare']
COMPILERS = ['cc', 'c++', 'gcc', 'g++', 'as', 'ld', 'ar', 'ranlib', 'make', 'pkg-config', 'cmake']


def _mounter():
    """The command that starts a shell in which folders can be hidden. Empty if this system permits no such shell."""
    for options in [['--mount'], ['--mount', '--user', '--map-root-user']]:
        command = ['unshare', *options]
        if subprocess.run([*command, 'mount', '-t', 'tmpfs', 'none', '/mnt'], capture_output=True).returncode == 0:
            return command
    return []


class Consumer:
    mounter = _mounter()
    hidden = [str(root), *(os.environ.get(name) or os.path.expanduser(path)
                           for name, path in [('CARGO_HOME', '~/.cargo'), ('RUSTUP_HOME', '~/.rustup')])]

    def __init__(self, working, name, tools, **environment):
        self.home = working / name
        path = self.home / 'tools'
        path.mkdir(parents=True)
        for tool in [*SYSTEM, *tools]:
            found = shutil.which(tool)
            if not found:
                raise FileNotFoundError(f'{name} needs the command {tool}')
            (path / Path(tool).name).symlink_to(os.path.realpath(found) if Path(tool).is_absolute() else found)
        self.environment = {'HOME': str(self.home), 'PATH': str(path), 'DIST': str(working / 'dist'), **environment}
        self.exported = self.home / 'exported'

    def run(self, text):
        """Runs shell code in the home, and keeps the variables that it exports. Returns what it prints."""
        hide = [f'mount -t tmpfs none {folder}\n' for folder in self.hidden if self.mounter and Path(folder).exists()]
        script = f'set -eu\n{"".join(hide)}cd "$HOME"\n{text}\nenv -0 >{self.exported}\n'
        done = subprocess.run([*self.mounter, 'bash', '-c', script], cwd='/', env=self.environment, check=True,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        entries = self.exported.read_text().rstrip('\0').split('\0')
        self.environment = dict(entry.split('=', 1) for entry in entries)
        return done.stdout

    def in_reach(self):
        """What of Rust and of this repository this shell can find."""
        folders = ' '.join(f'{folder}/*' for folder in self.hidden) if self.mounter else ''
        return self.run(f'for name in cargo rustc rustup; do command -v $name || true; done\n'
                        f'for path in {folders}; do [ ! -e "$path" ] || echo "$path"; done')

    def copy(self, *names):
        """Copies files of the repository to the home."""
        for name in names:
            shutil.copy(root / name, self.home)
