package khufu_test

import (
	"context"
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
)

// A contextStore is a MapStore that can note the context of each call, and fails once it is done.
type contextStore struct {
	*MapStore
	ctx      context.Context
	contexts *[]context.Context // where to note them, if not nil
	onLoad   func()             // called by each load, if not nil
	onRemove func()             // called by each removal, if not nil
}

func (c contextStore) WithContext(ctx context.Context) khufu.Store {
	if c.contexts != nil {
		*c.contexts = append(*c.contexts, ctx)
	}
	c.ctx = ctx
	return c
}

func (c contextStore) Load(key string) ([]byte, uint64, error) {
	if err := c.begin(c.onLoad); err != nil {
		return nil, 0, err
	}
	return c.MapStore.Load(key)
}

func (c contextStore) Remove(key string, expected uint64) error {
	if err := c.begin(c.onRemove); err != nil {
		return err
	}
	return c.MapStore.Remove(key, expected)
}

func (c contextStore) begin(before func()) error {
	if before != nil {
		before()
	}
	if c.ctx == nil {
		return nil
	}
	return c.ctx.Err()
}

func TestAContextStoreGetsTheContextOfEachCall(t *testing.T) {
	type name struct{}
	var contexts []context.Context
	factory := newFactory(t, khufu.Options{CustomStore: contextStore{MapStore: new(MapStore), contexts: &contexts}})
	header, id := login(t, factory, "user-42")
	contexts = nil

	ctx := context.WithValue(context.Background(), name{}, "open")
	session, err := factory.OpenContext(ctx, header, khufu.At(now))
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	set(t, session, "b", 2)
	if _, err := session.CommitContext(context.WithValue(ctx, name{}, "commit")); err != nil {
		t.Fatal(err)
	}
	var names []any
	for _, ctx := range contexts {
		names = append(names, ctx.Value(name{}))
	}
	if len(names) != 3 || names[0] != "open" || names[1] != "commit" || names[2] != "commit" {
		t.Errorf("the contexts are those of %v, not of one load, one list and one save", names)
	}

	contexts = nil
	if err := factory.Subject("user-42").Revoke(id); err != nil || len(contexts) != 0 {
		t.Errorf("revoked with %d contexts, %v", len(contexts), err)
	}
}

func TestACancelledContextInterruptsAContextStore(t *testing.T) {
	store := contextStore{MapStore: new(MapStore)}
	header := begin(t, newFactory(t, khufu.Options{CustomStore: store}), map[string]any{"a": 1})
	ctx, cancel := context.WithCancel(context.Background())
	store.onLoad = cancel
	_, err := newFactory(t, khufu.Options{CustomStore: store}).OpenContext(ctx, header)
	wantError(t, err, khufu.ErrStore)
	wantError(t, err, context.Canceled)
}
