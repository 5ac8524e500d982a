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

func TestCallsOnAClosedSessionFail(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	session := openAt(t, factory, signed(genuine), now)
	for range 2 {
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	}
	var target any
	for name, call := range map[string]func() error{
		"Get":          func() error { return session.Get("user", &target) },
		"Get[string]":  func() error { _, err := khufu.Get[string](session, "user"); return err },
		"GetString":    func() error { _, err := session.GetString("user"); return err },
		"GetInt64":     func() error { _, err := session.GetInt64("user"); return err },
		"GetFloat64":   func() error { _, err := session.GetFloat64("user"); return err },
		"GetBool":      func() error { _, err := session.GetBool("user"); return err },
		"GetJSON":      func() error { _, err := session.GetJSON("user"); return err },
		"ToJSON":       func() error { _, err := session.ToJSON(); return err },
		"Set null":     func() error { return session.Set("user", nil) },
		"Set string":   func() error { return session.Set("user", "x") },
		"Set bool":     func() error { return session.Set("user", true) },
		"Set int":      func() error { return session.Set("user", 1) },
		"Set int64":    func() error { return session.Set("user", int64(1)) },
		"Set float":    func() error { return session.Set("user", 1.5) },
		"Set list":     func() error { return session.Set("user", []int{}) },
		"SetDefault":   func() error { return session.SetDefault("user", 1, &target) },
		"Update":       func() error { return session.Update(map[string]int{}) },
		"Append":       func() error { return session.Append("list", 1) },
		"Increment":    func() error { _, err := session.Increment("number", 1); return err },
		"Value":        func() error { _, err := session.Value(); return err },
		"SetLifetime":  func() error { return session.SetLifetime(time.Hour) },
		"SetAttribute": func() error { return session.SetAttribute("secure", "true") },
		"Subject":      func() error { _, err := session.Subject(); return err },
		"Delete":       func() error { return session.Delete("user") },
		"Pop":          func() error { return session.Pop("user", &target) },
		"Clear":        func() error { return session.Clear() },
		"Flash":        func() error { return session.Flash("x") },
		"Flash list":   func() error { return session.Flash([]int{}) },
		"PopFlash":     func() error { return session.PopFlash("", &target) },
		"PeekFlash":    func() error { return session.PeekFlash("", &target) },
		"CSRFToken":    func() error { _, err := session.CSRFToken(); return err },
		"NewCSRFToken": func() error { _, err := session.NewCSRFToken(); return err },
		"MarkChanged":  func() error { return session.MarkChanged() },
		"Invalidate":   func() error { return session.Invalidate() },
		"Commit":       func() error { _, err := session.Commit(); return err },
		"CommitTo":     func() error { return session.CommitTo(nil) },
		"ID":           func() error { _, err := session.ID(); return err },
		"RegenerateID": func() error { return session.RegenerateID() },
		"SetSubject":   func() error { return session.SetSubject("x") },
	} {
		t.Run(name, func(t *testing.T) { wantError(t, call(), khufu.ErrClosed) })
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
