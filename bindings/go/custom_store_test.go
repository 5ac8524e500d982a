package khufu_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// A brokenStore is a MapStore that calls a function of the test before each method, and fails
// if the function does.
type brokenStore struct {
	MapStore
	load, save, touch, remove, list, unlist, members func() error
}

// run calls the function that a test has set for a method, if any.
func run(before func() error) error {
	if before == nil {
		return nil
	}
	return before()
}

func (b *brokenStore) Load(key string) ([]byte, uint64, error) {
	if err := run(b.load); err != nil {
		return nil, 0, err
	}
	return b.MapStore.Load(key)
}

func (b *brokenStore) Save(key string, expected, generation uint64, record []byte, ttl time.Duration) error {
	if err := run(b.save); err != nil {
		return err
	}
	return b.MapStore.Save(key, expected, generation, record, ttl)
}

func (b *brokenStore) Touch(key string, generation uint64, record []byte, ttl time.Duration) error {
	if err := run(b.touch); err != nil {
		return err
	}
	return b.MapStore.Touch(key, generation, record, ttl)
}

func (b *brokenStore) Remove(key string, expected uint64) error {
	if err := run(b.remove); err != nil {
		return err
	}
	return b.MapStore.Remove(key, expected)
}

func (b *brokenStore) List(subject, key string, ttl time.Duration) error {
	if err := run(b.list); err != nil {
		return err
	}
	return b.MapStore.List(subject, key, ttl)
}

func (b *brokenStore) Unlist(subject, key string) error {
	if err := run(b.unlist); err != nil {
		return err
	}
	return b.MapStore.Unlist(subject, key)
}

func (b *brokenStore) Members(subject string) ([]string, error) {
	if err := run(b.members); err != nil {
		return nil, err
	}
	return b.MapStore.Members(subject)
}

var errUnplugged = errors.New("unplugged")

// failures are the ways in which a callback can fail, each with the cause of the resulting
// error and words in its message.
var failures = map[string]struct {
	fail  func() error
	cause error
	words string
}{
	"an error":          {func() error { return errUnplugged }, errUnplugged, "unplugged"},
	"unexpected status": {func() error { return khufu.ErrJSON }, khufu.ErrJSON, ""},
	"a panic":           {func() error { panic("pulled") }, nil, "pulled"},
	"a panic's error":   {func() error { panic(errUnplugged) }, errUnplugged, "unplugged"},
	"a runtime error":   {func() error { var none []int; _ = none[len(none)]; return nil }, nil, "out of range"},
}

func wantFailure(t *testing.T, err error, status khufu.Status, name string) {
	t.Helper()
	wantError(t, err, status)
	if cause := failures[name].cause; cause != nil {
		wantError(t, err, cause)
	}
	if err == nil || !strings.Contains(err.Error(), failures[name].words) {
		t.Errorf("%v does not contain %q", err, failures[name].words)
	}
}

func TestACustomStoreThatFails(t *testing.T) {
	for name, failure := range failures {
		t.Run(name, func(t *testing.T) {
			store := new(brokenStore)
			factory := newFactory(t, khufu.Options{CustomStore: store})
			header := begin(t, factory, map[string]any{"a": 1})

			store.load = failure.fail
			session, err := factory.Open(header, khufu.At(now))
			if session != nil {
				t.Error("Open returned a session")
			}
			wantFailure(t, err, khufu.ErrStore, name)
			_, err = factory.OpenContext(context.Background(), header)
			wantFailure(t, err, khufu.ErrStore, name)
			store.load = nil

			session = openAt(t, factory, header, now.Add(time.Minute))
			set(t, session, "b", 2)
			store.save = failure.fail
			_, err = session.Commit()
			wantFailure(t, err, khufu.ErrStore, name)
			wantEqual(t, "changed", session.IsChanged(), true)
			store.save = nil
			commit(t, session)
			wantEqual(t, "the state", toJSON(t, openAt(t, factory, header, now.Add(time.Minute))), `{"a":1,"b":2}`)

			read := openAt(t, factory, header, now.Add(2*time.Minute))
			read.Contains("a")
			store.touch = failure.fail
			_, err = read.Commit()
			wantFailure(t, err, khufu.ErrStore, name)

			if err := session.Invalidate(); err != nil {
				t.Fatal(err)
			}
			store.remove = failure.fail
			_, err = session.Commit()
			wantFailure(t, err, khufu.ErrStore, name)
		})
	}
}

func TestACustomStoreThatFailsWithASubject(t *testing.T) {
	for name, failure := range failures {
		t.Run(name, func(t *testing.T) {
			store := new(brokenStore)
			factory := newFactory(t, khufu.Options{CustomStore: store})
			user := factory.Subject("user-42")
			session := openAt(t, factory, "", now)
			if err := session.SetSubject("user-42"); err != nil {
				t.Fatal(err)
			}
			set(t, session, "a", 1)
			store.list = failure.fail
			_, err := session.Commit()
			wantFailure(t, err, khufu.ErrStore, name)
			store.list = nil
			header := commit(t, session)
			id, err := session.ID()
			if err != nil {
				t.Fatal(err)
			}

			for _, method := range []*func() error{&store.members, &store.load, &store.remove} {
				*method = failure.fail
				_, err = user.RevokeAll("")
				wantFailure(t, err, khufu.ErrStore, name)
				if method != &store.members {
					wantFailure(t, user.Revoke(id), khufu.ErrStore, name)
				}
				if method != &store.remove {
					_, err = user.Sessions()
					wantFailure(t, err, khufu.ErrStore, name)
				}
				*method = nil
			}
			wantEqual(t, "the load result", openAt(t, factory, header, now).LoadResult(), khufu.Loaded)

			store.unlist = failure.fail // a key that is still listed does no harm
			if err := user.Revoke(id); err != nil {
				t.Error(err)
			}
			wantEqual(t, "the load result, revoked", openAt(t, factory, header, now).LoadResult(), khufu.LoadMissing)
		})
	}
}

// A withoutSubjects store has only the methods of a Store.
type withoutSubjects struct{ khufu.Store }

func TestACustomStoreNeedNotKeepSubjects(t *testing.T) {
	factory := newFactory(t, khufu.Options{CustomStore: withoutSubjects{new(MapStore)}})
	session := openAt(t, factory, "", now)
	wantError(t, session.SetSubject("user-42"), khufu.ErrArgument)
	_, err := factory.Subject("user-42").Sessions()
	wantError(t, err, khufu.ErrArgument)
	set(t, session, "a", 1)
	wantEqual(t, "the state", toJSON(t, openAt(t, factory, commit(t, session), now)), `{"a":1}`)
}

// A strayStore returns any strings as Members.
type strayStore struct {
	MapStore
	keys []string
}

func (s *strayStore) Members(string) ([]string, error) { return s.keys, nil }

func TestInvalidMembersAreAnError(t *testing.T) {
	store := new(strayStore)
	factory := newFactory(t, khufu.Options{CustomStore: store})
	for _, keys := range [][]string{{"x"}, {strings.Repeat("0", 64), ""}, {strings.Repeat("0", 65)}, {strings.Repeat("x", 64)}} {
		store.keys = keys
		_, err := factory.Subject("user-42").Sessions()
		if len(keys) == 2 { // a valid key without a record
			wantEqual(t, "the error", err, nil)
			continue
		}
		wantError(t, err, khufu.ErrStore)
		if !strings.Contains(err.Error(), "members") {
			t.Errorf("%v does not name the method", err)
		}
	}
}

// Another request changes the session after RevokeAll has loaded it and before it removes it.
func TestRevokeAllTriesAgainAfterAConflict(t *testing.T) {
	store := new(brokenStore)
	factory, another := newFactory(t, khufu.Options{CustomStore: store}), newFactory(t, khufu.Options{CustomStore: store})
	header, _ := login(t, factory, "user-42")
	attempts := 0
	store.remove = func() error {
		if attempts++; attempts == 1 {
			session := openAt(t, another, header, now)
			set(t, session, "b", 2)
			commit(t, session)
		}
		return nil
	}
	revoked, err := factory.Subject("user-42").RevokeAll("")
	if err != nil || revoked != 1 || attempts != 2 {
		t.Errorf("%d sessions were revoked in %d attempts, %v", revoked, attempts, err)
	}
	wantEqual(t, "the load result", openAt(t, factory, header, now).LoadResult(), khufu.LoadMissing)
}

func TestEmptyOnErrorOpensAnEmptySession(t *testing.T) {
	store := &brokenStore{load: func() error { panic(errUnplugged) }}
	factory := newFactory(t, khufu.Options{CustomStore: store, StoreOnError: khufu.EmptyOnError})
	header := begin(t, factory, map[string]any{"a": 1})
	session := openAt(t, factory, header, now)
	wantEqual(t, "the load result", session.LoadResult(), khufu.LoadStoreError)
	set(t, session, "b", 2)
	if _, err := session.Commit(); err == nil {
		t.Error("Commit replaced the session that could not be read")
	}
}

func TestACustomStoreKeepsConcurrentChanges(t *testing.T) {
	factory := newFactory(t, khufu.Options{CustomStore: new(MapStore)})
	header := begin(t, factory, map[string]any{})
	one, other, late := openAt(t, factory, header, now), openAt(t, factory, header, now), openAt(t, factory, header, now)
	set(t, one, "one", 1)
	set(t, other, "other", 2)
	set(t, late, "late", 3)
	commit(t, one)
	commit(t, other)
	logout := openAt(t, factory, header, now)
	wantEqual(t, "the state", toJSON(t, logout), `{"one":1,"other":2}`)
	if err := logout.Invalidate(); err != nil {
		t.Fatal(err)
	}
	commit(t, logout)
	_, err := late.Commit()
	wantError(t, err, khufu.ErrGone)
	wantEqual(t, "the load result", openAt(t, factory, header, now).LoadResult(), khufu.LoadMissing)
}

func TestTheTimeToLiveFollowsTimeout(t *testing.T) {
	for timeout, wanted := range map[time.Duration]func(time.Duration) bool{
		-1:          func(ttl time.Duration) bool { return ttl < 0 },
		0:           func(ttl time.Duration) bool { return ttl > 20*time.Minute && ttl < 21*time.Minute },
		time.Minute: func(ttl time.Duration) bool { return ttl >= time.Minute && ttl < 2*time.Minute },
	} {
		store := &ttlStore{}
		begin(t, newFactory(t, khufu.Options{CustomStore: store, Timeout: timeout}), map[string]any{"a": 1})
		if len(store.saved) != 1 || !wanted(store.saved[0]) {
			t.Errorf("with a timeout of %v a record is kept for %v", timeout, store.saved)
		}
	}
}

type ttlStore struct {
	MapStore
	saved []time.Duration
}

func (s *ttlStore) Save(key string, expected, generation uint64, record []byte, ttl time.Duration) error {
	s.saved = append(s.saved, ttl)
	return s.MapStore.Save(key, expected, generation, record, ttl)
}

// Every attempt to save ends in a conflict, so the commit tries again until the deadline.
func TestAContextsDeadlineEndsACommit(t *testing.T) {
	store := &brokenStore{}
	factory := newFactory(t, khufu.Options{CustomStore: store, StoreTimeout: time.Minute})
	session := openAt(t, factory, begin(t, factory, map[string]any{}), now)
	set(t, session, "a", 1)
	store.save = func() error { time.Sleep(time.Millisecond); return khufu.ErrConflict }
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := session.CommitContext(ctx)
	wantError(t, err, khufu.ErrConflict)
	wantError(t, err, context.DeadlineExceeded)
	if took := time.Since(start); took < 50*time.Millisecond || took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	store.save = nil
	commit(t, session)
}

func TestGoroutinesShareACustomStore(t *testing.T) {
	factory := newFactory(t, khufu.Options{CustomStore: new(MapStore), CustomSerializer: rot13{}, StoreTimeout: time.Minute})
	header := begin(t, factory, map[string]any{})
	var group sync.WaitGroup
	for worker := range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			for visit := range 100 {
				session, err := factory.Open(header, khufu.At(now))
				if err == nil {
					err = session.Flash([]int{worker, visit})
				}
				if err == nil {
					_, err = session.Commit()
				}
				if err != nil {
					t.Error(err)
					return
				}
				if visit%2 == 0 {
					session.Close()
				}
			}
		}()
	}
	group.Wait()
	var messages [][]int
	if err := openAt(t, factory, header, now).PeekFlash("", &messages); err != nil || len(messages) != 400 {
		t.Errorf("%d messages, %v", len(messages), err)
	}
}

func TestAStoreMayUseSessionsItself(t *testing.T) {
	inner := newFactory(t, khufu.Options{CustomStore: &brokenStore{load: func() error { return errors.New("inner") }}})
	innerHeader := begin(t, inner, map[string]any{"a": 1})
	store := &brokenStore{}
	store.load = func() error {
		_, err := inner.Open(innerHeader)
		wantFailure(t, err, khufu.ErrStore, "")
		deepen(1000)
		return errUnplugged
	}
	factory := newFactory(t, khufu.Options{CustomStore: store})
	_, err := factory.Open(begin(t, factory, map[string]any{"a": 1}))
	wantError(t, err, khufu.ErrStore)
	wantError(t, err, errUnplugged)
}

// deepen recurses, so that the goroutine's stack grows and moves.
func deepen(depth int) byte {
	var frame [256]byte
	if depth > 0 {
		frame[depth%256] = deepen(depth - 1)
	}
	return frame[depth%256]
}

func TestACustomStoreIsReleased(t *testing.T) {
	for name, end := range map[string]func(*khufu.Factory, *khufu.Session){
		"closed":      func(f *khufu.Factory, s *khufu.Session) { f.Close(); s.Close() },
		"unreachable": func(*khufu.Factory, *khufu.Session) {},
	} {
		t.Run(name, func(t *testing.T) {
			released := make(chan bool)
			factory, session := func() (*khufu.Factory, *khufu.Session) {
				store := &brokenStore{}
				runtime.AddCleanup(store, func(released chan bool) { close(released) }, released)
				factory, err := khufu.NewFactory(khufu.Options{Secret: secret, CustomStore: store})
				if err != nil {
					t.Fatal(err)
				}
				session, err := factory.Open("", khufu.At(now))
				if err != nil {
					t.Fatal(err)
				}
				return factory, session
			}()
			runtime.GC()
			select {
			case <-released:
				t.Error("released while it was in use")
			case <-time.After(10 * time.Millisecond):
			}
			set(t, session, "a", 1)
			commit(t, session)
			end(factory, session)
			wait(t, released)
		})
	}

	t.Run("refused", func(t *testing.T) {
		released := make(chan bool)
		func() {
			store := &brokenStore{}
			runtime.AddCleanup(store, func(released chan bool) { close(released) }, released)
			_, err := khufu.NewFactory(khufu.Options{CustomStore: store}) // without a secret
			wantError(t, err, khufu.ErrOption)
		}()
		wait(t, released)
	})
}
