package khufu_test

import (
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
)

// rot13 writes JSON with its letters shifted by 13.
type rot13 struct{}

func shifted(text []byte) []byte {
	shifted := make([]byte, len(text))
	for i, b := range text {
		switch {
		case 'a' <= b && b <= 'z':
			b = 'a' + (b-'a'+13)%26
		case 'A' <= b && b <= 'Z':
			b = 'A' + (b-'A'+13)%26
		}
		shifted[i] = b
	}
	return shifted
}

func (rot13) Loads(payload []byte) ([]byte, error) { return shifted(payload), nil }
func (rot13) Dumps(json []byte) ([]byte, error)    { return shifted(json), nil }

// A brokenSerializer calls loads and dumps first, and fails if they do.
type brokenSerializer struct {
	rot13
	loads, dumps func() error
}

func (b *brokenSerializer) Loads(payload []byte) ([]byte, error) {
	if b.loads != nil {
		if err := b.loads(); err != nil {
			return nil, err
		}
	}
	return b.rot13.Loads(payload)
}

func (b *brokenSerializer) Dumps(json []byte) ([]byte, error) {
	if b.dumps != nil {
		if err := b.dumps(); err != nil {
			return nil, err
		}
	}
	return b.rot13.Dumps(json)
}

func TestACustomSerializer(t *testing.T) {
	for _, kind := range []khufu.Type{khufu.SignedCookie, khufu.Stored} {
		t.Run(string(kind), func(t *testing.T) {
			factory := newFactory(t, khufu.Options{Type: kind, CustomSerializer: rot13{}})
			header := begin(t, factory, map[string]any{"user": "ada"})
			session := openAt(t, factory, header, now)
			wantEqual(t, "the load result", session.LoadResult(), khufu.Loaded)
			wantEqual(t, "the state", toJSON(t, session), `{"user":"ada"}`)
			wantEqual(t, "created", session.Created(), now.UTC())
		})
	}
	session := openAt(t, newFactory(t, khufu.Options{CustomSerializer: rot13{}}),
		signed(string(shifted([]byte(genuine)))), now)
	wantEqual(t, "the state", toJSON(t, session), `{"user":"ada"}`)
}

func TestACustomSerializerThatFails(t *testing.T) {
	for name, failure := range failures {
		t.Run(name, func(t *testing.T) {
			serializer := new(brokenSerializer)
			factory := newFactory(t, khufu.Options{CustomSerializer: serializer})
			header := begin(t, factory, map[string]any{"a": 1})

			serializer.loads = failure.fail
			session := openAt(t, factory, header, now)
			wantEqual(t, "the load result", session.LoadResult(), khufu.LoadMalformed)

			set(t, session, "b", 2)
			serializer.dumps = failure.fail
			_, err := session.Commit()
			wantFailure(t, err, khufu.ErrUnsupported, name)
			serializer.dumps = nil
			if commit(t, session) == "" {
				t.Error("commit sets no cookie")
			}
		})
	}
}
