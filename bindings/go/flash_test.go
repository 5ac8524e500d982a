package khufu_test

import (
	"slices"
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
)

func popped(t *testing.T, session *khufu.Session, queue string) []string {
	t.Helper()
	var messages []string
	if err := session.PopFlash(queue, &messages); err != nil {
		t.Error(err)
	}
	return messages
}

func flash(t *testing.T, session *khufu.Session, message any, options ...khufu.FlashOption) {
	t.Helper()
	if err := session.Flash(message, options...); err != nil {
		t.Error(err)
	}
}

func TestFlashMessagesAreShownOnce(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	session := openAt(t, factory, "", now)
	wantEqual(t, "the number of messages of an empty session", len(popped(t, session, "")), 0)
	wantEqual(t, "changed", session.IsChanged(), false)

	flash(t, session, "one")
	flash(t, session, "one")
	flash(t, session, "two")
	flash(t, session, "failed", khufu.Queue("error"))
	session = openAt(t, factory, commit(t, session), now)
	wantEqual(t, "the state", toJSON(t, session), `{"_f_":["one","one","two"],"_f_error":["failed"]}`)

	var messages []string
	for range 2 {
		if err := session.PeekFlash("", &messages); err != nil || !slices.Equal(messages, []string{"one", "one", "two"}) {
			t.Errorf("peeked %q, %v", messages, err)
		}
	}
	wantEqual(t, "whether PopFlash returned the messages", slices.Equal(popped(t, session, ""), messages), true)
	wantEqual(t, "the number of messages popped again", len(popped(t, session, "")), 0)
	wantEqual(t, "whether PopFlash returned the other queue's messages", slices.Equal(popped(t, session, "error"), []string{"failed"}), true)
	wantEqual(t, "the length", session.Len(), 0)
}

func TestNoDuplicate(t *testing.T) {
	session := newSession(t)
	flash(t, session, "one", khufu.NoDuplicate())
	flash(t, session, "one", khufu.NoDuplicate())
	flash(t, session, "one", khufu.NoDuplicate(), khufu.Queue("q"))
	flash(t, session, map[string]int{"a": 1, "b": 2}, khufu.Queue("q"), khufu.NoDuplicate())
	flash(t, session, map[string]float64{"b": 2, "a": 1}, khufu.Queue("q"), khufu.NoDuplicate())
	wantEqual(t, "the state", toJSON(t, session), `{"_f_":["one"],"_f_q":["one",{"a":1,"b":2}]}`)
}

func TestMessagesMayHaveAnyType(t *testing.T) {
	type notice struct {
		Level int
		Text  string
	}
	session := newSession(t)
	flash(t, session, notice{3, "a"})
	flash(t, session, "text")
	var notices []notice
	wantError(t, session.PopFlash("", &notices), khufu.ErrType)
	wantError(t, session.PopFlash("", nil), khufu.ErrArgument)
	var mixed []any
	if err := session.PopFlash("", &mixed); err != nil || len(mixed) != 2 || mixed[1] != "text" {
		t.Errorf("popped %v, %v", mixed, err)
	}
	flash(t, session, notice{4, "b"})
	if err := session.PopFlash("", &notices); err != nil || !slices.Equal(notices, []notice{{4, "b"}}) {
		t.Errorf("popped %v, %v", notices, err)
	}
}

func TestBadMessagesAndQueuesChangeNothing(t *testing.T) {
	session := newSession(t)
	set(t, session, "_f_", "no list")
	wantError(t, session.Flash("x"), khufu.ErrType)
	var messages []string
	wantError(t, session.PopFlash("", &messages), khufu.ErrType)
	wantError(t, session.PeekFlash("", &messages), khufu.ErrType)
	wantError(t, session.Flash(make(chan int), khufu.Queue("q")), khufu.ErrJSON)
	wantError(t, session.Flash("\xff", khufu.Queue("q")), khufu.ErrUTF8)
	wantError(t, session.Flash("x", khufu.Queue("\xff")), khufu.ErrUTF8)
	wantError(t, session.PopFlash("\xff", &messages), khufu.ErrUTF8)
	wantEqual(t, "the state", toJSON(t, session), `{"_f_":"no list"}`)
}
