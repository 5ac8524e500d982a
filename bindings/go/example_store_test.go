package khufu_test

import (
	"fmt"
	"log"
	"sync"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// A MapStore is a [khufu.Store] over a map.
type MapStore struct {
	mutex   sync.Mutex
	records map[string]mapRecord
}

type mapRecord struct {
	data       []byte
	generation uint64
	expires    time.Time // zero if never
}

// find gives the record of a key, and removes it if it has expired.
func (m *MapStore) find(key string) (mapRecord, bool) {
	record, found := m.records[key]
	if found && !record.expires.IsZero() && time.Now().After(record.expires) {
		delete(m.records, key)
		found = false
	}
	return record, found
}

func (m *MapStore) put(key string, generation uint64, data []byte, ttl time.Duration) {
	record := mapRecord{data: data, generation: generation}
	if ttl >= 0 {
		record.expires = time.Now().Add(ttl)
	}
	if m.records == nil {
		m.records = map[string]mapRecord{}
	}
	m.records[key] = record
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
	m.mutex.Lock()
	defer m.mutex.Unlock()
	record, found := m.find(key)
	switch {
	case !found && expected != 0:
		return khufu.ErrGone
	case found && record.generation != expected:
		return khufu.ErrConflict
	}
	m.put(key, generation, data, ttl)
	return nil
}

func (m *MapStore) Touch(key string, generation uint64, data []byte, ttl time.Duration) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if record, found := m.find(key); found && record.generation == generation {
		m.put(key, generation, data, ttl)
	}
	return nil
}

func (m *MapStore) Delete(key string) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	delete(m.records, key)
	return nil
}

// Sessions in a map.
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
		values, err := session.Commit()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(session.LoadResult(), visits+1, len(values))
		if len(values) > 0 {
			cookie = values[0]
		}
		session.Close()
	}
	// Output:
	// none 1 1
	// loaded 2 0
	// loaded 3 0
}

// The sessions of a user, who logs out everywhere else.
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
