package goredis_test

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/goredis"
	"github.com/khufu/khufu/bindings/go/internal/redistest"
)

const (
	long      = 600 * time.Second
	short     = time.Second
	forever   = time.Duration(-1)
	pastShort = 1200 * time.Millisecond
)

// A driver calls a store as the core does.
type driver struct {
	*testing.T
	*goredis.Store
}

// newName returns the key of a record, or the name of a subject.
func newName() string {
	var bytes [32]byte
	rand.Read(bytes[:])
	return hex.EncodeToString(bytes[:])
}

// record returns the bytes of a record: a header with the name of its subject, if it has one,
// and data.
func record(subject, data string) []byte {
	name, err := hex.DecodeString(subject)
	if err != nil {
		panic(err)
	}
	header := make([]byte, 34)
	header[0] = 2
	copy(header[2:], name)
	return append(header, data...)
}

// listed notes the subject of a record that is about to be written, if it has one.
func (d driver) listed(subject, key string, ttl time.Duration) error {
	switch {
	case subject == "":
		return nil
	case ttl < 0:
		return d.List(subject, key, ttl)
	}
	return d.List(subject, key, ttl+time.Minute)
}

func (d driver) save(key string, expected uint64, subject, data string, ttl time.Duration) error {
	if err := d.listed(subject, key, ttl); err != nil {
		return err
	}
	return d.Save(key, expected, expected+1, record(subject, data), ttl)
}

func (d driver) touch(key string, generation uint64, subject, data string, ttl time.Duration) error {
	if err := d.listed(subject, key, ttl); err != nil {
		return err
	}
	return d.Touch(key, generation, record(subject, data), ttl)
}

// saved saves the first record of a new key.
func (d driver) saved(subject, data string, ttl time.Duration) (key string) {
	d.Helper()
	key = newName()
	d.want(d.save(key, 0, subject, data, ttl), nil)
	return key
}

func (d driver) want(err, wanted error) {
	d.Helper()
	if !errors.Is(err, wanted) {
		d.Errorf("the error is %v, not %v", err, wanted)
	}
}

// wantRecord checks the record of a key. If the generation is 0, there must be none.
func (d driver) wantRecord(key string, generation uint64, data string) {
	d.Helper()
	found, foundGeneration, err := d.Load(key)
	if generation == 0 {
		d.want(err, khufu.ErrNotFound)
	} else if err != nil || foundGeneration != generation || string(found[34:]) != data {
		d.Errorf("the record has generation %d and %d bytes, %v", foundGeneration, len(found), err)
	}
}

// wantLive checks which keys belong to a subject.
func (d driver) wantLive(subject string, wanted ...string) {
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

// contract has the tests of src/store/contract.rs.
var contract = map[string]func(driver){
	"a record is what was saved": func(d driver) {
		d.wantRecord(newName(), 0, "")
		var all [256]byte
		for i := range all {
			all[i] = byte(i)
		}
		large := strings.Repeat("\xa5", 3<<20)
		for _, data := range []string{"", "\x00", string(all[:]), "text; DROP TABLE records; --", large} {
			for _, ttl := range []time.Duration{long, forever} {
				key, generation := newName(), uint64(1+len(data))
				d.want(d.Save(key, 0, generation, record("", data), ttl), nil)
				d.wantRecord(key, generation, data)
			}
		}
	},
	"a first save overwrites nothing": func(d driver) {
		key := d.saved("", "the first", forever)
		d.want(d.save(key, 0, "", "the second", long), khufu.ErrConflict)
		d.wantRecord(key, 1, "the first")
	},
	"a save replaces the generation that its writer saw": func(d driver) {
		key, other := d.saved("", "the first", long), d.saved("", "another", long)
		d.want(d.save(key, 1, "", "the second", long), nil)
		d.want(d.save(key, 2, "", "the third", long), nil)
		d.wantRecord(key, 3, "the third")
		d.want(d.Save(key, 3, math.MaxInt64-1, record("", "a late one"), long), nil)
		d.want(d.save(key, math.MaxInt64-1, "", "the last", long), nil)
		d.wantRecord(key, math.MaxInt64, "the last")
		d.wantRecord(other, 1, "another")
	},
	"a stale save changes nothing": func(d driver) {
		key := d.saved("", "the first", long)
		d.want(d.save(key, 1, "", "the second", long), nil)
		d.want(d.save(key, 1, "", "stale", long), khufu.ErrConflict)
		d.want(d.save(key, 7, "", "from nowhere", long), khufu.ErrConflict)
		d.wantRecord(key, 2, "the second")
	},
	"a save does not restore a removed record": func(d driver) {
		key := d.saved("", "data", long)
		d.want(d.Remove(key, 0), nil)
		d.wantRecord(key, 0, "")
		d.want(d.save(key, 1, "", "from a slow request", long), khufu.ErrGone)
		d.wantRecord(key, 0, "")
		d.want(d.save(key, 0, "", "anew", long), nil)
		d.wantRecord(key, 1, "anew")
		d.want(d.save(newName(), 1, "", "from nowhere", long), khufu.ErrGone)
	},
	"an expired record counts as missing": func(d driver) {
		var keys [5]string
		for i := range keys {
			keys[i] = d.saved("", "short-lived", short)
		}
		time.Sleep(pastShort)
		d.wantRecord(keys[0], 0, "")
		d.want(d.save(keys[1], 1, "", "from a slow request", long), khufu.ErrGone)
		d.want(d.touch(keys[2], 1, "", "from a slow request", long), khufu.ErrGone)
		d.wantRecord(keys[2], 0, "")
		d.want(d.Remove(keys[3], 1), khufu.ErrGone)
		d.want(d.save(keys[4], 0, "", "anew", long), nil)
		d.wantRecord(keys[4], 1, "anew")
	},
	"a save restarts the lifetime": func(d driver) {
		longer, shorter, kept := d.saved("", "data", short), d.saved("", "data", long), d.saved("", "data", short)
		d.want(d.save(longer, 1, "", "more", long), nil)
		d.want(d.save(shorter, 1, "", "more", short), nil)
		d.want(d.save(kept, 1, "", "more", forever), nil)
		time.Sleep(pastShort)
		d.wantRecord(longer, 2, "more")
		d.wantRecord(shorter, 0, "")
		d.wantRecord(kept, 2, "more")
	},
	"a touch restarts the lifetime and keeps the generation": func(d driver) {
		longer, kept := d.saved("", "at one", short), d.saved("", "at one", short)
		d.want(d.touch(longer, 1, "", "at two, which is longer", long), nil)
		d.want(d.touch(kept, 1, "", "two", forever), nil)
		time.Sleep(pastShort)
		d.wantRecord(longer, 1, "at two, which is longer")
		d.wantRecord(kept, 1, "two")
		d.want(d.save(longer, 1, "", "the next", long), nil)
	},
	"a touch that fails says why": func(d driver) {
		key := d.saved("", "data", short)
		d.want(d.touch(key, 2, "", "of another", long), khufu.ErrConflict)
		d.wantRecord(key, 1, "data")
		time.Sleep(pastShort)
		d.wantRecord(key, 0, "") // its lifetime was not restarted
		removed := d.saved("", "data", long)
		d.want(d.Remove(removed, 0), nil)
		for _, key := range []string{key, removed, newName()} {
			d.want(d.touch(key, 1, "", "from a slow request", long), khufu.ErrGone)
			d.wantRecord(key, 0, "")
		}
	},
	"a removal says whether there was a record": func(d driver) {
		key := d.saved("", "data", long)
		d.want(d.save(key, 1, "", "of whatever generation", long), nil)
		d.want(d.Remove(key, 0), nil)
		for _, key := range []string{key, newName()} {
			d.want(d.Remove(key, 0), khufu.ErrGone)
			d.want(d.Remove(key, 1), khufu.ErrGone)
			d.wantRecord(key, 0, "")
		}
	},
	"a removal of another generation does nothing": func(d driver) {
		key := d.saved("", "data", long)
		d.want(d.Remove(key, 2), khufu.ErrConflict)
		d.wantRecord(key, 1, "data")
		d.want(d.Remove(key, 1), nil)
		d.wantRecord(key, 0, "")
	},
	"members lists the keys of a subject": func(d driver) {
		subject, other := newName(), newName()
		d.wantLive(subject)
		first, second, third := d.saved(subject, "", long), d.saved(subject, "", long), d.saved(subject, "", long)
		expiring := d.saved(subject, "", short)
		d.wantLive(subject, first, second, third, expiring)
		// The first record changes to another subject, the second to none, and the third is removed.
		d.want(d.save(first, 1, other, "", long), nil)
		d.want(d.save(second, 1, "", "", long), nil)
		d.want(errors.Join(d.Remove(third, 0), d.Unlist(subject, third)), nil)
		time.Sleep(pastShort)
		d.wantLive(subject)
		d.wantLive(other, first)
		d.want(d.save(first, 1, "", "stale", long), khufu.ErrConflict)
		d.wantLive(other, first)
		d.want(d.save(first, 2, subject, "", long), nil)
		d.wantLive(subject, first)
		d.wantLive(other)
		keys, err := d.Members(subject)
		if err != nil || slices.Contains(keys, third) {
			d.Errorf("the removed record is still listed, %v", err)
		}
	},
	"a touched record stays listed": func(d driver) {
		subject := newName()
		key := d.saved(subject, "", short)
		d.want(d.touch(key, 1, subject, "touched", long), nil)
		time.Sleep(pastShort)
		d.wantLive(subject, key)
	},
}

func checkContract(t *testing.T, store *goredis.Store) {
	t.Run("contract", func(t *testing.T) {
		for name, check := range contract {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				check(driver{t, store})
			})
		}
	})
}

func TestOneServerFulfilsTheContract(t *testing.T) {
	client := connect(t, redistest.Start(t).Socket)
	checkContract(t, newStore(t, client, goredis.Options{}))
	checkLists(t, client)
}

func TestNoWriteIsLostAmongGoroutines(t *testing.T) {
	d := driver{t, newStore(t, connect(t, redistest.Start(t).Socket), goredis.Options{})}
	key, times := newName(), 100
	var group sync.WaitGroup
	for range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			for done := 0; done < times; {
				found, generation, err := d.Load(key)
				next := 1
				if err == nil {
					next, err = strconv.Atoi(string(found[34:]))
					next++
				}
				if err != nil && err != khufu.ErrNotFound {
					t.Error(err)
					return
				}
				if err := d.save(key, generation, "", strconv.Itoa(next), long); err != khufu.ErrConflict {
					d.want(err, nil)
					done++
				}
			}
		}()
	}
	group.Wait()
	d.wantRecord(key, 800, "800")
}
