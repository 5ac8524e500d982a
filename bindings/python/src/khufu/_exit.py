"""Waits, when Python exits, for calls of the library that call back.

Python ends a daemon thread that wants to run Python code while Python exits. The process would abort if the thread were
in a callback, because the end of a thread cannot unwind the library's stack frames.
"""

from __future__ import annotations

import atexit
import threading
import time

#: How many seconds Python waits at most.
PATIENCE = 5

_inside: set[int] = set()
_exiting: list[int] = []


def enter() -> bool:
    """Notes that this thread is in a call. Returns False if it was in one before.

    When Python exits, it does not return in any other thread than the one that exits.
    """
    thread = threading.get_ident()
    if thread in _inside:
        return False
    _inside.add(thread)
    if _exiting and thread not in _exiting:
        leave()
        threading.Event().wait()
    return True


def leave() -> None:
    """Notes that this thread's call has returned."""
    _inside.discard(threading.get_ident())


@atexit.register
def _wait() -> None:
    _exiting.append(threading.get_ident())
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and any(each.ident in _inside for each in threading.enumerate()):
        time.sleep(0.005)
