package khufu_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

const hidden = "c0ffee00"

func TestWrongOptionsAreExplained(t *testing.T) {
	key := strings.Repeat("ab", 32)
	for name, row := range map[string]struct {
		options khufu.Options
		detail  string
	}{
		"no secret":             {khufu.Options{}, "secret"},
		"two secrets":           {khufu.Options{Secret: hidden, SecretHex: hidden}, "secret_hex"},
		"not hexadecimal":       {khufu.Options{SecretHex: hidden + "x"}, "secret_hex"},
		"type":                  {khufu.Options{Secret: hidden, Type: "sealed"}, "sealed"},
		"serializer":            {khufu.Options{Secret: hidden, Serializer: "yaml"}, "yaml"},
		"hash":                  {khufu.Options{Secret: hidden, HashAlg: "md5"}, "md5"},
		"cookie name":           {khufu.Options{Secret: hidden, CookieName: "a b"}, "cookie_name"},
		"path":                  {khufu.Options{Secret: hidden, Path: "/;"}, "path"},
		"domain":                {khufu.Options{Secret: hidden, Domain: "a\nb"}, "domain"},
		"same site":             {khufu.Options{Secret: hidden, SameSite: 9}, "samesite"},
		"same site and secure":  {khufu.Options{Secret: hidden, SameSite: http.SameSiteNoneMode}, "secure"},
		"partitioned":           {khufu.Options{Secret: hidden, Partitioned: true}, "secure"},
		"library":               {khufu.Options{Secret: hidden, Library: "rails"}, "rails"},
		"timeout":               {khufu.Options{Secret: hidden, Timeout: 1500 * time.Millisecond}, "1.5"},
		"reissue time":          {khufu.Options{Secret: hidden, ReissueTime: time.Nanosecond}, "reissue_time"},
		"max age":               {khufu.Options{Secret: hidden, MaxAge: -time.Second}, "max_age"},
		"previous secret":       {khufu.Options{Secret: hidden, PreviousSecretsHex: []string{hidden + "x"}}, "previous_secret_hex"},
		"short encryption key":  {khufu.Options{Secret: hidden, Type: khufu.EncryptedCookie}, "64"},
		"long encryption key":   {khufu.Options{SecretHex: key + "ab", Type: khufu.EncryptedCookie}, "64"},
		"previous key":          {khufu.Options{SecretHex: key, PreviousSecrets: []string{hidden}, Type: khufu.EncryptedCookie}, "previous_secret"},
		"store":                 {khufu.Options{Secret: hidden, Type: khufu.Stored, Store: "mysql:x"}, "memory:"},
		"store timeout":         {khufu.Options{Secret: hidden, StoreTimeout: 2 * time.Hour}, "store_timeout"},
		"store on error":        {khufu.Options{Secret: hidden, StoreOnError: "panic"}, "panic"},
		"store's bytes":         {khufu.Options{Secret: hidden, StoreMaxBytes: -1}, "store_max_bytes"},
		"absolute timeout":      {khufu.Options{Secret: hidden, AbsoluteTimeout: -time.Second}, "absolute_timeout"},
		"grace":                 {khufu.Options{Secret: hidden, RegenerateGrace: time.Millisecond}, "regenerate_grace"},
		"setting":               {khufu.Options{Secret: hidden, Settings: []khufu.Setting{{"tiemout", "1"}}}, "tiemout"},
		"setting's value":       {khufu.Options{Secret: hidden, Settings: []khufu.Setting{{"secure", "maybe"}}}, "maybe"},
		"setting of a secret":   {khufu.Options{Settings: []khufu.Setting{{"secret_hex", hidden + "x"}}}, "secret_hex"},
		"format without secret": {khufu.Options{Secret: hidden, Accept: []khufu.Format{{Name: "old"}}}, "accept.old.secret"},
		"format without name":   {khufu.Options{Secret: hidden, Accept: []khufu.Format{{Secret: hidden}}}, "accept"},
		"format's name":         {khufu.Options{Secret: hidden, Accept: []khufu.Format{{Name: "a b", Secret: hidden}}}, "a b"},
		"format's hash":         {khufu.Options{Secret: hidden, Accept: []khufu.Format{{Name: "old", Secret: hidden, HashAlg: "md5"}}}, "md5"},
		"format's key": {khufu.Options{Secret: hidden, Accept: []khufu.Format{{Name: "old", Secret: hidden, Type: khufu.EncryptedCookie}}},
			"accept.old.secret"},
		"not text": {khufu.Options{Secret: "\xff" + hidden}, "UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			factory, err := khufu.NewFactory(row.options)
			if factory != nil {
				t.Error("NewFactory returned a factory")
			}
			if wanted := khufu.ErrOption; name == "not text" {
				wantError(t, err, khufu.ErrUTF8)
			} else {
				wantError(t, err, wanted)
			}
			var detailed *khufu.Error
			if !errors.As(err, &detailed) {
				t.Fatalf("%T is not a *khufu.Error", err)
			}
			if !strings.Contains(err.Error(), row.detail) {
				t.Errorf("%q does not contain %q", err, row.detail)
			}
			if strings.Contains(err.Error(), hidden) {
				t.Errorf("%q shows the secret", err)
			}
		})
	}
}

func TestOptionsNeverShowTheirSecrets(t *testing.T) {
	secrets := []string{hidden, hidden}
	format := khufu.Format{Name: "old", Secret: hidden, SecretHex: hidden, PreviousSecrets: secrets, PreviousSecretsHex: secrets, EncryptKey: hidden, Salt: "old."}
	setting := khufu.Setting{Name: "accept.old.previous_secret_hex", Value: hidden}
	options := khufu.Options{
		Secret: hidden, SecretHex: hidden, PreviousSecrets: secrets, PreviousSecretsHex: secrets, EncryptKey: hidden, CookieName: "sid",
		Accept: []khufu.Format{format}, Settings: []khufu.Setting{setting, {"Secret", hidden}, {"encrypt_key", hidden}},
	}
	nested := struct{ Session khufu.Options }{options}

	var printed bytes.Buffer
	for _, value := range []any{options, &options, format, &format, setting, &setting, nested, &nested, []khufu.Options{options}} {
		for _, verb := range "vsqdxXTtcz" {
			fmt.Fprintf(&printed, "%"+string(verb)+"\n", value)
		}
		fmt.Fprintf(&printed, "%+v\n%#v\n% x\n", value, value, value)
		fmt.Fprintln(&printed, value)
		fmt.Fprintf(&printed, strings.Repeat("x", 2), value) // as a superfluous argument
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&printed, nil), slog.NewJSONHandler(&printed, nil)} {
		slog.New(handler).Info("start", "options", options, "pointer", &options, "format", format, "setting", setting)
	}
	for _, leak := range []string{hidden, fmt.Sprintf("%x", hidden), fmt.Sprintf("%X", hidden), fmt.Sprintf("% x", hidden), fmt.Sprintf("%d", []byte(hidden))} {
		if strings.Contains(printed.String(), leak) {
			t.Errorf("printed %s", leak)
		}
	}
	for _, shown := range []string{"sid", "[hidden]", "accept.old.salt=old."} {
		if !strings.Contains(fmt.Sprint(options), shown) {
			t.Errorf("%v does not show %s", options, shown)
		}
	}
}

func TestSettingsSetEveryOption(t *testing.T) {
	factory, err := khufu.NewFactory(khufu.Options{Settings: []khufu.Setting{
		{"secret", "newer"}, {"previous_secret", "x"}, {"previous_secret", secret}, {"timeout", ""},
		{"accept.b.secret", "b"}, {"accept.a.secret", secret}, {"accept.a.salt", ""},
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer factory.Close()
	wantEqual(t, "the load result", openAt(t, factory, signed(genuine), now).LoadResult(), khufu.LoadedPreviousSecret)

	unsalted := newFactory(t, khufu.Options{Settings: []khufu.Setting{{"salt", ""}}})
	session := openAt(t, unsalted, "", now)
	set(t, session, "a", 1)
	wantEqual(t, "the load format", openAt(t, factory, commit(t, session), now).LoadFormat(), "a")
}

func TestGenerateSecret(t *testing.T) {
	for forType, digits := range map[khufu.Type]int{khufu.SignedCookie: 128, khufu.EncryptedCookie: 64, khufu.Stored: 128} {
		seen := map[string]bool{}
		for range 100 {
			secret, err := khufu.GenerateSecret(forType)
			if err != nil {
				t.Fatal(err)
			}
			if len(secret) != digits || strings.Trim(secret, "0123456789abcdef") != "" || seen[secret] {
				t.Fatalf("for a %s: %q", forType, secret)
			}
			seen[secret] = true
			newFactory(t, khufu.Options{Secret: secret, Type: forType})
			newFactory(t, khufu.Options{SecretHex: secret, Type: forType})
		}
	}
	_, err := khufu.GenerateSecret("sealed")
	wantError(t, err, khufu.ErrArgument)
}
