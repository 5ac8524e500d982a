package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

func aSubjectsSessionsAreListedAndRevoked(t *testing.T, one, other *khufu.Factory) {
	user := other.Subject("user-42")
	first, second, third, stranger := browser{t: t}, browser{t: t}, browser{t: t}, browser{t: t}
	firstID, secondID := first.login(one, "user-42"), second.login(one, "user-42")
	thirdID := third.login(other, "user-42")
	stranger.login(one, "user-43")
	later := now.Add(10 * time.Second)
	used := second.open(one, khufu.At(later))
	used.Contains("a")
	second.commit(used)

	sessions, err := user.Sessions()
	if err != nil || len(sessions) != 3 {
		t.Fatalf("%v, %v", sessions, err)
	}
	if wanted := (khufu.SubjectSession{ID: secondID, Created: now.UTC(), Accessed: later.UTC()}); sessions[0] != wanted {
		t.Errorf("the session used last is %v, not %v", sessions[0], wanted)
	}

	wantNotFound := func(err error) {
		t.Helper()
		if !errors.Is(err, khufu.ErrNotFound) {
			t.Errorf("the error is %v", err)
		}
	}
	wantNotFound(other.Subject("user-43").Revoke(firstID))
	first.wantResult(one, khufu.Loaded)
	if err := user.Revoke(firstID); err != nil {
		t.Error(err)
	}
	wantNotFound(user.Revoke(firstID))
	first.wantResult(one, khufu.LoadMissing)

	wantRevoked := func(except string) {
		t.Helper()
		if revoked, err := user.RevokeAll(except); err != nil || revoked != 1 {
			t.Errorf("%d sessions were revoked, %v", revoked, err)
		}
	}
	wantRevoked(thirdID)
	second.wantResult(one, khufu.LoadMissing)
	third.wantResult(one, khufu.Loaded)
	wantRevoked("")
	third.wantResult(one, khufu.LoadMissing)
	stranger.wantResult(one, khufu.Loaded)
	if sessions, err = user.Sessions(); err != nil || len(sessions) != 0 {
		t.Errorf("%v, %v", sessions, err)
	}
}

func aSessionTellsItsSubject(t *testing.T, one, other *khufu.Factory) {
	b := browser{t: t}
	b.login(one, "user-7 Zoë")
	session := b.open(other)
	subject, err := session.Subject()
	if err != nil || subject != "user-7 Zoë" {
		t.Errorf("the subject is %q, %v", subject, err)
	}
	if err := session.SetSubject(""); err != nil {
		t.Fatal(err)
	}
	if subject, err = session.Subject(); !errors.Is(err, khufu.ErrNotFound) || subject != "" {
		t.Errorf("nobody's name is %q, %v", subject, err)
	}
	for wanted, name := range map[error]string{khufu.ErrUTF8: "\xff", khufu.ErrRange: strings.Repeat("x", 65536)} {
		if err := session.SetSubject(name); !errors.Is(err, wanted) {
			t.Errorf("the error of a bad name is %v, not %v", err, wanted)
		}
	}
}
