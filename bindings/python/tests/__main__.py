"""Runs the tests and ends with "N passed, N failed".

A skipped test counts as failed. One that must fail, because of a documented difference, is not counted.
"""

import sys
import unittest
from pathlib import Path

folder = Path(__file__).parent
names = sys.argv[1:] or sorted(each.stem for each in folder.glob("test_*.py"))
suite = unittest.defaultTestLoader.loadTestsFromNames(names)
result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(suite)
failed = len(result.failures) + len(result.errors) + len(result.skipped) + len(result.unexpectedSuccesses)
passed = max(result.testsRun - failed - len(result.expectedFailures), 0)
print(f"{len(result.expectedFailures)} documented differences")
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0 or passed == 0)
