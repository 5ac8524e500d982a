"""Prints and counts the checks that passed and failed."""

import contextlib
import subprocess
import traceback


class Report:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, what, found, wanted=True):
        if found == wanted:
            self.passed += 1
            print(f'ok      {what}', flush=True)
        else:
            self.failed += 1
            print(f'FAILED  {what}: found {found!r:.1000}, wanted {wanted!r:.1000}', flush=True)

    @contextlib.contextmanager
    def part(self, name):
        """Runs a part of the checks. An exception counts as a failed check."""
        try:
            yield
        except Exception as error:
            traceback.print_exc()
            if isinstance(error, subprocess.CalledProcessError):
                print(error.stdout, error.stderr)
            self.check(name, 'an exception', 'none')
