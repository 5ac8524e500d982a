package khufu_test

import (
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

func TestTimes(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	session := openAt(t, factory, signed(`[1700000000.5, 1699999899.75, {"a": 1}]`), time.Unix(1700000060, 123456789))
	wantEqual(t, "created", session.Created(), time.Unix(1699999899, 75e7).UTC())
	wantEqual(t, "renewed", session.Renewed(), time.Unix(1700000000, 5e8).UTC())
	wantEqual(t, "accessed", session.Accessed(), session.Renewed())
	session.Contains("a")
	wantEqual(t, "accessed after reading", session.Accessed(), now.UTC())
	wantEqual(t, "renewed after reading", session.Renewed(), time.Unix(1700000000, 5e8).UTC())

	// A time that is passed to At is rounded to the precision of a float.
	created := openAt(t, factory, "", time.Unix(1700000060, 123456789)).Created()
	if difference := created.Sub(time.Unix(1700000060, 123456789)).Abs(); difference > 250*time.Nanosecond {
		t.Errorf("created is %v off", difference)
	}
	for _, at := range []time.Time{time.Unix(0, 0), time.Unix(253402300799, 0), now.Add(time.Second / 3)} {
		once := openAt(t, factory, "", at).Created()
		wantEqual(t, "a time that was converted twice", openAt(t, factory, "", once).Created(), once)
	}
	far := openAt(t, factory, signed(`[1700000060, -1e300, {}]`), now).Created()
	wantEqual(t, "whether the distant past is in the past", far.Before(time.Unix(0, 0)), true)
}

func TestMarkChanged(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	session := openAt(t, factory, signed(`[1700000060, 1699999899.75, {"a": 1}]`), now)
	wantEqual(t, "changed after opening", session.IsChanged(), false)
	session.Len()
	wantEqual(t, "changed after reading in the same second", session.IsChanged(), false)
	wantEqual(t, "the cookie of an unchanged session", commit(t, session), "")
	if err := session.MarkChanged(); err != nil {
		t.Error(err)
	}
	wantEqual(t, "changed after MarkChanged", session.IsChanged(), true)
	if commit(t, session) == "" {
		t.Error("no cookie after MarkChanged")
	}
	wantEqual(t, "changed after a commit", session.IsChanged(), false)
}

func TestReissueTime(t *testing.T) {
	cookie := signed(`[1700000060, 1699999899.75, {"a": 1}]`)
	for _, row := range []struct {
		reissueTime time.Duration
		age         time.Duration
		written     bool
	}{
		{0, 999 * time.Millisecond, false}, {0, time.Second, true},
		{time.Minute, time.Minute, false}, {time.Minute, 61 * time.Second, true},
		{-1, 19 * time.Minute, false},
	} {
		session := openAt(t, newFactory(t, khufu.Options{ReissueTime: row.reissueTime}), cookie, now.Add(row.age))
		session.Contains("a")
		if written := commit(t, session) != ""; written != row.written {
			t.Errorf("with %v after %v, written: %v", row.reissueTime, row.age, written)
		}
	}
}

func TestInvalidate(t *testing.T) {
	factory := newFactory(t, khufu.Options{HTTPOnly: true})
	session := openAt(t, factory, signed(genuine), now)
	if err := session.Invalidate(); err != nil {
		t.Error(err)
	}
	wantEqual(t, "the length", session.Len(), 0)
	wantEqual(t, "IsNew", session.IsNew(), true)
	wantEqual(t, "created", session.Created(), now.UTC())
	values := setCookies(t, session)
	if len(values) != 1 {
		t.Fatalf("%q", values)
	}
	for _, part := range []string{"session=;", "Max-Age=0", "expires=", "Path=/", "HttpOnly", "SameSite=Lax"} {
		if !strings.Contains(values[0]+";", part) {
			t.Errorf("%q lacks %s", values[0], part)
		}
	}

	session = openAt(t, factory, signed(genuine), now)
	session.Invalidate()
	set(t, session, "b", 1)
	wantEqual(t, "the new session", toJSON(t, openAt(t, factory, commit(t, session), now)), `{"b":1}`)
}
