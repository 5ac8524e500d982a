package khufu_test

import (
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// login commits a new session of a subject and returns its Cookie header and ID.
func login(t *testing.T, factory *khufu.Factory, subject string) (header, id string) {
	t.Helper()
	session := openAt(t, factory, "", now)
	if err := session.SetSubject(subject); err != nil {
		t.Fatal(err)
	}
	set(t, session, "a", 1)
	header = commit(t, session)
	id, err := session.ID()
	if err != nil {
		t.Fatal(err)
	}
	return header, id
}

func TestASubjectsSessionsAreListedAndRevoked(t *testing.T) {
	onEveryStore(t, func(t *testing.T, factory *khufu.Factory) {
		user := factory.Subject("user-42")
		first, firstID := login(t, factory, "user-42")
		second, secondID := login(t, factory, "user-42")
		third, thirdID := login(t, factory, "user-42")
		other, _ := login(t, factory, "user-43")
		later := now.Add(10 * time.Second)
		used := openAt(t, factory, second, later)
		used.Contains("a")
		commit(t, used)

		sessions, err := user.Sessions()
		if err != nil || len(sessions) != 3 {
			t.Fatalf("%v, %v", sessions, err)
		}
		wantEqual(t, "the session used last", sessions[0], khufu.SubjectSession{ID: secondID, Created: now.UTC(), Accessed: later.UTC()})

		result := func(header string) khufu.LoadResult { return openAt(t, factory, header, later).LoadResult() }
		wantError(t, factory.Subject("user-43").Revoke(firstID), khufu.ErrNotFound)
		wantEqual(t, "the first session", result(first), khufu.Loaded)
		if err := user.Revoke(firstID); err != nil {
			t.Error(err)
		}
		wantError(t, user.Revoke(firstID), khufu.ErrNotFound)
		wantEqual(t, "the first session, revoked", result(first), khufu.LoadMissing)

		revoked, err := user.RevokeAll(thirdID)
		if err != nil || revoked != 1 {
			t.Errorf("%d sessions were revoked, %v", revoked, err)
		}
		wantEqual(t, "the second session", result(second), khufu.LoadMissing)
		wantEqual(t, "the third session", result(third), khufu.Loaded)
		revoked, err = user.RevokeAll("")
		if err != nil || revoked != 1 {
			t.Errorf("%d sessions were revoked, %v", revoked, err)
		}
		wantEqual(t, "the third session, revoked", result(third), khufu.LoadMissing)
		wantEqual(t, "the other subject's session", result(other), khufu.Loaded)
		sessions, err = user.Sessions()
		if err != nil || len(sessions) != 0 {
			t.Errorf("%v, %v", sessions, err)
		}
	})
}

func TestASessionReturnsItsSubject(t *testing.T) {
	onEveryStore(t, func(t *testing.T, factory *khufu.Factory) {
		header, _ := login(t, factory, "user-42 Zoë")
		session := openAt(t, factory, header, now)
		subject, err := session.Subject()
		if err != nil || subject != "user-42 Zoë" {
			t.Errorf("the subject is %q, %v", subject, err)
		}
		if err := session.SetSubject(""); err != nil {
			t.Fatal(err)
		}
		subject, err = session.Subject()
		wantError(t, err, khufu.ErrNotFound)
		wantEqual(t, "nobody's name", subject, "")
		wantError(t, session.SetSubject("\xff"), khufu.ErrUTF8)
		wantError(t, session.SetSubject(strings.Repeat("x", 65536)), khufu.ErrRange)
	})
	_, err := newSession(t).Subject()
	wantError(t, err, khufu.ErrNotFound)
}

func TestASubjectIsFoundFromAnotherFactory(t *testing.T) {
	options := khufu.Options{Type: khufu.Stored, Store: sqlite(t)}
	header, id := login(t, newFactory(t, options), "user-42")
	other := newFactory(t, options)
	sessions, err := other.Subject("user-42").Sessions()
	if err != nil || len(sessions) != 1 || sessions[0].ID != id {
		t.Errorf("%v, %v", sessions, err)
	}
	wantEqual(t, "the load result", openAt(t, other, header, now).LoadResult(), khufu.Loaded)
}

func TestASubjectNeedsAStore(t *testing.T) {
	wantError(t, newSession(t).SetSubject("user-42"), khufu.ErrArgument)
	for name, row := range map[string]struct {
		subject *khufu.Subject
		wanted  error
	}{
		"cookies":        {newFactory(t, khufu.Options{}).Subject("user-42"), khufu.ErrArgument},
		"not UTF-8":      {newFactory(t, khufu.Options{Type: khufu.Stored}).Subject("\xff"), khufu.ErrUTF8},
		"closed factory": {closedFactory(t).Subject("user-42"), khufu.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := row.subject.Sessions()
			wantError(t, err, row.wanted)
			wantError(t, row.subject.Revoke("x"), row.wanted)
			_, err = row.subject.RevokeAll("")
			wantError(t, err, row.wanted)
		})
	}
}

func closedFactory(t *testing.T) *khufu.Factory {
	factory := newFactory(t, khufu.Options{Type: khufu.Stored})
	factory.Close()
	return factory
}
