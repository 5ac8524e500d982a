package khufu_test

import (
	"runtime/pprof"
	"sync"
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
)

// A waitingStore is a MapStore whose loads wait until the test lets them go on.
type waitingStore struct {
	*MapStore
	arrived *sync.WaitGroup
	goOn    chan struct{}
}

func (w waitingStore) Load(key string) ([]byte, uint64, error) {
	w.arrived.Done()
	<-w.goOn
	return w.MapStore.Load(key)
}

func TestWaitingForACustomStoreTakesNoThread(t *testing.T) {
	const calls = 200
	maps := new(MapStore)
	header := begin(t, newFactory(t, khufu.Options{CustomStore: maps}), map[string]any{"a": 1})
	var arrived, done sync.WaitGroup
	store := waitingStore{maps, &arrived, make(chan struct{})}
	factory := newFactory(t, khufu.Options{CustomStore: store})
	threads := pprof.Lookup("threadcreate")
	before := threads.Count()
	arrived.Add(calls)
	for range calls {
		done.Add(1)
		go func() {
			defer done.Done()
			session, err := factory.Open(header)
			if err != nil {
				t.Error(err)
				return
			}
			session.Close()
		}()
	}
	arrived.Wait()
	if created := threads.Count() - before; created >= calls/2 {
		t.Errorf("%d calls that wait at the same time took %d new threads", calls, created)
	}
	close(store.goOn)
	done.Wait()
}
