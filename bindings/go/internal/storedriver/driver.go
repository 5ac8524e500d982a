// Package storedriver calls the methods of a store in tests, as the core does.
package storedriver

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// The times to live of the tests' records.
const (
	Long      = 600 * time.Second
	Short     = time.Second
	Forever   = time.Duration(-1)
	PastShort = 1200 * time.Millisecond // when a Short record has expired
)

// headerSize is the size of the header of a record without a label.
const headerSize = 112

// A Driver calls a store and checks its answers.
type Driver struct {
	testing.TB
	khufu.SubjectStore
}

// New returns a driver of a store.
func New(t testing.TB, store khufu.SubjectStore) Driver { return Driver{t, store} }

// NewName returns the key of a record, or the name of a subject.
func NewName() string {
	var bytes [32]byte
	rand.Read(bytes[:])
	return hex.EncodeToString(bytes[:])
}

// Record returns the bytes of a record: a header with the name of its subject, if it has one,
// and data.
func Record(subject, data string) []byte {
	name, err := hex.DecodeString(subject)
	if err != nil {
		panic(err)
	}
	header := make([]byte, headerSize)
	header[0] = 2
	copy(header[2:], name)
	binary.BigEndian.PutUint32(header[headerSize-4:], uint32(len(data)))
	return append(header, data...)
}

// listed notes the subject of a record that is about to be written, if it has one.
func (d Driver) listed(subject, key string, ttl time.Duration) error {
	switch {
	case subject == "":
		return nil
	case ttl < 0:
		return d.List(subject, key, ttl)
	}
	return d.List(subject, key, ttl+time.Minute)
}

// Put saves a record of the next generation.
func (d Driver) Put(key string, expected uint64, subject, data string, ttl time.Duration) error {
	if err := d.listed(subject, key, ttl); err != nil {
		return err
	}
	return d.Save(key, expected, expected+1, Record(subject, data), ttl)
}

// Extend touches a record.
func (d Driver) Extend(key string, generation uint64, subject, data string, ttl time.Duration) error {
	if err := d.listed(subject, key, ttl); err != nil {
		return err
	}
	return d.Touch(key, generation, Record(subject, data), ttl)
}

// Add saves the first record of a new key.
func (d Driver) Add(subject, data string, ttl time.Duration) (key string) {
	d.Helper()
	key = NewName()
	d.Want(d.Put(key, 0, subject, data, ttl), nil)
	return key
}

// Want checks an error.
func (d Driver) Want(err, wanted error) {
	d.Helper()
	if !errors.Is(err, wanted) {
		d.Errorf("the error is %v, not %v", err, wanted)
	}
}

// WantRecord checks the record of a key. If the generation is 0, there must be none.
func (d Driver) WantRecord(key string, generation uint64, data string) {
	d.Helper()
	found, foundGeneration, err := d.Load(key)
	if generation == 0 {
		d.Want(err, khufu.ErrNotFound)
	} else if err != nil || foundGeneration != generation || string(found[headerSize:]) != data {
		d.Errorf("the record has generation %d and %d bytes, %v", foundGeneration, len(found), err)
	}
}

// WantLive checks which keys belong to a subject.
func (d Driver) WantLive(subject string, wanted ...string) {
	d.Helper()
	keys, err := d.Members(subject)
	name, _ := hex.DecodeString(subject)
	keys = slices.DeleteFunc(keys, func(key string) bool {
		record, _, err := d.Load(key)
		return err != nil || string(record[2:34]) != string(name)
	})
	slices.Sort(keys)
	slices.Sort(wanted)
	if err != nil || !slices.Equal(keys, wanted) {
		d.Errorf("%q belong to the subject, not %q, %v", keys, wanted, err)
	}
}

// Increment adds 1 to the number in a record, and starts over after each conflict. It adds the
// record if there is none.
func (d Driver) Increment(key string, times int) {
	for done := 0; done < times; {
		found, generation, err := d.Load(key)
		number := 0
		if err == nil {
			number, err = strconv.Atoi(string(found[headerSize:]))
		}
		if err != nil && err != khufu.ErrNotFound {
			d.Error(err)
			return
		}
		if err := d.Put(key, generation, "", strconv.Itoa(number+1), Long); err != khufu.ErrConflict {
			d.Want(err, nil)
			done++
		}
	}
}
