package khufu_test

import (
	"sync"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// A slowStore is a MapStore whose saves take a while.
type slowStore struct{ *MapStore }

func (s slowStore) Save(key string, expected, generation uint64, record []byte, ttl time.Duration) error {
	time.Sleep(time.Millisecond)
	return s.MapStore.Save(key, expected, generation, record, ttl)
}

func TestCommitsToOneSessionTakeTurns(t *testing.T) {
	const requests = 50
	factory := newFactory(t, khufu.Options{CustomStore: slowStore{new(MapStore)}, StoreTimeout: 10 * time.Second})
	header := begin(t, factory, map[string]any{})
	var all sync.WaitGroup
	for range requests {
		all.Add(1)
		go func() {
			defer all.Done()
			session, err := factory.Open(header, khufu.At(now))
			if err != nil {
				t.Error(err)
				return
			}
			defer session.Close()
			if _, err := session.Increment("visits", 1); err != nil {
				t.Error(err)
			}
			if _, err := session.Commit(); err != nil {
				t.Error(err)
			}
		}()
	}
	all.Wait()
	session, err := factory.Open(header, khufu.At(now))
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	visits, err := session.GetInt64("visits")
	if err != nil || visits != requests {
		t.Errorf("%d visits of %d were kept, %v", visits, requests, err)
	}
}
