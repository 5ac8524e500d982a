package storetest

import (
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/internal/storedriver"
)

// Contract tests that a store does what the comments of [khufu.Store] say, and if it is a
// [khufu.SubjectStore], also what the comments of that interface say. The store may already have
// records.
func Contract(t *testing.T, store khufu.Store) {
	t.Run("contract", func(t *testing.T) {
		withSubjects, isSubjectStore := store.(khufu.SubjectStore)
		if !isSubjectStore {
			withSubjects = withoutSubjects{store}
		}
		run := func(checks map[string]func(driver)) {
			for name, check := range checks {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					check(storedriver.New(t, withSubjects))
				})
			}
		}
		run(records)
		if isSubjectStore {
			run(subjects)
		}
	})
}

type driver = storedriver.Driver

// withoutSubjects is a store whose records have no subjects.
type withoutSubjects struct{ khufu.Store }

func (withoutSubjects) List(string, string, time.Duration) error { return nil }
func (withoutSubjects) Unlist(string, string) error              { return nil }
func (withoutSubjects) Members(string) ([]string, error)         { return nil, nil }

// records are the tests of src/store/contract.rs that need no subjects.
var records = map[string]func(driver){
	"a record is what was saved": func(d driver) {
		d.WantRecord(storedriver.NewName(), 0, "")
		var all [256]byte
		for i := range all {
			all[i] = byte(i)
		}
		large := strings.Repeat("\xa5", 3<<20)
		for _, data := range []string{"", "\x00", string(all[:]), "text; DROP TABLE records; --", large} {
			for _, ttl := range []time.Duration{storedriver.Long, storedriver.Forever} {
				key, generation := storedriver.NewName(), uint64(1+len(data))
				d.Want(d.Save(key, 0, generation, storedriver.Record("", data), ttl), nil)
				d.WantRecord(key, generation, data)
			}
		}
	},
	"a first save overwrites nothing": func(d driver) {
		key := d.Add("", "the first", storedriver.Forever)
		d.Want(d.Put(key, 0, "", "the second", storedriver.Long), khufu.ErrConflict)
		d.WantRecord(key, 1, "the first")
	},
	"a save replaces the generation that its writer saw": func(d driver) {
		key, other := d.Add("", "the first", storedriver.Long), d.Add("", "another", storedriver.Long)
		d.Want(d.Put(key, 1, "", "the second", storedriver.Long), nil)
		d.Want(d.Put(key, 2, "", "the third", storedriver.Long), nil)
		d.WantRecord(key, 3, "the third")
		d.Want(d.Save(key, 3, math.MaxInt64-1, storedriver.Record("", "a late one"), storedriver.Long), nil)
		d.Want(d.Put(key, math.MaxInt64-1, "", "the last", storedriver.Long), nil)
		d.WantRecord(key, math.MaxInt64, "the last")
		d.WantRecord(other, 1, "another")
	},
	"a stale save changes nothing": func(d driver) {
		key := d.Add("", "the first", storedriver.Long)
		d.Want(d.Put(key, 1, "", "the second", storedriver.Long), nil)
		d.Want(d.Put(key, 1, "", "stale", storedriver.Long), khufu.ErrConflict)
		d.Want(d.Put(key, 7, "", "from nowhere", storedriver.Long), khufu.ErrConflict)
		d.WantRecord(key, 2, "the second")
	},
	"a save does not restore a removed record": func(d driver) {
		key := d.Add("", "data", storedriver.Long)
		d.Want(d.Remove(key, 0), nil)
		d.WantRecord(key, 0, "")
		d.Want(d.Put(key, 1, "", "from a slow request", storedriver.Long), khufu.ErrGone)
		d.WantRecord(key, 0, "")
		d.Want(d.Put(key, 0, "", "anew", storedriver.Long), nil)
		d.WantRecord(key, 1, "anew")
		d.Want(d.Put(storedriver.NewName(), 1, "", "from nowhere", storedriver.Long), khufu.ErrGone)
	},
	"an expired record counts as missing": func(d driver) {
		var keys [5]string
		for i := range keys {
			keys[i] = d.Add("", "short-lived", storedriver.Short)
		}
		time.Sleep(storedriver.PastShort)
		d.WantRecord(keys[0], 0, "")
		d.Want(d.Put(keys[1], 1, "", "from a slow request", storedriver.Long), khufu.ErrGone)
		d.Want(d.Extend(keys[2], 1, "", "from a slow request", storedriver.Long), khufu.ErrGone)
		d.WantRecord(keys[2], 0, "")
		d.Want(d.Remove(keys[3], 1), khufu.ErrGone)
		d.Want(d.Put(keys[4], 0, "", "anew", storedriver.Long), nil)
		d.WantRecord(keys[4], 1, "anew")
	},
	"a save restarts the lifetime": func(d driver) {
		longer, kept := d.Add("", "data", storedriver.Short), d.Add("", "data", storedriver.Short)
		shorter := d.Add("", "data", storedriver.Long)
		d.Want(d.Put(longer, 1, "", "more", storedriver.Long), nil)
		d.Want(d.Put(shorter, 1, "", "more", storedriver.Short), nil)
		d.Want(d.Put(kept, 1, "", "more", storedriver.Forever), nil)
		time.Sleep(storedriver.PastShort)
		d.WantRecord(longer, 2, "more")
		d.WantRecord(shorter, 0, "")
		d.WantRecord(kept, 2, "more")
	},
	"a touch restarts the lifetime and keeps the generation": func(d driver) {
		longer, kept := d.Add("", "at one", storedriver.Short), d.Add("", "at one", storedriver.Short)
		d.Want(d.Extend(longer, 1, "", "at two, which is longer", storedriver.Long), nil)
		d.Want(d.Extend(kept, 1, "", "two", storedriver.Forever), nil)
		time.Sleep(storedriver.PastShort)
		d.WantRecord(longer, 1, "at two, which is longer")
		d.WantRecord(kept, 1, "two")
		d.Want(d.Put(longer, 1, "", "the next", storedriver.Long), nil)
	},
	"a touch that fails says why": func(d driver) {
		key := d.Add("", "data", storedriver.Short)
		d.Want(d.Extend(key, 2, "", "of another", storedriver.Long), khufu.ErrConflict)
		d.WantRecord(key, 1, "data")
		time.Sleep(storedriver.PastShort)
		d.WantRecord(key, 0, "") // its lifetime was not restarted
		removed := d.Add("", "data", storedriver.Long)
		d.Want(d.Remove(removed, 0), nil)
		for _, key := range []string{key, removed, storedriver.NewName()} {
			d.Want(d.Extend(key, 1, "", "from a slow request", storedriver.Long), khufu.ErrGone)
			d.WantRecord(key, 0, "")
		}
	},
	"a removal says whether there was a record": func(d driver) {
		key := d.Add("", "data", storedriver.Long)
		d.Want(d.Put(key, 1, "", "of whatever generation", storedriver.Long), nil)
		d.Want(d.Remove(key, 0), nil)
		for _, key := range []string{key, storedriver.NewName()} {
			d.Want(d.Remove(key, 0), khufu.ErrGone)
			d.Want(d.Remove(key, 1), khufu.ErrGone)
			d.WantRecord(key, 0, "")
		}
	},
	"a removal of another generation does nothing": func(d driver) {
		key := d.Add("", "data", storedriver.Long)
		d.Want(d.Remove(key, 2), khufu.ErrConflict)
		d.WantRecord(key, 1, "data")
		d.Want(d.Remove(key, 1), nil)
		d.WantRecord(key, 0, "")
	},
	"goroutines lose no save": func(d driver) {
		key := storedriver.NewName()
		var group sync.WaitGroup
		for range 8 {
			group.Add(1)
			go func() {
				defer group.Done()
				d.Increment(key, 10)
			}()
		}
		group.Wait()
		d.WantRecord(key, 80, "80")
	},
}

// subjects are the tests of src/store/contract.rs that need subjects.
var subjects = map[string]func(driver){
	"members lists the keys of a subject": func(d driver) {
		subject, other := storedriver.NewName(), storedriver.NewName()
		d.WantLive(subject)
		live := func() string { return d.Add(subject, "", storedriver.Long) }
		first, second, third := live(), live(), live()
		expiring := d.Add(subject, "", storedriver.Short)
		d.WantLive(subject, first, second, third, expiring)
		// The first record changes to another subject, the second to none, and the third is removed.
		d.Want(d.Put(first, 1, other, "", storedriver.Long), nil)
		d.Want(d.Put(second, 1, "", "", storedriver.Long), nil)
		d.Want(errors.Join(d.Remove(third, 0), d.Unlist(subject, third)), nil)
		time.Sleep(storedriver.PastShort)
		d.WantLive(subject)
		d.WantLive(other, first)
		d.Want(d.Put(first, 1, "", "stale", storedriver.Long), khufu.ErrConflict)
		d.WantLive(other, first)
		d.Want(d.Put(first, 2, subject, "", storedriver.Long), nil)
		d.WantLive(subject, first)
		d.WantLive(other)
		keys, err := d.Members(subject)
		if err != nil || slices.Contains(keys, third) {
			d.Errorf("the removed record is still listed, %v", err)
		}
	},
	"a touched record stays listed": func(d driver) {
		subject := storedriver.NewName()
		key := d.Add(subject, "", storedriver.Short)
		d.Want(d.Extend(key, 1, subject, "touched", storedriver.Long), nil)
		time.Sleep(storedriver.PastShort)
		d.WantLive(subject, key)
	},
}
