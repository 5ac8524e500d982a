"""Keeps sessions in a custom store, here two tables of SQLite. Threads and processes can share it.

    python examples/python/sqlite_store.py

khufu has a store for SQLite itself (`store="sqlite:PATH"`). This one shows what a store for another database needs.
"""

import contextlib
import math
import os
import sqlite3
import tempfile
import time

import khufu

SCHEMA = (
    "PRAGMA journal_mode = WAL",
    "CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, generation INTEGER, record BLOB, expires REAL)",
    "CREATE TABLE IF NOT EXISTS listed (subject TEXT, key TEXT, expires REAL, PRIMARY KEY (subject, key))",
)


class SqliteStore:
    """A store for the option `store`. The documentation of khufu.SubjectStore describes its methods.

    Rows whose time is over can be deleted at any time.
    """

    def __init__(self, path):
        self.path = path
        with self.connection() as database:
            for statement in SCHEMA:
                database.execute(statement)

    def connection(self):
        # A connection of its own for each call is safe with threads and after a fork.
        return contextlib.closing(sqlite3.connect(self.path, isolation_level=None))

    @contextlib.contextmanager
    def transaction(self):
        with self.connection() as database:
            database.execute("BEGIN IMMEDIATE")
            with database:  # commits, or rolls back after an exception
                yield database

    def load(self, key):
        with self.connection() as database:
            return find(database, key)

    def save(self, key, expected, generation, record, ttl):
        with self.transaction() as database:
            check(find(database, key), expected)
            database.execute("REPLACE INTO records VALUES (?, ?, ?, ?)", (key, generation, record, end_of(ttl)))

    def touch(self, key, generation, record, ttl):
        self.save(key, generation, generation, record, ttl)

    def remove(self, key, expected):
        with self.transaction() as database:
            found = find(database, key)
            any_generation = found[1] if found else 1
            check(found, expected or any_generation)
            database.execute("DELETE FROM records WHERE key = ?", (key,))

    # The following methods keep which sessions belong to which user, so that a user's sessions can be listed and ended.

    def list(self, subject, key, ttl):
        with self.connection() as database:
            insert = "INSERT INTO listed VALUES (?, ?, ?)"
            later = "ON CONFLICT DO UPDATE SET expires = max(expires, excluded.expires)"
            database.execute(f"{insert} {later}", (subject, key, end_of(ttl)))

    def unlist(self, subject, key):
        with self.connection() as database:
            database.execute("DELETE FROM listed WHERE subject = ? AND key = ?", (subject, key))

    def members(self, subject):
        with self.connection() as database:
            found = database.execute("SELECT key FROM listed WHERE subject = ? AND expires > ?", (subject, time.time()))
            return [key for (key,) in found]


def find(database, key):
    """Returns a record and its generation, or None if there is none or it has expired."""
    select = "SELECT record, generation FROM records WHERE key = ? AND expires > ?"
    return database.execute(select, (key, time.time())).fetchone()


def check(found, expected):
    """Raises an exception unless the record that was found has the expected generation. 0 means that there is none."""
    if found is None and expected:
        raise khufu.GoneError
    if found is not None and found[1] != expected:
        raise khufu.ConflictError


def end_of(ttl):
    return math.inf if ttl is None else time.time() + ttl


def main():
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(os.path.join(folder, "sessions.db"))
        factory = khufu.Factory(secret=khufu.generate_secret(), store=store)
        first = factory.open()
        first["cart"] = ["A-1"]
        first.subject = "user-42"
        first.commit()
        value = first.value  # of the cookie, which the browser sends with each request

        # Two requests of one visitor at the same time. The changes of both are kept.
        one, other = factory.open_value(value), factory.open_value(value)
        one["name"] = "Ada"
        other.flash("Saved.")
        one.commit()
        other.commit()
        print(dict(factory.open_value(value)))

        print(factory.subject("user-42").revoke_all(), "session ended")  # everywhere
        print(factory.open_value(value).load_result)


if __name__ == "__main__":
    main()
