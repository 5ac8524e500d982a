package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"time"

	"github.com/khufu/khufu/bindings/go/internal/waiting"
)

// The first and the longest pause of a call that waits until other connections have finished
// writing.
const (
	firstPause = 50 * time.Microsecond
	lastPause  = 500 * time.Microsecond
)

var errTooSlow = errors.New("the time limit passed while others were using the database")

// call does some work, and repeats it while other connections prevent it. It returns at the latest
// when the context is done, even if the driver is still waiting.
func (s *Store) call(work func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(s.ctx, s.options.Timeout, errTooSlow)
	defer cancel()
	return waiting.Until(ctx, func() error { return repeat(ctx, work) })
}

// repeat repeats some work until it succeeds or fails.
func repeat(ctx context.Context, work func(context.Context) error) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := work(ctx)
		if !isTemporary(err) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// isTemporary reports whether a statement did nothing because other connections are using the
// database. Each driver has its own type of errors, but all have SQLite's texts.
func isTemporary(err error) bool {
	if err == nil {
		return false
	}
	text := err.Error()
	return strings.Contains(text, " is locked") || strings.Contains(text, "locking protocol")
}

// write does some work in a transaction, and undoes it if it fails. The goroutines of a process
// take turns.
func (s *Store) write(work func(context.Context, *sql.Conn) error) error {
	return s.call(func(ctx context.Context) error {
		select {
		case s.turn <- struct{}{}:
			defer func() { <-s.turn }()
		case <-ctx.Done():
			return ctx.Err()
		}
		connection, err := s.db.Conn(ctx)
		if err != nil {
			return err
		}
		defer connection.Close()
		return transact(ctx, connection, work)
	})
}

// transact does not use sql.Tx, which begins a transaction without the lock to write. If its
// commit fails because the database is busy, some drivers leave the transaction open.
func transact(ctx context.Context, connection *sql.Conn, work func(context.Context, *sql.Conn) error) error {
	_, err := connection.ExecContext(ctx, "BEGIN IMMEDIATE")
	if isTemporary(err) {
		return err
	}
	lasting := context.WithoutCancel(ctx) // so that the outcome is known
	committed := false
	defer func() {
		if !committed { // also if the driver panics
			undo(lasting, connection)
		}
	}()
	if err == nil {
		err = work(ctx, connection)
	}
	if err == nil {
		err = ctx.Err() // nobody waits for the outcome
	}
	if err == nil {
		_, err = connection.ExecContext(lasting, "COMMIT")
	}
	committed = err == nil
	return err
}

// undo ends a transaction, or closes the connection if that fails. A transaction that was not
// begun, or that SQLite has ended itself, is no reason to close it: a database in memory would be
// lost.
func undo(ctx context.Context, connection *sql.Conn) {
	_, err := connection.ExecContext(ctx, "ROLLBACK")
	if err != nil && !strings.Contains(err.Error(), "no transaction is active") {
		connection.Raw(func(any) error { return driver.ErrBadConn })
	}
}
