package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"math"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// The offsets of the fields in a record's header, which src/record/header.rs describes.
const (
	subjectBegin  = 2
	subjectEnd    = 34
	accessedBegin = 74
	labelLength   = 106
	headerSize    = 112 // without the label
)

// put inserts a record if expected is 0. Otherwise it replaces the record of that generation.
func put(
	ctx context.Context, connection *sql.Conn, key string, expected, generation uint64, record []byte, ttl time.Duration,
) error {
	now := now()
	header, data := split(record)
	values := []any{key, int64(generation), expiry(now, ttl), subject(header), accessed(header), header, data, now}
	if expected == 0 {
		return change(ctx, connection, key, now, insert, values...)
	}
	return change(ctx, connection, key, now, replace, append(values, int64(expected))...)
}

// change executes a statement that changes the row of a key. If it changes nothing, the error is
// khufu.ErrConflict if the key has a row, and khufu.ErrGone if it has none.
func change(ctx context.Context, connection *sql.Conn, key string, now int64, statement string, values ...any) error {
	result, err := connection.ExecContext(ctx, statement, values...)
	if err != nil {
		return err
	}
	changed, err := result.RowsAffected()
	if err != nil || changed == 1 {
		return err
	}
	var found bool
	if err := connection.QueryRowContext(ctx, exists, key, now).Scan(&found); err != nil {
		return err
	}
	if found {
		return khufu.ErrConflict
	}
	return khufu.ErrGone
}

// split returns the header of a record, and the rest of it.
func split(record []byte) (header, data []byte) {
	end := min(headerSize, len(record))
	if end == headerSize {
		end = min(headerSize+int(binary.BigEndian.Uint16(record[labelLength:])), len(record))
	}
	return record[:end:end], record[end:]
}

// subject returns the name of the subject that a record belongs to, or nil. A header without a
// subject has zeros there.
func subject(header []byte) []byte {
	if len(header) < headerSize {
		return nil
	}
	name := header[subjectBegin:subjectEnd]
	if bytes.Equal(name, make([]byte, len(name))) {
		return nil
	}
	return name
}

// accessed returns the time of a session's last use, in microseconds since 1970.
func accessed(header []byte) int64 {
	if len(header) < headerSize {
		return 0
	}
	seconds := math.Float64frombits(binary.BigEndian.Uint64(header[accessedBegin:]))
	return int64(math.Round(seconds * 1e6))
}

// now returns the current time in milliseconds since 1970.
func now() int64 { return time.Now().UnixMilli() }

// expiry returns the time at which a record that is written now expires, or nil if it never does.
func expiry(now int64, ttl time.Duration) any {
	if ttl < 0 {
		return nil
	}
	return now + ttl.Milliseconds()
}

// Members implements [khufu.SubjectStore].
func (s *Store) Members(subject string) ([]string, error) {
	name, err := hex.DecodeString(subject)
	if err != nil {
		return nil, err
	}
	var keys []string
	err = s.call(func(ctx context.Context) error {
		rows, err := s.db.QueryContext(ctx, members, now(), name)
		if err != nil {
			return err
		}
		defer rows.Close()
		keys = nil
		for rows.Next() {
			var key string
			if err := rows.Scan(&key); err != nil {
				return err
			}
			keys = append(keys, key)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return keys, nil
}
