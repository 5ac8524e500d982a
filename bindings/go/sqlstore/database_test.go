package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/khufu/khufu/bindings/go/internal/storedriver"
	"github.com/khufu/khufu/bindings/go/sqlstore"
)

// wantRefusal checks that the store does not use a database, and why.
func wantRefusal(t *testing.T, db *sql.DB, options sqlstore.Options, reason string) {
	t.Helper()
	if _, err := sqlstore.New(t.Context(), db, options); err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("the error is %v, not %q", err, reason)
	}
}

func TestAnApplicationsDatabaseKeepsWhatItHas(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		db := openFile(t, name, newPath(t))
		run(t, db, "CREATE TABLE orders (number); INSERT INTO orders VALUES (7); PRAGMA user_version = 5")
		wantRefusal(t, db, sqlstore.Options{Dedicated: true}, "the database is not khufu's own")
		if tables := query[int](t, db, "SELECT count(*) FROM sqlite_schema"); tables != 1 {
			t.Errorf("the refused database has %d tables", tables)
		}
		key := newDriver(t, db).Add("", "data", storedriver.Long)
		newDriver(t, db).WantRecord(key, 1, "data")
		if version := query[int](t, db, "PRAGMA user_version"); version != 5 {
			t.Errorf("the user_version is %d", version)
		}
		if number := query[int](t, db, "SELECT number FROM orders"); number != 7 {
			t.Errorf("the order is %d", number)
		}
		wantRefusal(t, db, sqlstore.Options{Dedicated: true}, "the database is not khufu's own")
	})
}

func TestUnusableDatabasesAreRefused(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		path := newPath(t)
		missing := openFile(t, name, filepath.Join(path, "missing", "sessions.db"))
		wantRefusal(t, missing, sqlstore.Options{}, "unable to open database file")
		if err := os.WriteFile(path, []byte(strings.Repeat("no database, ", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
		wantRefusal(t, open(t, name, path), sqlstore.Options{}, "file is not a database")
		wantRefusal(t, open(t, name, ":memory:"), sqlstore.Options{}, "the database is in memory")

		other := openFile(t, name, newPath(t))
		run(t, other, "CREATE TABLE khufu_sessions (key, generation)")
		wantRefusal(t, other, sqlstore.Options{}, "no such column")

		newer := openFile(t, name, newPath(t))
		newStore(t, newer, sqlstore.Options{Dedicated: true})
		run(t, newer, "PRAGMA user_version = 3")
		for _, dedicated := range []bool{false, true} {
			wantRefusal(t, newer, sqlstore.Options{Dedicated: dedicated}, "a newer version of khufu made")
		}
	})
}

func TestAContextThatIsDoneOpensNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sqlstore.New(ctx, inMemory(t, "sqlite"), sqlstore.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

func TestADatabaseOfTheFirstLayoutIsEmptied(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		path := newPath(t)
		db := openFile(t, name, path)
		run(t, db, `PRAGMA application_id = 0x6b686675; PRAGMA user_version = 1;
			CREATE TABLE records (key TEXT NOT NULL PRIMARY KEY, data BLOB NOT NULL);
			CREATE TABLE subjects (subject TEXT, key TEXT);
			INSERT INTO records VALUES ('key', x'00')`)
		useAtOnce(t, name, path, sqlstore.Options{})
		names := query[string](t, db, "SELECT group_concat(name) FROM sqlite_schema WHERE type = 'table'")
		if version := query[int](t, db, "PRAGMA user_version"); version != 2 || names != "khufu_sessions" {
			t.Errorf("layout %d has the tables %s", version, names)
		}
	})
}

func TestManyOpenANewDatabaseAtOnce(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		for _, dedicated := range []bool{false, true} {
			useAtOnce(t, name, newPath(t), sqlstore.Options{Dedicated: dedicated})
		}
	})
}

// useAtOnce opens a database in several goroutines. Each goroutine has a pool of its own.
func useAtOnce(t *testing.T, name, path string, options sqlstore.Options) {
	t.Helper()
	options.Timeout = 30 * time.Second // the machine may be busy
	key := storedriver.NewName()
	var group sync.WaitGroup
	for range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			store, err := sqlstore.New(t.Context(), openFile(t, name, path), options)
			if err != nil {
				t.Error(err)
				return
			}
			storedriver.New(t, store).Increment(key, 3)
		}()
	}
	group.Wait()
	newDriver(t, openFile(t, name, path)).WantRecord(key, 24, "24")
}

func TestEachSaveRemovesAFewExpiredRows(t *testing.T) {
	db := openFile(t, "sqlite", newPath(t))
	d := newDriver(t, db)
	kept, key := d.Add("", "data", storedriver.Forever), d.Add("", "data", storedriver.Long)
	run(t, db, `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100)
		INSERT INTO khufu_sessions SELECT 'old-' || n, 1, n, randomblob(32), 0, x'00', x'00' FROM numbers`)
	for round := range 14 {
		d.Want(d.Put(key, uint64(round)+1, "", "data", storedriver.Long), nil)
		wanted := max(102-8*(round+1), 2)
		if rows := query[int](t, db, "SELECT count(*) FROM khufu_sessions"); rows != wanted {
			t.Errorf("%d rows are left, not %d", rows, wanted)
		}
	}
	d.WantRecord(kept, 1, "data")
}

func TestARowSaysWhenItExpires(t *testing.T) {
	db := openFile(t, "sqlite", newPath(t))
	d := newDriver(t, db)
	subject := storedriver.NewName()
	key := d.Add(subject, "data", storedriver.Forever)
	const left = "SELECT coalesce(round((expires / 1e3 - unixepoch('subsec')) / 60), -1) FROM khufu_sessions WHERE key = ?"
	const owner = "SELECT coalesce(hex(subject), '') FROM khufu_sessions WHERE key = ?"
	if minutes := query[int](t, db, left, key); minutes != -1 {
		t.Errorf("it expires in %d minutes", minutes)
	}
	if found := query[string](t, db, owner, key); !strings.EqualFold(found, subject) {
		t.Errorf("the subject is %q", found)
	}
	d.Want(d.Extend(key, 1, "", "data", storedriver.Long), nil)
	if minutes := query[int](t, db, left, key); minutes != 10 {
		t.Errorf("it expires in %d minutes", minutes)
	}
	if found := query[string](t, db, owner, key); found != "" {
		t.Errorf("the subject is %q", found)
	}
}
