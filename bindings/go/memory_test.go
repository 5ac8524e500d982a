package khufu_test

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// calls are all methods of a session, by name.
var calls = map[string]func(*khufu.Session){
	"Get":            func(s *khufu.Session) { var v []any; s.Get("user", &v) },
	"GetString":      func(s *khufu.Session) { s.GetString(strings.Repeat("user", 20)) },
	"GetInt64":       func(s *khufu.Session) { s.GetInt64("user") },
	"GetFloat64":     func(s *khufu.Session) { s.GetFloat64("user") },
	"GetBool":        func(s *khufu.Session) { s.GetBool("user") },
	"GetJSON":        func(s *khufu.Session) { s.GetJSON("user") },
	"ToJSON":         func(s *khufu.Session) { s.ToJSON() },
	"Contains":       func(s *khufu.Session) { s.Contains("user") },
	"Len":            func(s *khufu.Session) { s.Len() },
	"All":            func(s *khufu.Session) { s.All()(func(string, json.RawMessage) bool { return true }) },
	"Keys":           func(s *khufu.Session) { s.Keys()(func(string) bool { return true }) },
	"Set null":       func(s *khufu.Session) { s.Set("a", nil) },
	"Set string":     func(s *khufu.Session) { s.Set("a", strings.Repeat("x", 100)) },
	"Set bool":       func(s *khufu.Session) { s.Set("a", true) },
	"Set int":        func(s *khufu.Session) { s.Set("a", 1) },
	"Set float64":    func(s *khufu.Session) { s.Set("a", 1.5) },
	"Set list":       func(s *khufu.Session) { s.Set("a", []int{1}) },
	"SetDefault":     func(s *khufu.Session) { var v any; s.SetDefault("user", 1, &v) },
	"Update":         func(s *khufu.Session) { s.Update(map[string]int{"a": 1}) },
	"Append":         func(s *khufu.Session) { s.Append("list", []int{1}) },
	"Increment":      func(s *khufu.Session) { s.Increment("number", 1) },
	"Value":          func(s *khufu.Session) { s.Value() },
	"SetLifetime":    func(s *khufu.Session) { s.SetLifetime(time.Hour) },
	"SetAttribute":   func(s *khufu.Session) { s.SetAttribute("secure", "true") },
	"Subject":        func(s *khufu.Session) { s.Subject() },
	"Delete":         func(s *khufu.Session) { s.Delete("user") },
	"Pop":            func(s *khufu.Session) { var v any; s.Pop("user", &v) },
	"Clear":          func(s *khufu.Session) { s.Clear() },
	"Flash":          func(s *khufu.Session) { s.Flash("x", khufu.Queue("q")) },
	"Flash list":     func(s *khufu.Session) { s.Flash([]int{1}) },
	"PopFlash":       func(s *khufu.Session) { var v any; s.PopFlash("", &v) },
	"PeekFlash":      func(s *khufu.Session) { var v any; s.PeekFlash("", &v) },
	"CSRFToken":      func(s *khufu.Session) { s.CSRFToken() },
	"NewCSRFToken":   func(s *khufu.Session) { s.NewCSRFToken() },
	"CheckCSRFToken": func(s *khufu.Session) { s.CheckCSRFToken("x") },
	"Created":        func(s *khufu.Session) { s.Created() },
	"Accessed":       func(s *khufu.Session) { s.Accessed() },
	"Renewed":        func(s *khufu.Session) { s.Renewed() },
	"IsNew":          func(s *khufu.Session) { s.IsNew() },
	"IsChanged":      func(s *khufu.Session) { s.IsChanged() },
	"LoadResult":     func(s *khufu.Session) { s.LoadResult() },
	"LoadFormat":     func(s *khufu.Session) { s.LoadFormat() },
	"MarkChanged":    func(s *khufu.Session) { s.MarkChanged() },
	"Invalidate":     func(s *khufu.Session) { s.Invalidate() },
	"Commit":         func(s *khufu.Session) { s.Commit() },
	"CommitTo":       func(s *khufu.Session) { s.CommitTo(map[string][]string{}) },
	"ID":             func(s *khufu.Session) { s.ID() },
	"RegenerateID":   func(s *khufu.Session) { s.RegenerateID() },
	"SetSubject":     func(s *khufu.Session) { s.SetSubject("x") },
	"Close":          func(s *khufu.Session) { s.Close() },
}

func TestNoSessionIsFreedDuringACall(t *testing.T) {
	t.Run("cookie", func(t *testing.T) { testCalls(t, newFactory(t, khufu.Options{}), signed(genuine)) })
	factory := newFactory(t, khufu.Options{CustomStore: new(MapStore), CustomSerializer: rot13{}})
	t.Run("store", func(t *testing.T) { testCalls(t, factory, begin(t, factory, map[string]any{"user": "ada"})) })
}

func testCalls(t *testing.T, factory *khufu.Factory, header string) {
	defer khufu.SetDuringCall(func() {})
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			session, err := factory.Open(header, khufu.At(now))
			if err != nil {
				t.Fatal(err)
			}
			freed := make(chan bool)
			runtime.AddCleanup(session, func(freed chan bool) { close(freed) }, freed)
			khufu.SetDuringCall(func() {
				runtime.GC()
				select {
				case <-freed:
					t.Error("freed during the call")
				case <-time.After(time.Millisecond):
				}
			})
			call(session)
			khufu.SetDuringCall(func() {})
			wait(t, freed)
		})
	}
}

func TestNoFactoryIsFreedDuringACall(t *testing.T) {
	defer khufu.SetDuringCall(func() {})
	for name, open := range map[string]func(*khufu.Factory) (*khufu.Session, error){
		"Open":      func(f *khufu.Factory) (*khufu.Session, error) { return f.Open(signed(genuine)) },
		"At":        func(f *khufu.Factory) (*khufu.Session, error) { return f.Open(signed(genuine), khufu.At(now)) },
		"OpenValue": func(f *khufu.Factory) (*khufu.Session, error) { return f.OpenValue(context.Background(), "x") },
	} {
		t.Run(name, func(t *testing.T) {
			factory, err := khufu.NewFactory(khufu.Options{Secret: secret})
			if err != nil {
				t.Fatal(err)
			}
			freed := make(chan bool)
			runtime.AddCleanup(factory, func(freed chan bool) { close(freed) }, freed)
			khufu.SetDuringCall(func() {
				runtime.GC()
				select {
				case <-freed:
					t.Error("freed during the call")
				case <-time.After(time.Millisecond):
				}
			})
			session, err := open(factory)
			khufu.SetDuringCall(func() {})
			wait(t, freed)
			// The session stays usable after its factory is freed.
			if err != nil || session.Set("a", 1) != nil || commit(t, session) == "" {
				t.Errorf("the session: %v", err)
			}
		})
	}
}

func wait(t *testing.T, freed chan bool) {
	t.Helper()
	for range 100 {
		runtime.GC()
		select {
		case <-freed:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Error("never freed")
}

func TestGoroutinesShareAFactory(t *testing.T) {
	factory := newFactory(t, khufu.Options{Timeout: -1})
	var group sync.WaitGroup
	for worker := range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			header := ""
			for visit := range 300 {
				session, err := factory.Open(header)
				if err != nil {
					t.Error(err)
					return
				}
				visits, _ := khufu.Get[int](session, "visits")
				if visits != visit*worker {
					t.Errorf("worker %d has %d visits after %d", worker, visits, visit)
				}
				session.Set("visits", visits+worker)
				header = commit(t, session)
				if visit%2 == 0 {
					session.Close()
				}
			}
		}()
	}
	group.Wait()
}

func TestAFactoryMayBeClosedWhileGoroutinesOpen(t *testing.T) {
	for range 20 {
		factory := newFactory(t, khufu.Options{})
		var group sync.WaitGroup
		var opened atomic.Int64
		for range 4 {
			group.Add(1)
			go func() {
				defer group.Done()
				for {
					session, err := factory.Open(signed(genuine), khufu.At(now))
					if errors.Is(err, khufu.ErrClosed) {
						return
					}
					if err != nil || session.Len() != 1 {
						t.Errorf("%v", err)
						return
					}
					opened.Add(1)
					session.Close()
				}
			}()
		}
		for opened.Load() < 10 {
			runtime.Gosched()
		}
		factory.Close()
		group.Wait()
	}
}
