"""Times and durations as the library takes them: in seconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Union

from khufu._errors import ArgumentError

#: A duration: seconds, or a ``timedelta``.
Duration = Union[int, float, timedelta]
#: A time: seconds since the Unix epoch, or a ``datetime``, which is local time if it has no time zone.
Time = Union[int, float, datetime]


def seconds(duration: Duration) -> float:
    """Returns a duration in seconds.

    >>> seconds(timedelta(minutes=2))
    120.0
    """
    return duration.total_seconds() if isinstance(duration, timedelta) else float(duration)


def limit(duration: Duration | None) -> float:
    """Returns how many seconds a call may wait for the store. None gives -1, which means the option store_timeout."""
    if duration is None:
        return -1.0
    if not (waiting := seconds(duration)) >= 0:
        raise ArgumentError(f"a timeout must be at least 0 seconds, not {duration}")
    return waiting


def moment(time: Time | None) -> float:
    """Returns a time in seconds since the Unix epoch. None gives -1, which means the current time."""
    if time is None:
        return -1.0
    since = time.timestamp() if isinstance(time, datetime) else float(time)
    if not since >= 0:
        raise ArgumentError(f"a time must be at least 0 seconds since the Unix epoch, not {time}")
    return since
