"""Waits, when Python exits, for calls of the library that call back.

While Python exits, it ends every daemon thread that wants to run Python code. If such a thread were in a callback, the
process would abort, because the end of the thread cannot unwind the library's stack frames.
"""

from __future__ import annotations

import atexit
import os
import threading
import time

#: How many seconds Python waits at most.
TIMEOUT = 5

_inside: set[int] = set()
_exiting: list[int] = []


def enter() -> bool:
    """Notes that this thread is in a call. Returns False if it already was in one.

    While Python exits, this function returns only in the thread that exits.
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
    thread = threading.get_ident()
    _exiting.append(thread)
    until = time.monotonic() + TIMEOUT
    while _inside - {thread} and time.monotonic() < until:
        time.sleep(0.005)


os.register_at_fork(after_in_child=_inside.clear)  # a child has none of the other threads
