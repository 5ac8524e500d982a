"""The wheel, the docstrings, and the types."""

import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import khufu
from khufu._native import lib

HERE = Path(__file__).parent
HEADER = (HERE.parents[2] / "include/khufu.h").read_text()

LOGIN = """
import khufu
factory = khufu.Factory(secret="itsaseekreet")
session = factory.open()
session["user"] = "zoe"
cookie = dict(session.commit())["Set-Cookie"].partition(";")[0]
print(factory.open(cookie)["user"], "pyramid" in str(list(__import__("sys").modules)))
"""

# mypy finds errors in the lines that end with "# wrong", and in no others.
TYPED = """
import khufu

class Records:
    def load(self, key: str) -> tuple[bytes, int] | None:
        return None

    def save(self, key: str, expected: int, generation: int, record: bytes, ttl: float | None) -> None:
        raise khufu.ConflictError

    def touch(self, key: str, generation: int, record: bytes, ttl: float | None) -> None:
        pass

    def remove(self, key: str, expected: int) -> None:
        pass

class Literals:
    def loads(self, payload: bytes) -> object:
        return {}

    def dumps(self, value: object) -> bytes:
        return b""

factory = khufu.Factory(secret="x", store=Records(), serializer=Literals(), timeout=60)
visits, headers = factory.transact("", lambda session: session.increment("visits"))
total: int = visits + len(headers)

visits.upper()  # wrong
khufu.Factory(secreet="x")  # wrong
khufu.Factory(secret="x", samesite="Sometimes")  # wrong
khufu.Factory(secret="x", store=Literals())  # wrong
factory.open().flash("a", queue=1)  # wrong
text: str = factory.open().created  # wrong
"""


def load_tests(_loader, tests, _pattern):
    for module in [
        khufu,
        *(importlib.import_module(f"khufu.{each.name}") for each in pkgutil.iter_modules(khufu.__path__)),
    ]:
        if module.__name__ != "khufu._native":
            tests.addTests(doctest.DocTestSuite(module) if ">>>" in Path(module.__file__).read_text() else [])
    tests.addTest(doctest.DocFileSuite("../README.md", optionflags=doctest.ELLIPSIS))
    return tests


class Wheel(unittest.TestCase):
    def test_it_logs_in_from_a_new_environment(self):
        (wheel,) = Path(os.environ["WHEELS"]).glob("khufu-*.whl")
        self.assertRegex(wheel.name, r"^khufu-[\d.]+-py3-none-manylinux_\d+_\d+_\w+\.whl$")
        with tempfile.TemporaryDirectory() as folder:
            environ = {
                name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "LD_LIBRARY_PATH")
            }
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            python = f"{folder}/bin/python"
            subprocess.run(
                [python, "-m", "pip", "--disable-pip-version-check", "-q", "install", "--retries=10", wheel],
                check=True,
                env=environ,
            )
            printed = subprocess.run(
                [python, "-c", LOGIN], check=True, env=environ, cwd=folder, capture_output=True, text=True
            ).stdout
        self.assertEqual(printed, "zoe False\n")

    def test_it_has_every_function_and_constant_of_the_header(self):
        functions = set(re.findall(r"^\w[\w *]*?\b(khufu_[a-z0-9_]+)\(", HEADER, re.MULTILINE)) | set(
            re.findall(r"^KHUFU_MUST_USE[ \w]* \*?(khufu_\w+)\(", HEADER, re.MULTILINE)
        )
        self.assertGreater(len(functions), 60)
        for name in (
            functions
            | set(re.findall(r"^  (KHUFU_\w+) = ", HEADER, re.MULTILINE))
            | {"KHUFU_OPEN_PASSIVE", "KHUFU_COMMIT_EXCEPTION", "KHUFU_SIGNING_SECRET_SIZE"}
        ):
            self.assertTrue(hasattr(lib, name), name)
        self.assertEqual(lib.khufu_abi_version(), lib.KHUFU_ABI_VERSION)

    def test_the_tests_use_the_installed_package(self):
        self.assertNotIn(str(HERE.parent / "src"), khufu.__file__)


class Types(unittest.TestCase):
    def mypy(self, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "mypy", "--no-incremental", *arguments],
            cwd=HERE.parent,
            capture_output=True,
            text=True,
        )

    def test_the_package_is_strictly_typed(self):
        result = self.mypy()
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_wrong_uses_are_found(self):
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "program.py"
            program.write_text(TYPED)
            result = self.mypy("--config-file=", "--strict", str(program))
        found = {int(line) for line in re.findall(r"program\.py:(\d+): error", result.stdout)}
        wrong = {number for number, line in enumerate(TYPED.splitlines(), 1) if line.endswith("# wrong")}
        self.assertEqual(found, wrong, result.stdout)
