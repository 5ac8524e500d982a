package khufu_test

import (
	"testing"

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
