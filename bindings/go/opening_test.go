package khufu_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

const genuine = `[1700000000, 1699999899.75, {"user": "ada"}]`

func TestLoadResults(t *testing.T) {
	const datetime = "gAJdcQAoSgDxU2VHQdlU/CbwAAB9cQFYBAAAAHdoZW5xAmNkYXRldGltZQpkYXRldGltZQpxA2NfY29kZWNzCmVuY29kZQpxBFgLAAAAB8OnAQEAAAAAAABxBVgGAAAAbGF0aW4xcQaGcQdScQiFcQlScQpzZS4="
	old := khufu.Format{Name: "old", Secret: "another", Salt: "old.", HashAlg: khufu.SHA256}
	rows := []struct {
		name    string
		options khufu.Options
		header  string
		at      time.Time
		result  khufu.LoadResult
		word    string
		format  string
		refusal string // a part of the refusal
	}{
		{name: "no cookie", result: khufu.LoadNone, word: "none"},
		{name: "another cookie", header: "a=b; c=d", result: khufu.LoadNone, word: "none", refusal: "cookie_name"},
		{name: "verifies", header: signed(genuine), result: khufu.Loaded, word: "loaded"},
		{name: "previous secret", options: khufu.Options{Secret: "newer", PreviousSecrets: []string{"", "x", secret}},
			header: signed(genuine), result: khufu.LoadedPreviousSecret, word: "loaded_previous_secret"},
		{name: "previous secret in hex", options: khufu.Options{Secret: "newer", PreviousSecretsHex: []string{"00ff", "697473617365656b72656574"}},
			header: signed(genuine), result: khufu.LoadedPreviousSecret, word: "loaded_previous_secret"},
		{name: "other format", options: khufu.Options{Secret: "newer", Accept: []khufu.Format{old, {Name: "pyramid", Secret: secret}}},
			header: signed(genuine), result: khufu.LoadedOtherFormat, word: "loaded_other_format", format: "pyramid"},
		{name: "other format's previous secret", options: khufu.Options{Secret: "newer", Accept: []khufu.Format{
			{Name: "pyramid-1", Secret: "x", PreviousSecrets: []string{secret}}}},
			header: signed(genuine), result: khufu.LoadedOtherFormat, word: "loaded_other_format", format: "pyramid-1"},
		{name: "idle as long as allowed", header: signed(genuine), at: time.Unix(1700001200, 0), result: khufu.Loaded, word: "loaded"},
		{name: "idle for too long", header: signed(genuine), at: time.Unix(1700001200, 5e8),
			result: khufu.LoadExpired, word: "expired", refusal: "1200"},
		{name: "never expires", options: khufu.Options{Timeout: -1}, header: signed(genuine), at: time.Unix(2700000000, 0),
			result: khufu.Loaded, word: "loaded"},
		{name: "another secret", options: khufu.Options{Secret: "x"}, header: signed(genuine),
			result: khufu.LoadBadSignature, word: "bad_signature", refusal: "signature"},
		{name: "not base64", header: "session=" + strings.Repeat("!", 200), result: khufu.LoadMalformed, word: "malformed", refusal: "base64"},
		{name: "too short", header: "session=abcd", result: khufu.LoadMalformed, word: "malformed", refusal: "short"},
		{name: "not a list", header: signed(`{"user": "ada"}`), result: khufu.LoadMalformed, word: "malformed", refusal: " "},
		{name: "not an object", header: signed(`[1700000000, 1699999899.75, 3]`), result: khufu.LoadMalformed, word: "malformed", refusal: " "},
		{name: "a pickled datetime", options: khufu.Options{Serializer: khufu.Pickle}, header: pickled(datetime),
			result: khufu.LoadUnsupported, word: "unsupported", refusal: "datetime.datetime"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if row.at.IsZero() {
				row.at = now
			}
			session := openAt(t, newFactory(t, row.options), row.header, row.at)
			wantEqual(t, "the load result", session.LoadResult(), row.result)
			wantEqual(t, "the name of the load result", session.LoadResult().String(), row.word)
			wantEqual(t, "the load format", session.LoadFormat(), row.format)
			if refusal := session.Refusal(); (refusal == "") != (row.refusal == "") || !strings.Contains(refusal, row.refusal) {
				t.Errorf("the refusal %q does not contain %q", refusal, row.refusal)
			}

			loaded := strings.HasPrefix(row.word, "loaded")
			wantEqual(t, "IsNew", session.IsNew(), !loaded)
			wantEqual(t, "IsChanged", session.IsChanged(), loaded && row.result != khufu.Loaded)
			user, err := session.GetString("user")
			if loaded {
				wantEqual(t, "the user", user, "ada")
				wantEqual(t, "created", session.Created(), time.Unix(1699999899, 75e7).UTC())
			} else {
				wantError(t, err, khufu.ErrNotFound)
				wantEqual(t, "the length", session.Len(), 0)
				wantEqual(t, "created", session.Created(), row.at.UTC())
			}
		})
	}
}

func TestALaterErrorDoesNotChangeTheRefusal(t *testing.T) {
	session := openAt(t, newFactory(t, khufu.Options{}), "session=abcd", now)
	refusal := session.Refusal()
	wantError(t, session.Set("\xff", 1), khufu.ErrUTF8)
	if refusal == "" || session.Refusal() != refusal {
		t.Errorf("the refusal was %q and is now %q", refusal, session.Refusal())
	}
}

func TestAnUnsupportedSessionIsNotOverwritten(t *testing.T) {
	const set = "gAJdcQAoSgDxU2VHQdlU/CbwAAB9cQFYAQAAAHNxAmNfX2J1aWx0aW5fXwpzZXQKcQNdcQRLAWGFcQVScQZzZS4="
	session := openAt(t, newFactory(t, khufu.Options{Serializer: khufu.Pickle}), pickled(set), now)
	wantEqual(t, "the load result", session.LoadResult(), khufu.LoadUnsupported)
	if err := session.Set("a", 1); err != nil {
		t.Fatal(err)
	}
	_, err := session.Commit()
	wantError(t, err, khufu.ErrUnsupported)

	if err := session.Invalidate(); err != nil {
		t.Fatal(err)
	}
	if err := session.Set("a", 1); err != nil {
		t.Fatal(err)
	}
	if commit(t, session) == "" {
		t.Error("an invalidated session is not written")
	}
}

func TestAnOlderFormatIsWrittenInTheCurrentOne(t *testing.T) {
	old := newFactory(t, khufu.Options{})
	for name, options := range map[string]khufu.Options{
		"previous secret":  {Secret: "newer", PreviousSecrets: []string{secret}},
		"other format":     {Secret: strings.Repeat("ab", 32), Type: khufu.EncryptedCookie, Accept: []khufu.Format{{Name: "old", Secret: secret}}},
		"other serializer": {Serializer: khufu.Pickle, Accept: []khufu.Format{{Name: "old", Secret: secret}}},
	} {
		t.Run(name, func(t *testing.T) {
			before := openAt(t, old, "", now)
			set(t, before, "user", "ada")
			factory := newFactory(t, options)
			between := openAt(t, factory, commit(t, before), now)
			header := commit(t, between)
			after := openAt(t, factory, header, now)
			wantEqual(t, "the load result", after.LoadResult(), khufu.Loaded)
			wantEqual(t, "the state", toJSON(t, after), `{"user":"ada"}`)
			wantEqual(t, "IsNew under the old factory", openAt(t, old, header, now).IsNew(), true)
		})
	}
}

func TestBadCookieHeadersDoNotMakeOpeningFail(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	for _, header := range []string{
		"session", "session=", "=", ";;;", "session=\x00", "session=\xff\xfe", "session=" + strings.Repeat("A", 1<<20),
		strings.Repeat("session=abcd; ", 1000), signed(`[NaN, 1, {}]`), signed(strings.Repeat("[", 1<<16)),
	} {
		session := openAt(t, factory, header, now)
		if session.Len() != 0 || !session.IsNew() {
			t.Errorf("%.40q opens a session", header)
		}
	}
}

func TestPassive(t *testing.T) {
	for name, options := range map[string]khufu.Options{"cookie": {}, "store": {Type: khufu.Stored, Timeout: time.Minute}} {
		t.Run(name, func(t *testing.T) {
			factory := newFactory(t, options)
			header := begin(t, factory, map[string]any{"user": "ada"})
			later := now.Add(40 * time.Second)
			session, err := factory.Open(header, khufu.Passive(), khufu.At(later))
			if err != nil {
				t.Fatal(err)
			}
			defer session.Close()
			user, err := session.GetString("user")
			if err != nil || user != "ada" || session.IsChanged() {
				t.Errorf("%q, %v, changed: %v", user, err, session.IsChanged())
			}
			wantEqual(t, "the cookie", commit(t, session), "")
			if name == "store" {
				wantEqual(t, "the load result after the timeout",
					openAt(t, factory, header, now.Add(61*time.Second)).LoadResult(), khufu.LoadExpired)
				return
			}
			set(t, session, "user", "zoe")
			wantEqual(t, "the state", toJSON(t, openAt(t, factory, commit(t, session), later)), `{"user":"zoe"}`)
		})
	}
}

func TestAtRefusesInvalidTimes(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	for _, at := range []time.Time{{}, time.Unix(-1, 0), time.Unix(1<<40, 0)} {
		session, err := factory.Open("", khufu.At(at))
		wantError(t, err, khufu.ErrArgument)
		if session != nil {
			t.Errorf("Open returned a session at %v", at)
		}
	}
}

func TestOpenUsesTheCurrentTime(t *testing.T) {
	before := time.Now().Add(-time.Millisecond)
	session, err := newFactory(t, khufu.Options{}).Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if created := session.Created(); created.Before(before) || created.After(time.Now()) {
		t.Errorf("created at %v", created)
	}
}

func TestOpenRequestReadsEveryCookieHeader(t *testing.T) {
	factory := newFactory(t, khufu.Options{Timeout: -1})
	for name, headers := range map[string][]string{
		"one":    {"a=b; " + signed(genuine)},
		"first":  {signed(genuine), "a=b"},
		"last":   {"a=b", "c=d", signed(genuine)},
		"quoted": {"a=b", strings.Replace(signed(genuine), "=", `="`, 1) + `"`},
	} {
		t.Run(name, func(t *testing.T) {
			session, err := factory.OpenRequest(&http.Request{Header: http.Header{"Cookie": headers}})
			if err != nil {
				t.Fatal(err)
			}
			defer session.Close()
			wantEqual(t, "the load result", session.LoadResult(), khufu.Loaded)
		})
	}
	session, err := factory.OpenRequest(&http.Request{})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	wantEqual(t, "the load result without headers", session.LoadResult(), khufu.LoadNone)
}
