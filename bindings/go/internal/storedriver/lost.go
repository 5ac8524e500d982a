package storedriver

import (
	"errors"
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
)

// CheckLostAnswers tests that no change is made twice if the store makes a change but its answer
// is lost. The function lose makes a call to the lossy store and loses its first answer. The
// other store has the same records.
func CheckLostAnswers(t *testing.T, lossy, direct khufu.Store, lose func(call func() error) error) {
	session := NewSession(t, NewFactory(t, khufu.Options{CustomStore: lossy}))
	commit := func() error { _, err := session.Commit(); return err }
	for _, paid := range []int{1, 2} {
		err := session.Append("paid", paid)
		if err == nil {
			err = lose(commit)
		}
		if paid == 1 && !errors.Is(err, khufu.ErrStore) {
			t.Errorf("the first save ends with %v", err)
		}
		if errors.Is(err, khufu.ErrStore) {
			err = commit()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	value, err := session.Value()
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewFactory(t, khufu.Options{CustomStore: direct}).OpenValue(t.Context(), value)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if state, err := again.ToJSON(); err != nil || string(state) != `{"paid":[1,2]}` {
		t.Errorf("the state is %s, %v", state, err)
	}
}
