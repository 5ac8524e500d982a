//go:build libsqlite3

package sqlstore_test

import _ "github.com/mattn/go-sqlite3"

// This driver takes long to compile, unless its tag libsqlite3 makes it use the system's SQLite.
func init() {
	wal["sqlite3"] = map[string][]string{"_journal_mode": {"WAL"}, "_synchronous": {"NORMAL"}, "_busy_timeout": {"0"}}
}
