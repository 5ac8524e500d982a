package khufu_test

import (
	"fmt"
	"log"
	"maps"
	"slices"
	"sync"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// A MapStore is a [khufu.SubjectStore] that keeps its records in maps.
type MapStore struct {
	mutex    sync.Mutex
	records  map[string]mapRecord
	subjects map[string]map[string]time.Time // by subject and key: until when the key is listed
}

type mapRecord struct {
	data       []byte
	generation uint64
	expires    time.Time
}

// find returns the record of a key. It removes the record if it has expired.
func (m *MapStore) find(key string) (mapRecord, bool) {
	record, found := m.records[key]
	if found && !time.Now().Before(record.expires) {
		delete(m.records, key)
		found = false
	}
	return record, found
}

// replace replaces the record of a key if it has the expected generation. If expected is 0,
// it adds the record if there is none.
func (m *MapStore) replace(key string, expected uint64, record mapRecord) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	present, found := m.find(key)
	switch {
	case !found && expected != 0:
		return khufu.ErrGone
	case found && present.generation != expected:
		return khufu.ErrConflict
	}
	if m.records == nil {
		m.records = map[string]mapRecord{}
	}
	m.records[key] = record
	return nil
}

// end returns when a time to live ends.
func end(ttl time.Duration) time.Time {
	if ttl < 0 {
		return time.Now().AddDate(1000, 0, 0) // never
	}
	return time.Now().Add(ttl)
}

func (m *MapStore) Load(key string) ([]byte, uint64, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	record, found := m.find(key)
	if !found {
		return nil, 0, khufu.ErrNotFound
	}
	return record.data, record.generation, nil
}

func (m *MapStore) Save(key string, expected, generation uint64, data []byte, ttl time.Duration) error {
	return m.replace(key, expected, mapRecord{data, generation, end(ttl)})
}

func (m *MapStore) Touch(key string, generation uint64, data []byte, ttl time.Duration) error {
	return m.replace(key, generation, mapRecord{data, generation, end(ttl)})
}

func (m *MapStore) Remove(key string, expected uint64) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	record, found := m.find(key)
	switch {
	case !found:
		return khufu.ErrGone
	case expected != 0 && record.generation != expected:
		return khufu.ErrConflict
	}
	delete(m.records, key)
	return nil
}

func (m *MapStore) List(subject, key string, ttl time.Duration) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.subjects == nil {
		m.subjects = map[string]map[string]time.Time{}
	}
	if m.subjects[subject] == nil {
		m.subjects[subject] = map[string]time.Time{}
	}
	if until := end(ttl); until.After(m.subjects[subject][key]) {
		m.subjects[subject][key] = until
	}
	return nil
}

func (m *MapStore) Unlist(subject, key string) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	delete(m.subjects[subject], key)
	return nil
}

func (m *MapStore) Members(subject string) ([]string, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	maps.DeleteFunc(m.subjects[subject], func(_ string, until time.Time) bool { return !time.Now().Before(until) })
	return slices.Collect(maps.Keys(m.subjects[subject])), nil
}

// This example keeps sessions in a map.
func ExampleStore() {
	factory, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet", CustomStore: new(MapStore)})
	if err != nil {
		log.Fatal(err)
	}
	defer factory.Close()

	cookie := ""
	for range 3 {
		session, err := factory.Open(cookie)
		if err != nil {
			log.Fatal(err)
		}
		visits, _ := khufu.Get[int](session, "visits")
		session.Set("visits", visits+1)
		header, err := session.Commit()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(session.LoadResult(), visits+1, len(header["Set-Cookie"]))
		if values := header["Set-Cookie"]; len(values) > 0 {
			cookie = values[0]
		}
		session.Close()
	}
	// Output:
	// none 1 1
	// loaded 2 0
	// loaded 3 0
}

// This example logs a user out everywhere else.
func ExampleFactory_Subject() {
	factory, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet", Type: khufu.Stored})
	if err != nil {
		log.Fatal(err)
	}
	defer factory.Close()

	var current string
	for range 3 {
		session, err := factory.Open("")
		if err != nil {
			log.Fatal(err)
		}
		session.Set("user", 42)
		session.SetSubject("user-42")
		if _, err := session.Commit(); err != nil {
			log.Fatal(err)
		}
		current, _ = session.ID()
		session.Close()
	}

	user := factory.Subject("user-42")
	revoked, err := user.RevokeAll(current)
	fmt.Println(revoked, err)
	sessions, err := user.Sessions()
	fmt.Println(len(sessions), sessions[0].ID == current, err)
	// Output:
	// 2 <nil>
	// 1 true <nil>
}
