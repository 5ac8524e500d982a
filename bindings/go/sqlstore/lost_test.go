package sqlstore_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/internal/storedriver"
	"github.com/khufu/khufu/bindings/go/sqlstore"
)

var errLost = errors.New("the answer was lost")

// lose loses the answer to the next statement that contains a word.
func (t *tap) lose(word string) {
	nothing := t.after
	t.after = func(_ context.Context, statement string) error {
		if !strings.Contains(statement, word) {
			return nil
		}
		t.after = nothing
		return errLost
	}
}

func TestACommitWhoseAnswerWasLostMakesNoChangeTwice(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		path := newPath(t)
		tap, db := openTapped(t, name, path)
		lossy := newStore(t, db, sqlstore.Options{})
		direct := newStore(t, openFile(t, name, path), sqlstore.Options{})
		storedriver.CheckLostAnswers(t, lossy, direct, func(call func() error) error {
			tap.lose("COMMIT")
			return call()
		})
	})
}

func TestAWriteThatFailsHalfwayChangesNothing(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		tap, db := openTapped(t, name, newPath(t))
		d := newDriver(t, db)
		key := d.Add("", "data", storedriver.Long)
		for _, word := range []string{"BEGIN", "UPDATE khufu_sessions", "LIMIT 8"} {
			tap.lose(word)
			d.Want(d.Put(key, 1, "", "lost", storedriver.Long), errLost)
			d.WantRecord(key, 1, "data")
		}
		tap.lose("DELETE FROM khufu_sessions")
		d.Want(d.Remove(key, 1), errLost)
		d.WantRecord(key, 1, "data")
		tap.lose("EXISTS")
		d.Want(d.Put(key, 7, "", "lost", storedriver.Long), errLost)
		d.Want(d.Put(key, 1, "", "more", storedriver.Long), nil)
	})
}

func TestAConnectionThatMayHaveATransactionIsClosed(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		tap, db := openTapped(t, name, newPath(t))
		d := newDriver(t, db)
		nothing := tap.after
		tap.after = func(_ context.Context, statement string) error {
			if strings.Contains(statement, "INSERT") || statement == "ROLLBACK" {
				return errLost
			}
			return nil
		}
		d.Want(d.Put(storedriver.NewName(), 0, "", "lost", storedriver.Long), errLost)
		tap.after = nothing
		before := tap.opened
		d.Add("", "data", storedriver.Long)
		if tap.opened != before+1 {
			t.Errorf("the next call opened %d connections", tap.opened-before)
		}
	})
}

// SQLite ends a transaction itself after some errors, for example when it is interrupted.
func TestADatabaseInMemoryOutlivesATransactionThatSQLiteEnds(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		db := inMemory(t, name)
		d := newDriver(t, db)
		key := d.Add("", "data", storedriver.Long)
		run(t, db, "CREATE TRIGGER full BEFORE INSERT ON khufu_sessions BEGIN SELECT RAISE(ROLLBACK, 'it is full'); END")
		err := d.Put(storedriver.NewName(), 0, "", "more", storedriver.Long)
		if err == nil || !strings.Contains(err.Error(), "it is full") {
			t.Errorf("the error is %v", err)
		}
		d.WantRecord(key, 1, "data")
	})
}

func TestADriverThatPanicsEndsOnlyTheCall(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		tap, db := openTapped(t, name, newPath(t))
		db.SetMaxOpenConns(1) // the next call gets the same connection
		d := newDriver(t, db)
		key := d.Add("", "data", storedriver.Long)
		nothing, opened := tap.after, tap.opened
		tap.after = func(_ context.Context, statement string) error {
			if strings.Contains(statement, "UPDATE khufu_sessions") {
				panic("a hook is broken")
			}
			return nil
		}
		err := d.Put(key, 1, "", "more", storedriver.Long)
		if err == nil || !strings.Contains(err.Error(), "panic: a hook is broken") {
			t.Errorf("the error is %v", err)
		}
		tap.after = nothing
		d.WantRecord(key, 1, "data")
		d.Want(d.Put(key, 1, "", "more", storedriver.Long), nil)
		if tap.opened != opened {
			t.Error("the connection was closed")
		}
	})
}

func TestAWriteThatIsCancelledHalfwayChangesNothing(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		tap, db := openTapped(t, name, newPath(t))
		db.SetMaxOpenConns(1) // the next call gets the same connection
		d := newDriver(t, db)
		key := d.Add("", "data", storedriver.Long)
		for _, word := range []string{"BEGIN", "UPDATE khufu_sessions"} {
			ctx, cancel := context.WithCancel(t.Context())
			tap.after = func(_ context.Context, statement string) error {
				if strings.Contains(statement, word) {
					cancel()
				}
				return nil
			}
			store := d.SubjectStore.(khufu.ContextStore).WithContext(ctx)
			d.Want(store.Save(key, 1, 2, storedriver.Record("", "cancelled"), storedriver.Long), context.Canceled)
			d.WantRecord(key, 1, "data")
			d.Want(d.Extend(key, 1, "", "data", storedriver.Long), nil)
		}
	})
}

// firstWord finds the first word of a statement, after its comment.
var firstWord = regexp.MustCompile(`(?m)^([A-Z]+)`)

func TestEachCallIsAFewStatements(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		tap, db := openTapped(t, name, newPath(t))
		d := newDriver(t, db)
		type span struct{}
		var statements []string
		tap.after = func(ctx context.Context, statement string) error {
			if ctx.Value(span{}) != "request 7" {
				t.Errorf("a statement did not get the context: %s", statement)
			}
			statements = append(statements, firstWord.FindStringSubmatch(statement)[1])
			return nil
		}
		store := d.SubjectStore.(khufu.ContextStore).WithContext(context.WithValue(t.Context(), span{}, "request 7"))
		d = storedriver.New(t, store.(khufu.SubjectStore))
		key := storedriver.NewName()
		for _, row := range []struct {
			call   func() error
			wanted string
		}{
			{func() error { return d.Put(key, 0, "", "data", storedriver.Long) }, "BEGIN INSERT DELETE COMMIT"},
			{func() error { return d.Extend(key, 1, "", "data", storedriver.Long) }, "BEGIN UPDATE COMMIT"},
			{func() error { _, _, err := d.Load(key); return err }, "SELECT"},
			{func() error { _, err := d.Members(storedriver.NewName()); return err }, "SELECT"},
			{func() error { return d.Remove(key, 1) }, "BEGIN DELETE COMMIT"},
		} {
			statements = nil
			d.Want(row.call(), nil)
			if found := strings.Join(statements, " "); found != row.wanted {
				t.Errorf("the statements are %s, not %s", found, row.wanted)
			}
		}
	})
}
