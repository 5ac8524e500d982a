package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// The marks of a database of khufu's own: `khfu` in ASCII as its application_id, and the version
// of the table's layout as its user_version.
const (
	application = 0x6b686675
	version     = 2
)

// look selects the two marks of a database, the number of its tables and indexes, whether one of
// them is the table of sessions, and whether the database is a file.
const look = `
SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
    (SELECT count(*) FROM sqlite_schema),
    (SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'khufu_sessions'),
    (SELECT coalesce(file, '') <> '' FROM pragma_database_list WHERE name = 'main')`

// columns fails if the table lacks a column.
const columns = `SELECT key, generation, expires, subject, accessed, header, data FROM khufu_sessions LIMIT 0`

type state int

const (
	empty state = iota
	hasTable
	hasLayout1
)

// prepare creates the table unless there is one.
func (s *Store) prepare() error {
	var found state
	err := s.call(func(ctx context.Context) (err error) {
		connection, err := s.db.Conn(ctx)
		if err != nil {
			return err
		}
		defer connection.Close()
		found, err = s.look(ctx, connection)
		return err
	})
	if err == nil && found != hasTable {
		err = s.write(s.create)
	}
	if err == nil {
		err = s.call(func(ctx context.Context) error {
			_, err := s.db.ExecContext(ctx, columns)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("sqlstore: opening: %w", err)
	}
	return nil
}

// look tells what a database is, and returns an error if the store cannot use it.
func (s *Store) look(ctx context.Context, connection *sql.Conn) (state, error) {
	var mark, layout uint32
	var tables, sessions int
	var isFile bool
	err := connection.QueryRowContext(ctx, look).Scan(&mark, &layout, &tables, &sessions, &isFile)
	switch isEmpty := tables == 0 && mark == 0 && layout == 0; {
	case err != nil:
		return empty, err
	case !isFile && s.db.Stats().MaxOpenConnections != 1:
		return empty, errors.New(`the database is in memory, where each connection has one of its own: ` +
			`use khufu's store "memory:", or call SetMaxOpenConns(1)`)
	case mark == application && layout == version:
		return hasTable, nil
	case mark == application && layout == 1:
		return hasLayout1, nil
	case mark == application:
		return empty, fmt.Errorf("a newer version of khufu made the database (layout %d; this version needs layout %d)",
			layout, version)
	case s.options.Dedicated && !isEmpty:
		return empty, errors.New("the database is not khufu's own: unset Dedicated, or use another database")
	case sessions != 0:
		return hasTable, nil
	}
	return empty, nil
}

// create creates the table, unless another connection has created it meanwhile.
func (s *Store) create(ctx context.Context, connection *sql.Conn) error {
	found, err := s.look(ctx, connection)
	if err != nil || found == hasTable {
		return err
	}
	statements := table
	if found == hasLayout1 {
		statements = dropLayout1 + statements
	}
	if found == hasLayout1 || s.options.Dedicated {
		statements += fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", application, version)
	}
	_, err = connection.ExecContext(ctx, statements)
	return err
}
