package goredis_test

import (
	"errors"
	"strings"
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/goredis"
	"github.com/khufu/khufu/bindings/go/internal/redistest"
	"github.com/khufu/khufu/bindings/go/internal/storedriver"
)

// startLossy starts a server, and returns a driver that uses it through a proxy and one that uses
// it directly. The server knows the scripts.
func startLossy(t *testing.T) (p *proxy, lossy, direct driver) {
	t.Helper()
	server := redistest.Start(t)
	p = startProxy(t, server)
	direct = storedriver.New(t, newStore(t, connect(t, server.Socket), goredis.Options{}))
	for _, data := range lengths {
		direct.Want(direct.Remove(direct.Add(storedriver.NewName(), data, long), 0), nil)
	}
	return p, storedriver.New(t, newStore(t, connect(t, p.socket), goredis.Options{})), direct
}

// lengths are the data of a record that is passed to a script, and of one that is first set
// under a temporary key.
var lengths = []string{"data", strings.Repeat("x", 10_000)}

func TestASaveWhoseAnswerWasLostIsDistinguishedFromAnotherWriters(t *testing.T) {
	p, lossy, direct := startLossy(t)
	for _, data := range lengths {
		key := direct.Add("", "1"+data, long)
		direct.Want(direct.Put(key, 1, "", "2"+data, long), nil)
		lossy.Want(p.lost(lossy, func() error { return lossy.Put(key, 2, "", "3"+data, long) }), nil)
		direct.WantRecord(key, 3, "3"+data)
		// The first request may have succeeded before the other writer saved.
		direct.Want(direct.Put(key, 3, "", "of another", long), nil)
		err := p.lost(lossy, func() error { return lossy.Put(key, 3, "", "4"+data, long) })
		if err == nil || errors.Is(err, khufu.ErrConflict) || !strings.Contains(err.Error(), "commit again") {
			t.Errorf("the error is %v", err)
		}
		direct.WantRecord(key, 4, "of another")
		direct.Want(direct.Remove(key, 0), nil)
		lossy.Want(p.lost(lossy, func() error { return lossy.Put(key, 4, "", "5"+data, long) }), khufu.ErrGone)
	}
}

func TestATouchWhoseAnswerWasLostIsRepeated(t *testing.T) {
	p, lossy, direct := startLossy(t)
	for _, data := range lengths {
		subject := storedriver.NewName()
		key := direct.Add(subject, "data", long)
		touch := func(generation uint64) error {
			return p.lost(lossy, func() error { return lossy.Extend(key, generation, subject, "touched"+data, long) })
		}
		lossy.Want(touch(1), nil)
		direct.WantRecord(key, 1, "touched"+data)
		direct.Want(direct.Put(key, 1, subject, "more", long), nil)
		lossy.Want(touch(1), khufu.ErrConflict)
		direct.Want(direct.Remove(key, 0), nil)
		lossy.Want(touch(2), khufu.ErrGone)
	}
}

func TestARemovalWhoseAnswerWasLostSucceeds(t *testing.T) {
	p, lossy, direct := startLossy(t)
	for _, expected := range []uint64{0, 1} {
		key := direct.Add("", "data", long)
		lossy.Want(p.lost(lossy, func() error { return lossy.Remove(key, expected) }), nil)
		direct.WantRecord(key, 0, "")
	}
	key := direct.Add("", "data", long)
	lossy.Want(p.lost(lossy, func() error { return lossy.Remove(key, 2) }), khufu.ErrConflict)
}

func TestAnInsertIsSentOnce(t *testing.T) {
	p, lossy, direct := startLossy(t)
	for _, data := range lengths {
		key := storedriver.NewName()
		p.connect(lossy)
		before := p.requests.Load()
		if err := p.lost(lossy, func() error { return lossy.Put(key, 0, "", data, long) }); err == nil {
			t.Error("an insert without an answer succeeded")
		}
		if sent := p.requests.Load() - before; sent != 3 {
			t.Errorf("%d requests were sent, not two to connect and one to save", sent)
		}
		direct.WantRecord(key, 1, data)
	}
}

func TestEveryCallIsOneRoundTrip(t *testing.T) {
	p, lossy, direct := startLossy(t)
	subject, key := storedriver.NewName(), storedriver.NewName()
	direct.Members(subject) // so that the server knows this script, too
	p.connect(lossy)
	for name, call := range map[string]func() error{
		"load":      func() error { _, _, err := lossy.Load(key); return err },
		"save":      func() error { return lossy.Put(storedriver.NewName(), 0, subject, "data", long) },
		"long save": func() error { return lossy.Put(storedriver.NewName(), 0, subject, lengths[1], long) },
		"touch":     func() error { return lossy.Extend(key, 1, subject, "data", long) },
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
	storedriver.CheckLostAnswers(t, lossy.SubjectStore, direct.SubjectStore, func(call func() error) error {
		return p.lost(lossy, call)
	})
}
