// Package sqlstore keeps khufu's sessions in SQLite over the [sql.DB] that an application has
// already, with its driver, pool and hooks. The table and its records are those of khufu's own
// SQLite store, so that both work on the same sessions.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// Options configure a [Store].
type Options struct {
	// Dedicated means that the database is for khufu's sessions only, so that processes with khufu's
	// own store, "sqlite:PATH", can use it, too. New marks an empty database as khufu's, and refuses a
	// database with other contents. By default the database may be the application's.
	Dedicated bool
	// Timeout is how long each call of the store may wait for the database: 1 second by default.
	// The context of the call on the session may end it earlier.
	Timeout time.Duration
}

// A Store is a [khufu.SubjectStore] in SQLite. Set it as the CustomStore of [khufu.Options]. It
// is safe for concurrent use.
type Store struct {
	db      *sql.DB
	options Options
	turn    chan struct{}   // full while a goroutine writes
	ctx     context.Context // the context of the call on the session
}

var (
	_ khufu.ContextStore = (*Store)(nil)
	_ khufu.SubjectStore = (*Store)(nil)
)

// New returns a store in a database. It creates the table khufu_sessions if the database has none.
// It fails if it does not know the layout of the table, or if the context is done first. The store
// does not close the database.
func New(ctx context.Context, db *sql.DB, options Options) (*Store, error) {
	if db == nil {
		return nil, errors.New("sqlstore: the database is nil")
	}
	if options.Timeout == 0 {
		options.Timeout = time.Second
	}
	s := &Store{db, options, make(chan struct{}, 1), ctx}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	s.ctx = context.Background()
	return s, nil
}

// WithContext implements [khufu.ContextStore].
func (s *Store) WithContext(ctx context.Context) khufu.Store {
	return &Store{s.db, s.options, s.turn, ctx}
}

// Load implements [khufu.Store].
func (s *Store) Load(key string) (record []byte, generation uint64, err error) {
	var found int64
	var header, data []byte
	err = s.call(func(ctx context.Context) error {
		return s.db.QueryRowContext(ctx, load, key, now()).Scan(&found, &header, &data)
	})
	switch {
	case err == sql.ErrNoRows:
		return nil, 0, khufu.ErrNotFound
	case err != nil:
		return nil, 0, err
	}
	return append(header, data...), uint64(found), nil
}

// Save implements [khufu.Store]. It also removes a few expired rows.
func (s *Store) Save(key string, expected, generation uint64, record []byte, ttl time.Duration) error {
	return s.write(func(ctx context.Context, connection *sql.Conn) error {
		if err := put(ctx, connection, key, expected, generation, record, ttl); err != nil {
			return err
		}
		_, err := connection.ExecContext(ctx, sweep, now())
		return err
	})
}

// Touch implements [khufu.Store].
func (s *Store) Touch(key string, generation uint64, record []byte, ttl time.Duration) error {
	return s.write(func(ctx context.Context, connection *sql.Conn) error {
		return put(ctx, connection, key, generation, generation, record, ttl)
	})
}

// Remove implements [khufu.Store].
func (s *Store) Remove(key string, expected uint64) error {
	return s.write(func(ctx context.Context, connection *sql.Conn) error {
		now := now()
		return change(ctx, connection, key, now, remove, key, now, int64(expected))
	})
}

// List implements [khufu.SubjectStore]. It does nothing, because a row says which subject its
// record belongs to.
func (s *Store) List(subject, key string, ttl time.Duration) error { return nil }

// Unlist implements [khufu.SubjectStore]. It does nothing, because a row says which subject its
// record belongs to.
func (s *Store) Unlist(subject, key string) error { return nil }
