package khufu_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

func TestAnErrorHasAStatusAndAMessage(t *testing.T) {
	session := newSession(t)
	set(t, session, "name", "Zoë")
	_, err := session.GetInt64("name")
	var detailed *khufu.Error
	if !errors.As(err, &detailed) {
		t.Fatalf("%T is not a *khufu.Error", err)
	}
	wantEqual(t, "the status", detailed.Status, khufu.ErrType)
	if !strings.HasPrefix(err.Error(), "khufu: ") || !strings.Contains(err.Error(), "name") || strings.Contains(err.Error(), "Zoë") {
		t.Errorf("the message is %q", err)
	}
	wantEqual(t, "whether it is ErrNotFound", errors.Is(err, khufu.ErrNotFound), false)

	_, err = session.GetInt64("missing")
	if !errors.Is(err, khufu.ErrNotFound) || !errors.As(err, &detailed) || strings.Contains(err.Error(), "name") {
		t.Errorf("the message is %q", err)
	}
}

func TestEveryStatusHasAMessage(t *testing.T) {
	seen := map[string]bool{}
	for _, status := range []khufu.Status{
		khufu.ErrNotFound, khufu.ErrArgument, khufu.ErrUTF8, khufu.ErrJSON, khufu.ErrType, khufu.ErrRange,
		khufu.ErrTooLarge, khufu.ErrOption, khufu.ErrUnsupported, khufu.ErrRandom, khufu.ErrInternal,
		khufu.ErrStore, khufu.ErrConflict, khufu.ErrGone, khufu.ErrKey, khufu.Status(-1),
	} {
		message := (&khufu.Error{Status: status}).Error()
		if message != status.Error() || len(message) < 12 || seen[message] {
			t.Errorf("status %d: %q", status, message)
		}
		seen[message] = true
	}
}

// reads are the calls that read a session and return an error.
var reads = map[string]func(*khufu.Session) error{
	"Get":         func(s *khufu.Session) error { return s.Get("user", new(any)) },
	"Get[string]": func(s *khufu.Session) error { _, err := khufu.Get[string](s, "user"); return err },
	"GetString":   func(s *khufu.Session) error { _, err := s.GetString("user"); return err },
	"GetInt64":    func(s *khufu.Session) error { _, err := s.GetInt64("user"); return err },
	"GetFloat64":  func(s *khufu.Session) error { _, err := s.GetFloat64("user"); return err },
	"GetBool":     func(s *khufu.Session) error { _, err := s.GetBool("user"); return err },
	"GetJSON":     func(s *khufu.Session) error { _, err := s.GetJSON("user"); return err },
	"ToJSON":      func(s *khufu.Session) error { _, err := s.ToJSON(); return err },
	"Value":       func(s *khufu.Session) error { _, err := s.Value(); return err },
	"Subject":     func(s *khufu.Session) error { _, err := s.Subject(); return err },
	"PeekFlash":   func(s *khufu.Session) error { return s.PeekFlash("", new(any)) },
	"ID":          func(s *khufu.Session) error { _, err := s.ID(); return err },
}

// changes are the calls that change a session.
var changes = map[string]func(*khufu.Session) error{
	"Set null":        func(s *khufu.Session) error { return s.Set("user", nil) },
	"Set string":      func(s *khufu.Session) error { return s.Set("user", "x") },
	"Set bool":        func(s *khufu.Session) error { return s.Set("user", true) },
	"Set int":         func(s *khufu.Session) error { return s.Set("user", 1) },
	"Set int64":       func(s *khufu.Session) error { return s.Set("user", int64(1)) },
	"Set float":       func(s *khufu.Session) error { return s.Set("user", 1.5) },
	"Set list":        func(s *khufu.Session) error { return s.Set("user", []int{}) },
	"SetDefault":      func(s *khufu.Session) error { return s.SetDefault("user", 1, new(any)) },
	"Update":          func(s *khufu.Session) error { return s.Update(map[string]int{}) },
	"Append":          func(s *khufu.Session) error { return s.Append("list", 1) },
	"Increment":       func(s *khufu.Session) error { _, err := s.Increment("number", 1); return err },
	"SetLifetime":     func(s *khufu.Session) error { return s.SetLifetime(time.Hour) },
	"SetAttribute":    func(s *khufu.Session) error { return s.SetAttribute("secure", "true") },
	"Delete":          func(s *khufu.Session) error { return s.Delete("user") },
	"Pop":             func(s *khufu.Session) error { return s.Pop("user", new(any)) },
	"Clear":           func(s *khufu.Session) error { return s.Clear() },
	"Flash":           func(s *khufu.Session) error { return s.Flash("x") },
	"Flash list":      func(s *khufu.Session) error { return s.Flash([]int{}) },
	"PopFlash":        func(s *khufu.Session) error { return s.PopFlash("", new(any)) },
	"CSRFToken":       func(s *khufu.Session) error { _, err := s.CSRFToken(); return err },
	"NewCSRFToken":    func(s *khufu.Session) error { _, err := s.NewCSRFToken(); return err },
	"MarkChanged":     func(s *khufu.Session) error { return s.MarkChanged() },
	"Invalidate":      func(s *khufu.Session) error { return s.Invalidate() },
	"Commit":          func(s *khufu.Session) error { _, err := s.Commit(); return err },
	"CommitTo":        func(s *khufu.Session) error { return s.CommitTo(http.Header{}) },
	"RegenerateID":    func(s *khufu.Session) error { return s.RegenerateID() },
	"SetSubject":      func(s *khufu.Session) error { return s.SetSubject("x") },
	"CommitToContext": func(s *khufu.Session) error { return s.CommitToContext(context.Background(), http.Header{}) },
	"CSRFField":       func(s *khufu.Session) error { _, err := s.CSRFField(); return err },
	"Messages":        func(s *khufu.Session) error { _, err := s.Messages(); return err },
}

func TestCallsOnAClosedSessionFail(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	session := openAt(t, factory, signed(genuine), now)
	for range 2 {
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, calls := range []map[string]func(*khufu.Session) error{reads, changes} {
		for name, call := range calls {
			t.Run(name, func(t *testing.T) { wantError(t, call(session), khufu.ErrClosed) })
		}
	}

	for range session.All() {
		t.Error("a closed session has a pair")
	}
	for range session.Keys() {
		t.Error("a closed session has a key")
	}
	wantEqual(t, "whether a closed session returns zero values",
		session.Len() == 0 && !session.Contains("user") && !session.CheckCSRFToken("") && !session.IsNew() &&
			!session.IsChanged() && session.LoadResult() == khufu.LoadNone && session.LoadFormat() == "" &&
			session.Refusal() == "" && session.Created().IsZero() && session.Accessed().IsZero() && session.Renewed().IsZero(), true)

	var zero khufu.Session
	wantError(t, zero.Set("a", 1), khufu.ErrClosed)
	zero.Close()
}

func TestCallsOnAClosedFactoryFail(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	session := openAt(t, factory, signed(genuine), now)
	for range 2 {
		if err := factory.Close(); err != nil {
			t.Error(err)
		}
	}
	_, err := factory.Open("")
	wantError(t, err, khufu.ErrClosed)
	_, err = factory.Open("", khufu.At(now))
	wantError(t, err, khufu.ErrClosed)
	_, err = factory.OpenValue(context.Background(), "")
	wantError(t, err, khufu.ErrClosed)
	request := httptest.NewRequest("GET", "/", nil)
	wantError(t, factory.Transact(http.Header{}, request, nil), khufu.ErrClosed)

	user, err := session.GetString("user")
	if err != nil || user != "ada" {
		t.Errorf("the user in its session is %q, %v", user, err)
	}
	if commit(t, session) == "" {
		t.Error("its session is not written")
	}
}
