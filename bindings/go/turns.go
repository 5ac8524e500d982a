package khufu

import (
	"context"
	"hash/maphash"
	"time"
)

// A customStore is a factory's custom store. The factory's commits to the same session take turns,
// so that they do not conflict with each other.
type customStore struct {
	Store
	seed  maphash.Seed
	turns [256]chan struct{} // two sessions may share one, and then also wait for each other
}

func newCustomStore(store Store) *customStore {
	if store == nil {
		return nil
	}
	custom := &customStore{Store: store, seed: maphash.MakeSeed()}
	for i := range custom.turns {
		custom.turns[i] = make(chan struct{}, 1)
	}
	return custom
}

// longestTurn is how long a commit waits for its turn. It then saves without a turn, and the store
// finds a conflict, if there is one: a store that uses sessions itself must not wait for itself.
const longestTurn = time.Second

// takeTurn waits for the turn of the session with this key. It returns a function that ends the
// turn.
func (c *customStore) takeTurn(ctx context.Context, key string) (end func()) {
	turn := c.turns[maphash.String(c.seed, key)%uint64(len(c.turns))]
	select {
	case turn <- struct{}{}:
		return func() { <-turn }
	default:
	}
	limit := time.NewTimer(longestTurn)
	defer limit.Stop()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }
	case <-limit.C:
	case <-ctx.Done():
	}
	return func() {}
}
