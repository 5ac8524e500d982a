package khufu_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// A format has options, and the sizes in bytes of the parts that precede the payload.
type format struct {
	options khufu.Options
	parts   []int
}

var encryptionSecret = strings.Repeat("0123456789abcdef", 4)

var formats = map[string]format{
	"signed json":      {khufu.Options{}, []int{64}},
	"signed pickle":    {khufu.Options{Serializer: khufu.Pickle}, []int{64}},
	"encrypted json":   {khufu.Options{Type: khufu.EncryptedCookie, Secret: encryptionSecret}, []int{24, 16}},
	"encrypted pickle": {khufu.Options{Type: khufu.EncryptedCookie, Secret: encryptionSecret, Serializer: khufu.Pickle}, []int{24, 16}},
}

// eachFormat runs a test with a factory of each format and the value of a cookie that the
// factory wrote.
func eachFormat(t *testing.T, test func(t *testing.T, factory *khufu.Factory, value string)) {
	for name, format := range formats {
		t.Run(name, func(t *testing.T) {
			factory := newFactory(t, format.options)
			value := writtenFor(t, factory, "ada")
			wantEqual(t, "the load result", openAt(t, factory, "session="+value, now).LoadResult(), khufu.Loaded)
			test(t, factory, value)
		})
	}
}

func writtenFor(t *testing.T, factory *khufu.Factory, user string) string {
	t.Helper()
	session := openAt(t, factory, "", now)
	set(t, session, "user", user)
	return strings.TrimPrefix(commit(t, session), "session=")
}

func wantRefused(t *testing.T, factory *khufu.Factory, value string) {
	t.Helper()
	session, err := factory.Open("session="+value, khufu.At(now))
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	result := session.LoadResult()
	if result != khufu.LoadBadSignature && result != khufu.LoadMalformed || session.Len() != 0 || !session.IsNew() || session.Refusal() == "" {
		t.Errorf("%q opens with the result %s", value, result)
	}
}

func decode(t *testing.T, value string) []byte {
	t.Helper()
	bytes, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

func TestCookiesWithAFlippedBitAreRefused(t *testing.T) {
	eachFormat(t, func(t *testing.T, factory *khufu.Factory, value string) {
		bytes, text := decode(t, value), []byte(value)
		for bit := range len(bytes) * 8 {
			bytes[bit/8] ^= 1 << (bit % 8)
			wantRefused(t, factory, base64.RawURLEncoding.EncodeToString(bytes))
			bytes[bit/8] ^= 1 << (bit % 8)
		}
		for bit := range len(text) * 8 {
			text[bit/8] ^= 1 << (bit % 8)
			wantRefused(t, factory, string(text))
			text[bit/8] ^= 1 << (bit % 8)
		}
	})
}

func TestTruncatedCookiesAreRefused(t *testing.T) {
	eachFormat(t, func(t *testing.T, factory *khufu.Factory, value string) {
		for length := range len(value) {
			wantRefused(t, factory, value[:length])
		}
		bytes := decode(t, value)
		for length := range len(bytes) {
			wantRefused(t, factory, base64.RawURLEncoding.EncodeToString(bytes[:length]))
			wantRefused(t, factory, base64.RawURLEncoding.EncodeToString(bytes[len(bytes)-length:]))
		}
	})
}

func TestCombinedPartsOfTwoCookiesAreRefused(t *testing.T) {
	for name, format := range formats {
		t.Run(name, func(t *testing.T) {
			factory := newFactory(t, format.options)
			ada, eve := decode(t, writtenFor(t, factory, "ada")), decode(t, writtenFor(t, factory, "eve"))
			wantEqual(t, "the length", len(eve), len(ada))
			start := 0
			for _, size := range append(format.parts, len(ada)) {
				end := min(start+size, len(ada))
				mixed := append([]byte(nil), ada...)
				copy(mixed[start:end], eve[start:end])
				wantRefused(t, factory, base64.RawURLEncoding.EncodeToString(mixed))
				start = end
			}
			wantEqual(t, "the end of the last part", start, len(ada))
		})
	}
}

func TestCookiesOfOtherFormatsAreRefused(t *testing.T) {
	eachFormat(t, func(t *testing.T, writer *khufu.Factory, value string) {
		refused := 0
		for _, format := range formats {
			reader := newFactory(t, format.options)
			if openAt(t, reader, "session="+value, now).LoadResult() == khufu.Loaded {
				continue // the reader has the same format
			}
			wantRefused(t, reader, value)
			refused++
		}
		wantEqual(t, "the number of formats that refuse it", refused, len(formats)-1)
	})
}

// hostilePickles are correctly signed cookies. The refusal of each must contain Told.
type hostilePickles struct {
	Now   int64
	Cases []struct{ Name, Cookie, Expected, Told string }
}

func TestHostilePicklesAreRefusedByName(t *testing.T) {
	v := readVectors[hostilePickles](t, "hostile_pickle.json")
	wantEqual(t, "the number of cases", len(v.Cases), 190)
	factory := newFactory(t, khufu.Options{Serializer: khufu.Pickle})
	for _, c := range v.Cases {
		t.Run(c.Name, func(t *testing.T) {
			session := openAt(t, factory, "session="+c.Cookie, time.Unix(v.Now, 0))
			wantEqual(t, "the load result", session.LoadResult().String(), c.Expected)
			wantEqual(t, "IsNew", session.IsNew(), c.Expected != "loaded")
			if !strings.Contains(session.Refusal(), c.Told) || session.IsNew() && (session.Refusal() == "" || session.Len() != 0) {
				t.Errorf("the refusal %q does not contain %q", session.Refusal(), c.Told)
			}
		})
	}
}
