"""The checks of an exchange, and a count of the exchanges that passed."""

import json
import traceback


class Mismatch(Exception):
    pass


def same(what, found, wanted):
    if found != wanted:
        raise Mismatch(f'{what} is {found!r:.600}, not {wanted!r:.600}')


def meaning(value):
    """A text that is equal for two values if they have the same meaning, the same types (1, 1.0, True) and the same
    order of keys."""
    return json.dumps(value)


def no_longer(what, found, wanted):
    if len(found) > len(wanted):
        raise Mismatch(f'{what} has {len(found)} bytes, not {len(wanted)}: {found!r:.600}, not {wanted!r:.600}')


def objects(value):
    """A list with a number for each list, tuple and dict in a value. An object that occurs again keeps its number."""
    numbers, order, rest = {}, [], [value]
    while rest:
        value = rest.pop()
        if isinstance(value, (list, dict)) or isinstance(value, tuple) and value:
            if id(value) not in numbers:
                numbers[id(value)] = len(numbers)
                rest.extend(value.values() if isinstance(value, dict) else value)
            order.append(numbers[id(value)])
    return order


class Attempts:
    """Counts the attempts that passed, and describes the others. Subclasses set `format`."""

    def __init__(self):
        self.passed, self.failures = 0, []

    def attempt(self, exchange, name='', *arguments):
        try:
            exchange(*arguments)
            self.passed += 1
        except EOFError:
            raise
        except Exception as error:
            own = exchange.__func__.__code__.co_filename
            where = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == own][-2:]
            self.failures.append(f'{exchange.__name__} {name!r} {self.format}, lines {where}: {type(error).__name__} {error}')
