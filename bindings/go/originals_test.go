package khufu_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/internal/redistest"
)

// originals are sessions that pyramid_session_redis, pyramid_redis_sessions or Beaker wrote:
// the cookies, and the records in Redis.
type originals struct {
	Cases []original
}

type original struct {
	Name, Secret, Serializer string

	Kind        string // only for Beaker
	ValidateKey string `json:"validate_key"`
	EncryptKey  string `json:"encrypt_key"`

	SetCookie string `json:"set_cookie"`
	StateJSON string `json:"state_json"`
	Records   map[string]struct {
		TTL   int
		Value []byte `json:"value_base64"`
	}
}

// originalFiles has the number of cases in each file.
var originalFiles = map[string]int{"pyramid_session_redis": 6, "pyramid_redis_sessions": 4, "beaker": 18}

// originalsWritten is just before the oldest session was written. At originalsOpened, no
// session has expired.
var originalsWritten, originalsOpened = time.Unix(1795442010, 0), time.Unix(1795442100, 0)

func (o original) options(format, redis string) khufu.Options {
	options := khufu.Options{
		Secret: o.Secret + o.ValidateKey, Serializer: khufu.Serializer(o.Serializer),
		Library: khufu.Library(format), EncryptKey: o.EncryptKey,
	}
	if format == "beaker" {
		options.CookieName = "beaker.session.id"
	}
	switch {
	case len(o.Records) > 0:
		options.Type, options.Store = khufu.Stored, redis
	case o.EncryptKey != "":
		options.Type = khufu.EncryptedCookie
	}
	return options
}

// header returns the Cookie header that the browser sends back.
func (o original) header() string {
	pair, _, _ := strings.Cut(o.SetCookie, ";")
	return strings.TrimSpace(pair)
}

// put replaces all data in Redis with the records.
func (o original) put(t *testing.T, redis *redistest.Server) {
	t.Helper()
	wantEqual(t, "the answer to FLUSHALL", redis.Do(t, "FLUSHALL"), "+OK")
	for key, record := range o.Records {
		answer := redis.Do(t, "SET", key, string(record.Value), "EX", strconv.Itoa(record.TTL))
		wantEqual(t, "the answer to SET", answer, "+OK")
	}
}

func eachOriginal(t *testing.T, test func(*testing.T, original, *khufu.Factory)) {
	redis := redistest.Start(t)
	for format, number := range originalFiles {
		t.Run(format, func(t *testing.T) {
			cases := readVectors[originals](t, format+".json").Cases
			wantEqual(t, "the number of cases", len(cases), number)
			for i, c := range cases {
				t.Run(fmt.Sprintf("%d %s %s %s", i, c.Name, c.Serializer, c.Kind), func(t *testing.T) {
					c.put(t, redis)
					test(t, c, newFactory(t, c.options(format, redis.URL)))
				})
			}
		})
	}
}

func TestOriginalsOpenToTheirState(t *testing.T) {
	eachOriginal(t, func(t *testing.T, c original, factory *khufu.Factory) {
		session := openAt(t, factory, c.header(), originalsOpened)
		wantEqual(t, "the load result", session.LoadResult(), khufu.Loaded)
		wantEqual(t, "the refusal", session.Refusal(), "")
		wantEqual(t, "IsNew", session.IsNew(), false)
		if session.Created().Before(originalsWritten) || session.Created().After(originalsOpened) {
			t.Errorf("it was created at %v", session.Created())
		}
		wantSameState(t, session, c.StateJSON)

		if err := session.MarkChanged(); err != nil {
			t.Fatal(err)
		}
		header := commit(t, session)
		wantEqual(t, "whether there is a new cookie", header != "", len(c.Records) == 0)
		if header == "" {
			header = c.header()
		}
		again := openAt(t, factory, header, originalsOpened.Add(time.Second))
		wantEqual(t, "the load result of the written session", again.LoadResult(), khufu.Loaded)
		wantEqual(t, "created", again.Created(), session.Created())
		wantSameState(t, again, c.StateJSON)
	})
}

func TestChangedOriginalsAreRefused(t *testing.T) {
	eachOriginal(t, func(t *testing.T, c original, factory *khufu.Factory) {
		header := c.header()
		for i := strings.Index(header, "=") + 1; i < len(header); i++ {
			changed := []byte(header)
			changed[i] ^= 1
			session := openAt(t, factory, string(changed), originalsOpened)
			if session.LoadResult() == khufu.Loaded || session.Len() != 0 || session.Refusal() == "" {
				t.Errorf("the cookie opens although character %d was changed", i)
			}
		}
	})
}

func TestALibraryKeepsKeysForItself(t *testing.T) {
	factory := newFactory(t, khufu.Options{Library: khufu.Beaker, EncryptKey: "x", Type: khufu.EncryptedCookie, CookieName: "beaker.session.id"})
	session := openAt(t, factory, "", now)
	set(t, session, "_accessed_time", 1)
	_, err := session.Commit()
	wantError(t, err, khufu.ErrKey)
	if !strings.Contains(err.Error(), "_accessed_time") {
		t.Errorf("%q does not name the key", err)
	}
	if err := session.Delete("_accessed_time"); err != nil {
		t.Fatal(err)
	}
	set(t, session, "user", 1)
	commit(t, session)
}
