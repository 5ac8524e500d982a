package khufu_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

const pyramidFile = `# Pyramid's own file
[app:main]
use = egg:shop
khufu.secret = newer
khufu.path = /shop
khufu.httponly = true
; a comment
khufu.previous_secret =
    first
    ` + secret + `

[server:main]
khufu.timeout = soon
`

// cookieWith returns what follows the name and the value of a new session's cookie.
func cookieWith(t *testing.T, options khufu.Options) string {
	t.Helper()
	session := openAt(t, newFactory(t, options), "", now)
	set(t, session, "a", 1)
	_, attributes, _ := strings.Cut(setCookies(t, session)[0], "; ")
	return attributes
}

func TestLoad(t *testing.T) {
	options := khufu.Options{Path: "/before", Secure: true}
	if err := options.Load(pyramidFile, "app:main", "khufu."); err != nil {
		t.Fatal(err)
	}
	options.Settings = []khufu.Setting{{"samesite", "Strict"}}
	factory, err := khufu.NewFactory(options)
	if err != nil {
		t.Fatal(err)
	}
	defer factory.Close()
	wantEqual(t, "the load result", openAt(t, factory, signed(genuine), now).LoadResult(), khufu.LoadedPreviousSecret)
	session := openAt(t, factory, "", now)
	set(t, session, "a", 1)
	_, attributes, _ := strings.Cut(setCookies(t, session)[0], "; ")
	wantEqual(t, "the cookie", attributes, "Path=/shop; secure; HttpOnly; SameSite=Strict")
}

func TestALaterFileOverridesAnEarlierOne(t *testing.T) {
	base := khufu.Options{Secret: secret}
	if err := base.Load("path = /base", "", ""); err != nil {
		t.Fatal(err)
	}
	one, other := base, base
	for path, options := range map[string]*khufu.Options{"/one": &one, "/other": &other} {
		if err := options.Load("path = "+path, "", ""); err != nil {
			t.Fatal(err)
		}
	}
	wantEqual(t, "one cookie", cookieWith(t, one), "Path=/one; SameSite=Lax")
	wantEqual(t, "another cookie", cookieWith(t, other), "Path=/other; SameSite=Lax")
	wantEqual(t, "the cookie of the copied options", cookieWith(t, base), "Path=/base; SameSite=Lax")
}

func TestWrongFilesAreExplained(t *testing.T) {
	for name, row := range map[string]struct {
		text, section, detail string
		wanted                error
	}{
		"no section":     {pyramidFile, "app:other", "app:other", khufu.ErrOption},
		"no value":       {"\nsecret", "", "line 2", khufu.ErrOption},
		"open section":   {"[open", "", "line 1", khufu.ErrOption},
		"unknown option": {"\n\ntiemout = 1", "", "line 3", khufu.ErrOption},
		"wrong value":    {"timeout = soon", "", "soon", khufu.ErrOption},
		"wrong secret":   {"secret_hex = " + hidden + "x", "", "secret_hex", khufu.ErrOption},
		"not UTF-8":      {"secret = \xff" + hidden, "", "UTF-8", khufu.ErrUTF8},
	} {
		t.Run(name, func(t *testing.T) {
			options := khufu.Options{Secret: secret, Timeout: time.Hour}
			err := options.Load(row.text, row.section, "")
			wantError(t, err, row.wanted)
			if err == nil || !strings.Contains(err.Error(), row.detail) || strings.Contains(err.Error(), hidden) {
				t.Errorf("the error is %v", err)
			}
			newFactory(t, options)
		})
	}
	empty := khufu.Options{Secret: secret}
	if err := empty.Load("", "", ""); err != nil {
		t.Error(err)
	}
	newFactory(t, empty)
}

func TestLoadedSecretsAreNotPrinted(t *testing.T) {
	var options khufu.Options
	if err := options.Load("[shop]\nsecret = "+hidden, "shop", ""); err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("start", "options", options, "pointer", &options)
	nested := struct{ Session khufu.Options }{options}
	printed := logged.String() + fmt.Sprintf("%v %+v %#v %x %v %v", options, options, options, options, &options, nested)
	if strings.Contains(printed, hidden) || strings.Contains(printed, fmt.Sprintf("%x", hidden)) {
		t.Error("a secret was printed")
	}
	wantEqual(t, "the text", fmt.Sprint(options), "khufu.Options[load=[shop]]")
}
