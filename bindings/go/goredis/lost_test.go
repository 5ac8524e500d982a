package goredis_test

import (
	"errors"
	"strings"
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/goredis"
	"github.com/khufu/khufu/bindings/go/internal/redistest"
)

// startLossy starts a server, and returns a driver that uses it through a proxy and one that uses
// it directly. The server knows the scripts.
func startLossy(t *testing.T) (p *proxy, lossy, direct driver) {
	t.Helper()
	server := redistest.Start(t)
	p = startProxy(t, server)
	direct = driver{t, newStore(t, connect(t, server.Socket), goredis.Options{})}
	for _, data := range lengths {
		direct.want(direct.Remove(direct.saved(newName(), data, long), 0), nil)
	}
	return p, driver{t, newStore(t, connect(t, p.socket), goredis.Options{})}, direct
}

// lengths are the data of a record that is passed to a script, and of one that is first set
// under a temporary key.
var lengths = []string{"data", strings.Repeat("x", 10_000)}

func TestASaveWhoseAnswerWasLostIsDistinguishedFromAnotherWriters(t *testing.T) {
	p, lossy, direct := startLossy(t)
	for _, data := range lengths {
		key := direct.saved("", "1"+data, long)
		direct.want(direct.save(key, 1, "", "2"+data, long), nil)
		lossy.want(p.lost(lossy, func() error { return lossy.save(key, 2, "", "3"+data, long) }), nil)
		direct.wantRecord(key, 3, "3"+data)
		// The first request may have succeeded before the other writer saved.
		direct.want(direct.save(key, 3, "", "of another", long), nil)
		err := p.lost(lossy, func() error { return lossy.save(key, 3, "", "4"+data, long) })
		if err == nil || errors.Is(err, khufu.ErrConflict) || !strings.Contains(err.Error(), "commit again") {
			t.Errorf("the error is %v", err)
		}
		direct.wantRecord(key, 4, "of another")
		direct.want(direct.Remove(key, 0), nil)
		lossy.want(p.lost(lossy, func() error { return lossy.save(key, 4, "", "5"+data, long) }), khufu.ErrGone)
	}
}

func TestATouchWhoseAnswerWasLostIsRepeated(t *testing.T) {
	p, lossy, direct := startLossy(t)
	for _, data := range lengths {
		subject := newName()
		key := direct.saved(subject, "data", long)
		touch := func(generation uint64) error {
			return p.lost(lossy, func() error { return lossy.touch(key, generation, subject, "touched"+data, long) })
		}
		lossy.want(touch(1), nil)
		direct.wantRecord(key, 1, "touched"+data)
		direct.want(direct.save(key, 1, subject, "more", long), nil)
		lossy.want(touch(1), khufu.ErrConflict)
		direct.want(direct.Remove(key, 0), nil)
		lossy.want(touch(2), khufu.ErrGone)
	}
}

func TestARemovalWhoseAnswerWasLostSucceeds(t *testing.T) {
	p, lossy, direct := startLossy(t)
	for _, expected := range []uint64{0, 1} {
		key := direct.saved("", "data", long)
		lossy.want(p.lost(lossy, func() error { return lossy.Remove(key, expected) }), nil)
		direct.wantRecord(key, 0, "")
	}
	key := direct.saved("", "data", long)
	lossy.want(p.lost(lossy, func() error { return lossy.Remove(key, 2) }), khufu.ErrConflict)
}

func TestAnInsertIsSentOnce(t *testing.T) {
	p, lossy, direct := startLossy(t)
	for _, data := range lengths {
		key := newName()
		lossy.connect()
		before := p.requests.Load()
		if err := p.lost(lossy, func() error { return lossy.save(key, 0, "", data, long) }); err == nil {
			t.Error("an insert without an answer succeeded")
		}
		if sent := p.requests.Load() - before; sent != 3 {
			t.Errorf("%d requests were sent, not two to connect and one to save", sent)
		}
		direct.wantRecord(key, 1, data)
	}
}

func TestEveryCallIsOneRoundTrip(t *testing.T) {
	p, lossy, direct := startLossy(t)
	subject, key := newName(), newName()
	direct.Members(subject) // so that the server knows this script, too
	lossy.connect()
	for name, call := range map[string]func() error{
		"load":      func() error { _, _, err := lossy.Load(key); return err },
		"save":      func() error { return lossy.save(newName(), 0, subject, "data", long) },
		"long save": func() error { return lossy.save(newName(), 0, subject, lengths[1], long) },
		"touch":     func() error { return lossy.touch(key, 1, subject, "data", long) },
		"remove":    func() error { return lossy.Remove(key, 1) },
		"members":   func() error { _, err := lossy.Members(subject); return err },
	} {
		before := p.requests.Load()
		call()
		if sent := p.requests.Load() - before; sent != 1 {
			t.Errorf("%s is %d requests", name, sent)
		}
	}
}

func TestACommitWhoseAnswerWasLostMakesNoChangeTwice(t *testing.T) {
	p, lossy, direct := startLossy(t)
	factory := newFactory(t, khufu.Options{CustomStore: lossy.Store})
	session, err := factory.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	commit := func() error { _, err := session.Commit(); return err }
	lossy.want(session.Append("paid", 1), nil)
	lossy.want(p.lost(lossy, commit), khufu.ErrStore) // an insert
	lossy.want(commit(), nil)
	lossy.want(session.Append("paid", 2), nil)
	lossy.want(p.lost(lossy, commit), nil)
	value, err := session.Value()
	if err != nil {
		t.Fatal(err)
	}
	again, err := newFactory(t, khufu.Options{CustomStore: direct.Store}).OpenValue(t.Context(), value)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if state, err := again.ToJSON(); err != nil || string(state) != `{"paid":[1,2]}` {
		t.Errorf("the state is %s, %v", state, err)
	}
}
