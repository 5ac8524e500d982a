package khufu_test

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

func TestNothingLeaks(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	stored := newFactory(t, khufu.Options{CustomStore: contextStore{MapStore: new(MapStore)}, CustomSerializer: rot13{}})
	storedHeader := begin(t, stored, map[string]any{"pad": strings.Repeat("x", 2900)})
	broken := &brokenStore{load: func() error { panic("pulled") }}
	unplugged := newFactory(t, khufu.Options{CustomStore: broken})
	unpluggedHeader := begin(t, unplugged, map[string]any{})
	memory := newFactory(t, khufu.Options{Type: khufu.Stored})
	for range 20 {
		login(t, memory, "user-42")
	}
	subject := memory.Subject("user-42")
	full := openAt(t, factory, "", now)
	set(t, full, "pad", strings.Repeat("x", 2900))
	header := commit(t, full)
	use := func(session *khufu.Session, err error) *khufu.Session {
		if err != nil {
			t.Fatal(err)
		}
		if session.Len() != 1 || session.Set("a", 1) != nil || commit(t, session) == "" {
			t.Fatal("the session is not usable")
		}
		return session
	}
	for _, row := range []struct {
		name   string
		times  int
		growth int // in MiB; a leak would take more
		work   func()
	}{
		{"closed sessions", 20_000, 16, func() { use(factory.Open(header, khufu.At(now))).Close() }},
		{"unreachable sessions", 100_000, 200, func() { use(factory.Open(header, khufu.At(now))) }},
		{"sessions that fail to open", 200_000, 24, func() { factory.Open(header, khufu.At(time.Time{})) }},
		{"sessions in a store", 10_000, 16, func() {
			session, err := stored.Open(storedHeader, khufu.At(now))
			if err != nil {
				t.Fatal(err)
			}
			session.Set("a", 1)
			commit(t, session)
			session.Close()
		}},
		{"sessions whose store fails", 100_000, 16, func() { unplugged.Open(unpluggedHeader, khufu.At(now)) }},
		{"factories with a store", 20_000, 24, func() {
			factory, _ := khufu.NewFactory(khufu.Options{Secret: secret, CustomStore: broken, CustomSerializer: rot13{}})
			factory.Close()
		}},
		{"a subject's sessions", 2_000, 16, func() {
			if _, err := subject.Sessions(); err != nil {
				t.Fatal(err)
			}
		}},
		{"closed factories", 50_000, 24, func() {
			factory, _ := khufu.NewFactory(khufu.Options{Secret: secret, PreviousSecrets: []string{secret}})
			factory.Close()
		}},
		{"unreachable factories", 100_000, 80, func() { khufu.NewFactory(khufu.Options{Secret: secret, PreviousSecrets: []string{secret}}) }},
		{"factories that cannot be made", 100_000, 8, func() { khufu.NewFactory(khufu.Options{Secret: secret, Type: "sealed"}) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			work := func() {
				for range row.times {
					row.work()
				}
				runtime.GC()
			}
			work() // warm up, so that the memory in use is stable
			before := residentMiB(t)
			work()
			growth := residentMiB(t) - before
			t.Logf("%d MiB more after %d times", growth, row.times)
			if growth > row.growth {
				t.Errorf("%d MiB more", growth)
			}
		})
	}
}

// residentMiB returns the resident memory of this process, which Linux writes in /proc.
func residentMiB(t *testing.T) int {
	t.Helper()
	statm, err := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(statm)
	if err != nil || len(fields) < 2 {
		t.Fatalf("%q, %v", statm, err)
	}
	pages, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize() >> 20
}
