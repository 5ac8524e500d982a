// Package goredis keeps khufu's sessions in Redis or Valkey over the go-redis client that an
// application has already, with its pool, TLS, cluster and hooks. The keys and records are
// those of khufu's own Redis store, so that both work on the same sessions.
package goredis

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/redis/go-redis/v9"
)

// Options configure a [Store].
type Options struct {
	Prefix string // the prefix of all keys: "khufu:" by default
	// Timeout is how long each call of the store may wait for Redis: 1 second by default. The
	// context of the call on the session may end it earlier.
	Timeout time.Duration
}

// A Store is a [khufu.SubjectStore] in Redis. Set it as the CustomStore of [khufu.Options]. It
// is safe for concurrent use.
type Store struct {
	client   redis.UniversalClient
	options  Options
	isSpread bool            // the keys are on several servers
	ctx      context.Context // of the call on the session
}

var (
	_ khufu.ContextStore = (*Store)(nil)
	_ khufu.SubjectStore = (*Store)(nil)
)

// New returns a store that uses a client. It does not connect. The client must read from
// masters: a replica may still have a session that has ended.
func New(client redis.UniversalClient, options Options) (*Store, error) {
	if client == nil {
		return nil, errors.New("goredis: the client is nil")
	}
	if cluster, ok := client.(*redis.ClusterClient); ok && cluster.Options().ReadOnly {
		return nil, errors.New("goredis: the client reads from replicas: unset ReadOnly, RouteByLatency and RouteRandomly")
	}
	if options.Prefix == "" {
		options.Prefix = "khufu:"
	}
	if options.Timeout == 0 {
		options.Timeout = time.Second
	}
	_, isOne := client.(*redis.Client)
	return &Store{client, options, !isOne, context.Background()}, nil
}

// WithContext implements [khufu.ContextStore].
func (s *Store) WithContext(ctx context.Context) khufu.Store {
	return &Store{s.client, s.options, s.isSpread, ctx}
}

// Load implements [khufu.Store].
func (s *Store) Load(key string) (record []byte, generation uint64, err error) {
	reply := s.exchange(again, command{"get", s.key(key)})
	value, err := reply.Text()
	if err == redis.Nil {
		return nil, 0, khufu.ErrNotFound
	}
	if err != nil || len(value) < generationSize { // no save replaces generation 0
		return []byte(value), 0, err
	}
	return []byte(value[generationSize:]), binary.BigEndian.Uint64([]byte(value[:generationSize])), nil
}

// Save implements [khufu.Store].
func (s *Store) Save(key string, expected, generation uint64, record []byte, ttl time.Duration) error {
	saved := s.put(key, expected, generation, record, ttl)
	err := saved.outcome()
	if !saved.repeated || err != khufu.ErrConflict {
		return err
	}
	found, foundGeneration, err := s.Load(key)
	switch {
	case err == nil && foundGeneration == generation && string(found) == string(record):
		return nil
	case err == nil || err == khufu.ErrNotFound:
		// The first request may have succeeded before another writer saved, so this is neither a
		// success nor a conflict.
		return errors.New("Redis did not answer a save, and another request has changed the session since; commit again")
	}
	return err
}

// Touch implements [khufu.Store].
func (s *Store) Touch(key string, generation uint64, record []byte, ttl time.Duration) error {
	return s.put(key, generation, generation, record, ttl).outcome()
}

// Remove implements [khufu.Store].
func (s *Store) Remove(key string, expected uint64) error {
	removed := s.run(again, remove, []string{s.key(key)}, generationArgument(expected), key)
	err := removed.outcome()
	if removed.repeated && err == khufu.ErrGone {
		return nil // the first request removed the record
	}
	return err
}

// List implements [khufu.SubjectStore]. On one server it does nothing, because Save and Touch
// list a key in the same step as they write its record.
func (s *Store) List(subject, key string, ttl time.Duration) error {
	if !s.isSpread {
		return nil
	}
	if ttl >= 0 {
		ttl = max(ttl-time.Minute, 0) // khufu has added a minute, and so does the script
	}
	return s.run(again, enlist, []string{s.list(subject)}, key, milliseconds(ttl)).Err()
}

// Unlist implements [khufu.SubjectStore].
func (s *Store) Unlist(subject, key string) error {
	return s.exchange(again, command{"zrem", s.list(subject), key}).Err()
}

// Members implements [khufu.SubjectStore].
func (s *Store) Members(subject string) ([]string, error) {
	return s.run(again, members, []string{s.list(subject)}).StringSlice()
}

// put replaces the record of the expected generation, or inserts a record if that is 0.
func (s *Store) put(key string, expected, generation uint64, record []byte, ttl time.Duration) reply {
	sending := again
	if expected == 0 {
		sending = once // a second insert could restore a session after its logout
	}
	var list []string
	if subject := subjectOf(record); subject != "" && !s.isSpread {
		list = []string{s.list(subject)}
	}
	name, before, life := s.key(key), generationArgument(expected), milliseconds(ttl)
	value := append(binary.BigEndian.AppendUint64(nil, generation), record...)
	return s.try(sending, func(ctx context.Context) *redis.Cmd {
		// The tag of a temporary key is the record's key, which therefore must not contain braces.
		if len(value) >= longValue && !strings.ContainsAny(name, "{}") {
			temporary := fmt.Sprintf("%snext:{%s}:%x", s.options.Prefix, name, rand.Uint64())
			set := command{"set", temporary, value, "px", temporaryLife.Milliseconds()}
			keys := append([]string{name, temporary}, list...)
			sent := s.evaluate(ctx, saveLong, keys, []any{before, life, key}, set)
			// While a slot moves to another node, its keys may be on two nodes.
			if word, _ := sent.Text(); word != "lost" && !redis.HasErrorPrefix(sent.Err(), "TRYAGAIN") {
				return sent
			}
		}
		return s.evaluate(ctx, save, append([]string{name}, list...), []any{before, value, life, key})
	})
}

func (s *Store) key(key string) string { return s.options.Prefix + key }

// list returns the key of the sorted set that lists a subject's keys.
func (s *Store) list(subject string) string { return s.options.Prefix + "subject:" + subject }

const (
	generationSize = 8
	// longValue is the least size of a value that is set under a temporary key instead of being
	// passed to a script, because Lua would copy it.
	longValue     = 2048
	temporaryLife = 10 * time.Second
)

// subjectOf returns the name of the subject that a record belongs to, or "". The name is the
// 32 bytes after the first two, which are zeros in a record without a subject.
func subjectOf(record []byte) string {
	const begin, end = 2, 34
	if len(record) < end || [end - begin]byte(record[begin:end]) == [end - begin]byte{} {
		return ""
	}
	return hex.EncodeToString(record[begin:end])
}

// generationArgument returns the expected generation as an argument of a script.
func generationArgument(expected uint64) []byte {
	if expected == 0 {
		return nil
	}
	return binary.BigEndian.AppendUint64(nil, expected)
}

// milliseconds returns a time to live as an argument of a script.
func milliseconds(ttl time.Duration) string {
	if ttl < 0 {
		return ""
	}
	return strconv.FormatInt(ttl.Milliseconds(), 10)
}

// outcome returns the error that the answer of a script stands for.
func (r reply) outcome() error {
	word, err := r.Text()
	switch {
	case err != nil:
		return err
	case word == "saved":
		return nil
	case word == "gone":
		return khufu.ErrGone
	case word == "conflict":
		return khufu.ErrConflict
	}
	return fmt.Errorf("the script gave an unknown answer of %d bytes", len(word))
}
