package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"testing"
)

// A tap is a [driver.Connector] that calls a function after each statement that succeeded. An
// error of the function replaces the statement's answer.
type tap struct {
	driver driver.Driver
	source string
	opened int // connections
	after  func(ctx context.Context, statement string) error
}

// openTapped opens a database file with a tap, which does nothing until a test sets its function.
func openTapped(t *testing.T, name, path string) (*tap, *sql.DB) {
	t.Helper()
	nothing := func(context.Context, string) error { return nil }
	connector := &tap{driver: openFile(t, name, path).Driver(), source: fileName(name, path), after: nothing}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return connector, db
}

func (t *tap) Driver() driver.Driver { return t.driver }

func (t *tap) Connect(context.Context) (driver.Conn, error) {
	t.opened++
	connection, err := t.driver.Open(t.source)
	return tapped{connection, t}, err
}

type tapped struct {
	driver.Conn
	tap *tap
}

func (c tapped) ExecContext(ctx context.Context, statement string, values []driver.NamedValue) (driver.Result, error) {
	result, err := c.Conn.(driver.ExecerContext).ExecContext(ctx, statement, values)
	if err == nil {
		err = c.tap.after(ctx, statement)
	}
	return result, err
}

func (c tapped) QueryContext(ctx context.Context, statement string, values []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(ctx, statement, values)
	if err == nil {
		err = c.tap.after(ctx, statement)
	}
	return rows, err
}
