package khufu

// #include "callbacks.h"
import "C"

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A dialog makes the calls of a custom store that one call on a session needs. It makes them
// outside of the core, because a goroutine that waits in a callback of C keeps its thread, and Go
// then needs another thread for the other goroutines.
//
// The core asks its questions in callbacks. If the dialog does not have the answer yet, the call of
// the core ends with KHUFU_ERR_PENDING. The dialog then gets the answer from the store, and the
// call of the core is made again.
type dialog struct {
	store   *customStore
	ctx     context.Context
	endTurn func()
	replies []reply
	used    int // how many replies the current call of the core has gone through
	pending question
	ask     func(Store) reply // asks the pending question
}

// A question is a call of a custom store.
type question struct {
	method               string
	subject, key         string
	expected, generation uint64
	record               string
	ttl                  time.Duration
}

// A reply is what a call of a custom store returned.
type reply struct {
	question
	record     []byte
	generation uint64
	err        error
}

// newDialog begins a call on a session. It returns nil if the store is the core's own.
func newDialog(ctx context.Context, store *customStore) *dialog {
	if store == nil {
		return nil
	}
	return &dialog{store: store, ctx: ctx}
}

// end ends a call on a session.
func (d *dialog) end() {
	if d != nil && d.endTurn != nil {
		d.endTurn()
	}
}

// reply returns the reply to a question, or errPending if the store was not asked yet. When a call
// of the core is made again, the core asks its questions in the same order, except those about
// steps that it has finished. The replies to these are dropped.
func (d *dialog) reply(q question, ask func(Store) reply) reply {
	for d.used < len(d.replies) {
		found := d.replies[d.used]
		if found.question == q {
			d.used++
			return found
		}
		d.replies = slices.Delete(d.replies, d.used, d.used+1)
	}
	d.pending, d.ask = q, ask
	return reply{err: errPending}
}

// goesOn reports whether a call of the core must be made again, because it ended without an answer.
// In that case, it first asks the store the pending question.
func (d *dialog) goesOn(status C.khufu_status) bool {
	if status != C.KHUFU_ERR_PENDING {
		return false
	}
	if writes := d.pending.method == "Save" || d.pending.method == "Touch"; writes && d.endTurn == nil {
		d.endTurn = d.store.takeTurn(d.ctx, d.pending.key)
	}
	found := d.askStore()
	found.question = d.pending
	d.replies, d.used = append(d.replies, found), 0
	return true
}

func (d *dialog) askStore() (found reply) {
	defer func() {
		if fault := recover(); fault != nil {
			found = reply{err: panicError(fault)}
		}
	}()
	store := d.store.Store
	if taking, ok := store.(ContextStore); ok {
		store = taking.WithContext(d.ctx)
	}
	return d.ask(store)
}

func panicError(fault any) error {
	if err, isError := fault.(error); isError {
		return fmt.Errorf("panic: %w", err)
	}
	return fmt.Errorf("panic: %v", fault)
}

func (d *dialog) Load(key string) ([]byte, uint64, error) {
	found := d.reply(question{method: "Load", key: key}, func(store Store) (r reply) {
		r.record, r.generation, r.err = store.Load(key)
		return r
	})
	return found.record, found.generation, found.err
}

func (d *dialog) Save(key string, expected, generation uint64, record []byte, ttl time.Duration) error {
	q := question{method: "Save", key: key, expected: expected, generation: generation, record: string(record), ttl: ttl}
	return d.reply(q, func(store Store) reply {
		return reply{err: store.Save(key, expected, generation, record, ttl)}
	}).err
}

func (d *dialog) Touch(key string, generation uint64, record []byte, ttl time.Duration) error {
	q := question{method: "Touch", key: key, generation: generation, record: string(record), ttl: ttl}
	return d.reply(q, func(store Store) reply {
		return reply{err: store.Touch(key, generation, record, ttl)}
	}).err
}

func (d *dialog) Remove(key string, expected uint64) error {
	return d.reply(question{method: "Remove", key: key, expected: expected}, func(store Store) reply {
		return reply{err: store.Remove(key, expected)}
	}).err
}

func (d *dialog) List(subject, key string, ttl time.Duration) error {
	return d.reply(question{method: "List", subject: subject, key: key, ttl: ttl}, func(store Store) reply {
		return reply{err: store.(SubjectStore).List(subject, key, ttl)}
	}).err
}

func (d *dialog) Unlist(subject, key string) error {
	return d.reply(question{method: "Unlist", subject: subject, key: key}, func(store Store) reply {
		return reply{err: store.(SubjectStore).Unlist(subject, key)}
	}).err
}

// Members is never called, because only a call on a [Subject] asks for it, and that uses no dialog.
func (d *dialog) Members(string) ([]string, error) { return nil, errPending }
