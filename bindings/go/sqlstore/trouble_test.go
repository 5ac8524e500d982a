package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/internal/storedriver"
	"github.com/khufu/khufu/bindings/go/sqlstore"
)

// begin begins a transaction of another user of the database, and returns a function that ends it.
func begin(t *testing.T, db *sql.DB, statements ...string) (end func()) {
	t.Helper()
	connection, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := connection.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		_, err := connection.ExecContext(context.Background(), "COMMIT")
		if err := errors.Join(err, connection.Close()); err != nil {
			t.Error(err)
		}
	}
}

// patient returns the name of a database file whose driver waits for an hour while another writes.
func patient(name, path string) string {
	const hour = "&_busy_timeout=3600000&_pragma=busy_timeout(3600000)"
	return strings.ReplaceAll(fileName(name, path), "_busy_timeout=0", "") + hour
}

// opened opens a store whose timeout may be too short for its first try.
func opened(t *testing.T, db *sql.DB, timeout time.Duration) *sqlstore.Store {
	t.Helper()
	for tries := 1; ; tries++ {
		store, err := sqlstore.New(t.Context(), db, sqlstore.Options{Timeout: timeout})
		if err == nil {
			return store
		}
		if tries == 10 {
			t.Fatal(err)
		}
	}
}

func TestACallEndsWhileAnotherWrites(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		for kind, source := range map[string]func(name, path string) string{
			"a driver that does not wait": fileName, "a driver that waits": patient,
		} {
			t.Run(kind, func(t *testing.T) {
				storedriver.CheckWaiting(t, func(t *testing.T, timeout time.Duration) (khufu.Store, func()) {
					db := open(t, name, source(name, newPath(t)))
					return opened(t, db, timeout), func() { t.Cleanup(begin(t, db, "BEGIN IMMEDIATE")) }
				})
			})
		}
	})
}

func TestCallsThatWaitForTheirTurnEnd(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		db := open(t, name, patient(name, newPath(t)))
		store := opened(t, db, 50*time.Millisecond)
		t.Cleanup(begin(t, db, "BEGIN IMMEDIATE"))
		var group sync.WaitGroup
		for range 16 {
			group.Add(1)
			go func() {
				defer group.Done()
				if err := store.Remove(storedriver.NewName(), 0); err == nil || !strings.Contains(err.Error(), "the time limit") {
					t.Errorf("the error is %v", err)
				}
			}()
		}
		group.Wait()
	})
}

func TestASaveWaitsUntilAnotherHasWritten(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		path := newPath(t)
		d := newDriver(t, openFile(t, name, path))
		key := d.Add("", "data", storedriver.Long)
		end := begin(t, openFile(t, name, path), "BEGIN IMMEDIATE")
		d.WantRecord(key, 1, "data") // reading does not wait
		saved := make(chan error)
		go func() { saved <- d.Put(key, 1, "", "more", storedriver.Long) }()
		time.Sleep(50 * time.Millisecond)
		end()
		d.Want(<-saved, nil)
		d.WantRecord(key, 2, "more")
	})
}

// Without a write-ahead log, a commit fails while another connection reads. Some drivers then
// return the connection to the pool with its transaction still open.
func TestACommitIsRepeatedWhileAnotherReads(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		db := open(t, name, "file:"+newPath(t)+"?_busy_timeout=0")
		d := newDriver(t, db)
		key := d.Add("", "data", storedriver.Long)
		end := begin(t, db, "BEGIN", "CREATE TEMP TABLE seen AS SELECT * FROM khufu_sessions")
		saved := make(chan error)
		go func() { saved <- d.Put(key, 1, "", "more", storedriver.Long) }()
		time.Sleep(50 * time.Millisecond)
		d.WantRecord(key, 1, "data")
		end()
		d.Want(<-saved, nil)
		d.WantRecord(key, 2, "more")
	})
}

// A page is what a visitor gets, and the error that the application gets.
type page struct {
	status int
	body   string
	err    error
}

// visit makes a request that changes a session in a store.
func visit(t *testing.T, store khufu.Store) (p page) {
	t.Helper()
	factory := storedriver.NewFactory(t, khufu.Options{
		CustomStore: store,
		OnError:     func(_ http.ResponseWriter, _ *http.Request, err error) { p.err = err },
	})
	recorder := httptest.NewRecorder()
	factory.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		khufu.FromContext(r.Context()).Set("a", 1)
	})).ServeHTTP(recorder, httptest.NewRequest("GET", "/", nil))
	p.status, p.body = recorder.Code, recorder.Body.String()
	return p
}

func TestAVisitorDoesNotSeeWhyTheDatabaseIsDown(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		path := newPath(t)
		db := openFile(t, name, path)
		store := newStore(t, db, sqlstore.Options{})
		wantDown := func(reason string) {
			t.Helper()
			p := visit(t, store)
			if p.status != http.StatusServiceUnavailable || len(p.body) > 100 || strings.Contains(p.body, "database") {
				t.Errorf("the visitor gets %d, %q", p.status, p.body)
			}
			if !errors.Is(p.err, khufu.ErrStore) || !strings.Contains(p.err.Error(), reason) {
				t.Errorf("the error is %v", p.err)
			}
			if strings.Contains(p.body+p.err.Error(), filepath.Dir(path)) {
				t.Errorf("the path is in %q or in %v", p.body, p.err)
			}
		}
		wantUp := func() {
			t.Helper()
			if p := visit(t, store); p.status != http.StatusOK || p.err != nil {
				t.Errorf("%+v", p)
			}
		}
		wantUp()
		db.SetMaxIdleConns(0) // so that each call opens the file
		away := filepath.Dir(path) + ".away"
		if err := os.Rename(filepath.Dir(path), away); err != nil {
			t.Fatal(err)
		}
		wantDown("unable to open database file")
		if err := os.Rename(away, filepath.Dir(path)); err != nil {
			t.Fatal(err)
		}
		wantUp()
		run(t, db, "ALTER TABLE khufu_sessions RENAME TO sessions")
		wantDown("no such table")
		run(t, db, "ALTER TABLE sessions RENAME TO khufu_sessions")
		wantUp()
		db.Close()
		wantDown("database is closed")
	})
}
