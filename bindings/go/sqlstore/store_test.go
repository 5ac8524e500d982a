package sqlstore_test

import (
	"context"
	"database/sql"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/internal/storedriver"
	"github.com/khufu/khufu/bindings/go/sqlstore"
	"github.com/khufu/khufu/bindings/go/storetest"
	_ "modernc.org/sqlite"
)

// wal are the parameters of a file's name that README.md advises, by driver.
var wal = map[string]url.Values{
	"sqlite": {"_pragma": {"journal_mode(WAL)", "synchronous(NORMAL)"}},
}

// onEachDriver runs a test with each driver.
func onEachDriver(t *testing.T, test func(t *testing.T, name string)) {
	for name := range wal {
		t.Run(name, func(t *testing.T) { test(t, name) })
	}
}

func newPath(t *testing.T) string { return filepath.Join(t.TempDir(), "sessions.db") }

// open opens a database that is closed after the test.
func open(t *testing.T, name, source string) *sql.DB {
	t.Helper()
	db, err := sql.Open(name, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// fileName returns the name of a database file with the parameters that README.md advises.
func fileName(name, path string) string { return "file:" + path + "?" + wal[name].Encode() }

func openFile(t *testing.T, name, path string) *sql.DB {
	t.Helper()
	return open(t, name, fileName(name, path))
}

func newStore(t *testing.T, db *sql.DB, options sqlstore.Options) *sqlstore.Store {
	t.Helper()
	if options.Timeout == 0 {
		options.Timeout = 30 * time.Second // the machine may be busy
	}
	store, err := sqlstore.New(t.Context(), db, options)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func newDriver(t *testing.T, db *sql.DB) storedriver.Driver {
	t.Helper()
	return storedriver.New(t, newStore(t, db, sqlstore.Options{}))
}

// run executes statements and returns the number of rows that the last one changed.
func run(t *testing.T, db *sql.DB, statements string, values ...any) int64 {
	t.Helper()
	result, err := db.ExecContext(t.Context(), statements, values...)
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := result.RowsAffected()
	return rows
}

// query returns the only value of an answer.
func query[T any](t *testing.T, db *sql.DB, statement string, values ...any) (value T) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), statement, values...).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestTheStoreFulfilsTheContract(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		for kind, db := range map[string]*sql.DB{
			"with a log":    openFile(t, name, newPath(t)),
			"without a log": open(t, name, "file:"+newPath(t)+"?_synchronous=OFF&_pragma=synchronous(OFF)"),
			"in memory":     inMemory(t, name),
		} {
			t.Run(kind, func(t *testing.T) { storetest.Contract(t, newStore(t, db, sqlstore.Options{})) })
		}
	})
}

// inMemory returns a database with only one connection, because each would have its own.
func inMemory(t *testing.T, name string) *sql.DB {
	t.Helper()
	db := open(t, name, ":memory:")
	db.SetMaxOpenConns(1)
	return db
}

func TestTwoPoolsShareSessions(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		path := newPath(t)
		inOne := khufu.Options{CustomStore: newStore(t, openFile(t, name, path), sqlstore.Options{})}
		inOther := khufu.Options{CustomStore: newStore(t, openFile(t, name, path), sqlstore.Options{})}
		storetest.Sessions(t, storedriver.NewFactory(t, inOne), storedriver.NewFactory(t, inOther))
	})
}

// `go generate` copies the statements.
func TestTheStatementsAreThoseOfTheCore(t *testing.T) {
	storedriver.CheckCopies(t, "sql", "../../../src/store/sqlite/sql", 9)
}

func TestNothingIsNotADatabase(t *testing.T) {
	if _, err := sqlstore.New(context.Background(), nil, sqlstore.Options{}); err == nil {
		t.Error("accepted without a database")
	}
}
