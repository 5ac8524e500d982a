package khufu_test

import (
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

func TestTheLifetimeOfASessionInACookieIsItsMaxAge(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	session := openAt(t, factory, signed(genuine), now)
	if err := session.SetLifetime(720 * time.Hour); err != nil {
		t.Fatal(err)
	}
	values := setCookies(t, session)
	if len(values) != 1 || !strings.Contains(values[0], "; Max-Age=2592000;") {
		t.Errorf("%q has no Max-Age", values)
	}
	if err := session.SetLifetime(0); err != nil {
		t.Fatal(err)
	}
	if values := setCookies(t, session); len(values) != 1 || strings.Contains(values[0], "Max-Age") {
		t.Errorf("%q has a Max-Age", values)
	}
}

func TestALifetimeMustBeWholeSeconds(t *testing.T) {
	session := openAt(t, newFactory(t, khufu.Options{}), signed(`[1700000060, 1, {"a": 1}]`), now)
	for _, lifetime := range []time.Duration{-time.Second, 1500 * time.Millisecond, time.Nanosecond} {
		err := session.SetLifetime(lifetime)
		wantError(t, err, khufu.ErrArgument)
		if !strings.Contains(err.Error(), lifetime.String()) {
			t.Errorf("%v does not name %v", err, lifetime)
		}
	}
	wantEqual(t, "changed", session.IsChanged(), false)
}

func TestSetAttribute(t *testing.T) {
	factory := newFactory(t, khufu.Options{MaxAge: time.Hour, Secure: true})
	for _, row := range []struct{ name, value, attributes string }{
		{"max_age", "60", "Max-Age=60; Path=/; expires=Tue, 14 Nov 2023 22:15:20 GMT; secure; SameSite=Lax"},
		{"max_age", "", "Path=/; secure; SameSite=Lax"},
		{"secure", "false", "Max-Age=3600; Path=/; expires=Tue, 14 Nov 2023 23:14:20 GMT; SameSite=Lax"},
		{"httponly", "true", "Max-Age=3600; Path=/; expires=Tue, 14 Nov 2023 23:14:20 GMT; secure; HttpOnly; SameSite=Lax"},
		{"samesite", "None", "Max-Age=3600; Path=/; expires=Tue, 14 Nov 2023 23:14:20 GMT; secure; SameSite=None"},
		{"partitioned", "true", "Max-Age=3600; Path=/; expires=Tue, 14 Nov 2023 23:14:20 GMT; secure; SameSite=Lax; Partitioned"},
	} {
		session := openAt(t, factory, signed(genuine), now)
		if err := session.SetAttribute(row.name, row.value); err != nil {
			t.Errorf("%s=%s: %v", row.name, row.value, err)
			continue
		}
		_, attributes, _ := strings.Cut(setCookies(t, session)[0], "; ")
		wantEqual(t, "the cookie with "+row.name, attributes, row.attributes)
		set(t, session, "a", 1)
		_, attributes, _ = strings.Cut(setCookies(t, session)[0], "; ")
		wantEqual(t, "the next cookie", attributes, "Max-Age=3600; Path=/; expires=Tue, 14 Nov 2023 23:14:20 GMT; secure; SameSite=Lax")
	}
}

func TestRefusedAttributesChangeNothing(t *testing.T) {
	session := openAt(t, newFactory(t, khufu.Options{}), signed(`[1700000060, 1, {"a": 1}]`), now)
	for _, row := range []struct {
		name, value, detail string
		wanted              error
	}{
		{"path", "/", "path", khufu.ErrOption},
		{"", "", "attribute", khufu.ErrOption},
		{"max_age", "soon", "soon", khufu.ErrOption},
		{"samesite", "None", "secure", khufu.ErrOption},
		{"partitioned", "true", "secure", khufu.ErrOption},
		{"\xff", "", "UTF-8", khufu.ErrUTF8},
	} {
		err := session.SetAttribute(row.name, row.value)
		wantError(t, err, row.wanted)
		if err != nil && !strings.Contains(err.Error(), row.detail) {
			t.Errorf("%q does not contain %q", err, row.detail)
		}
	}
	wantEqual(t, "changed", session.IsChanged(), false)
}
