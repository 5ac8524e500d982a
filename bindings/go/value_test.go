package khufu_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

func openValue(t *testing.T, factory *khufu.Factory, value string) *khufu.Session {
	t.Helper()
	session, err := factory.OpenValue(context.Background(), value, khufu.At(now))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

func TestAValueOpensTheSession(t *testing.T) {
	for name, options := range map[string]khufu.Options{
		"signed":     {},
		"encrypted":  {Type: khufu.EncryptedCookie, Secret: strings.Repeat("ab", 32)},
		"pickle":     {Serializer: khufu.Pickle},
		"serializer": {CustomSerializer: rot13{}},
		"memory":     {Type: khufu.Stored},
		"custom":     {CustomStore: new(MapStore)},
	} {
		t.Run(name, func(t *testing.T) {
			factory := newFactory(t, options)
			session := openAt(t, factory, "", now)
			_, err := session.Value()
			wantError(t, err, khufu.ErrNotFound)
			set(t, session, "user", "ada")
			_, err = session.Value()
			wantError(t, err, khufu.ErrNotFound)

			cookie := commit(t, session)
			value, err := session.Value()
			if err != nil || "session="+value != cookie {
				t.Errorf("the value is not the cookie's, %v", err)
			}
			next := openValue(t, factory, value)
			wantEqual(t, "the load result", next.LoadResult(), khufu.Loaded)
			wantEqual(t, "the state", toJSON(t, next), `{"user":"ada"}`)
			again, err := next.Value()
			if err != nil || openValue(t, factory, again).LoadResult() != khufu.Loaded {
				t.Errorf("an unchanged session has another value, %v", err)
			}

			if err := next.Invalidate(); err != nil {
				t.Fatal(err)
			}
			commit(t, next)
			_, err = next.Value()
			wantError(t, err, khufu.ErrNotFound)
		})
	}
}

func TestBadValuesDoNotMakeOpeningFail(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	for name, row := range map[string]struct {
		value  string
		result khufu.LoadResult
	}{
		"empty":    {"", khufu.LoadMalformed},
		"short":    {"abcd", khufu.LoadMalformed},
		"a header": {signed(genuine), khufu.LoadMalformed},
		"bytes":    {"\xff\x00;", khufu.LoadMalformed},
		"forged":   {strings.Repeat("A", 200), khufu.LoadBadSignature},
	} {
		t.Run(name, func(t *testing.T) {
			session := openValue(t, factory, row.value)
			wantEqual(t, "the load result", session.LoadResult(), row.result)
			wantEqual(t, "whether it is new and empty", session.IsNew() && session.Len() == 0 && session.Refusal() != "", true)
		})
	}
}

func TestOpenValueTakesTheSameOptions(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	value := strings.TrimPrefix(signed(genuine), "session=")
	_, err := factory.OpenValue(context.Background(), value, khufu.At(time.Time{}))
	wantError(t, err, khufu.ErrArgument)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = factory.OpenValue(cancelled, value)
	wantEqual(t, "the error of a cancelled context", err, context.Canceled)

	session, err := factory.OpenValue(context.Background(), value, khufu.At(now), khufu.Passive())
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	session.Contains("user")
	wantEqual(t, "the load result", session.LoadResult(), khufu.Loaded)
	wantEqual(t, "changed", session.IsChanged(), false)
}

// A serializer is called in the middle of Value.
type refusing struct {
	rot13
	refuse bool
}

var errRefused = errors.New("refused")

func (r *refusing) Dumps(json []byte) ([]byte, error) {
	if r.refuse {
		return nil, errRefused
	}
	return r.rot13.Dumps(json)
}

func TestTheErrorOfASerializerIsTheCauseOfValues(t *testing.T) {
	serializer := new(refusing)
	factory := newFactory(t, khufu.Options{CustomSerializer: serializer})
	header := begin(t, factory, map[string]any{"user": "ada"})
	session := openAt(t, factory, header, now)
	serializer.refuse = true
	_, err := session.Value()
	wantError(t, err, khufu.ErrUnsupported)
	wantError(t, err, errRefused)
}
