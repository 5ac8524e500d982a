package storedriver

import (
	"context"
	"errors"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// NewFactory returns a factory that is closed after the test.
func NewFactory(t testing.TB, options khufu.Options) *khufu.Factory {
	t.Helper()
	options.Secret = "itsaseekreet"
	factory, err := khufu.NewFactory(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { factory.Close() })
	return factory
}

// NewSession returns a new session, which is closed after the test.
func NewSession(t testing.TB, factory *khufu.Factory) *khufu.Session {
	t.Helper()
	session, err := factory.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

// A Start returns a store with a timeout, and a function that makes it hang until the test ends.
type Start func(t *testing.T, timeout time.Duration) (store khufu.Store, hang func())

// CheckWaiting tests that a commit to a store that hangs ends in time.
func CheckWaiting(t *testing.T, start Start) {
	deadline := func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, 50*time.Millisecond)
	}
	cancelled := func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(50*time.Millisecond, cancel)
		return ctx, cancel
	}
	for name, row := range map[string]struct {
		timeout time.Duration // of the store
		context func(context.Context) (context.Context, context.CancelFunc)
		wanted  []error
	}{
		"at the store's timeout": {50 * time.Millisecond, context.WithCancel, []error{khufu.ErrStore}},
		"at the deadline":        {time.Hour, deadline, []error{khufu.ErrStore, context.DeadlineExceeded}},
		"when it is cancelled":   {time.Hour, cancelled, []error{khufu.ErrStore, context.Canceled}},
	} {
		t.Run("a call ends "+name, func(t *testing.T) {
			_, session := hanging(t, row.timeout, start)
			ctx, cancel := row.context(t.Context())
			defer cancel()
			_, err := session.CommitContext(ctx)
			for _, wanted := range row.wanted {
				if !errors.Is(err, wanted) {
					t.Errorf("the error is %v, not %v", err, wanted)
				}
			}
			if !session.IsChanged() {
				t.Error("the session has lost its changes")
			}
		})
	}
	t.Run("a call whose context is done fails at once", func(t *testing.T) {
		factory, session := hanging(t, time.Hour, start)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := factory.OpenContext(ctx, "")
		_, commitErr := session.CommitContext(ctx)
		if err != context.Canceled || commitErr != context.Canceled {
			t.Errorf("%v, %v", err, commitErr)
		}
	})
}

// hanging returns an open session that has a change to commit, in a store that hangs.
func hanging(t *testing.T, timeout time.Duration, start Start) (*khufu.Factory, *khufu.Session) {
	t.Helper()
	store, hang := start(t, timeout)
	factory := NewFactory(t, khufu.Options{CustomStore: store})
	session := NewSession(t, factory)
	session.Set("a", 1)
	var err error
	for range 10 { // the store's timeout may be short
		if _, err = session.Commit(); !errors.Is(err, khufu.ErrStore) {
			break
		}
	}
	if err = errors.Join(err, session.Set("b", 2)); err != nil {
		t.Fatal(err)
	}
	hang()
	return factory, session
}
