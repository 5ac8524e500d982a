package khufu_test

import (
	"regexp"
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
)

func TestCSRFTokens(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	session := openAt(t, factory, "", now)
	for _, token := range []string{"", "x", "\xff"} {
		wantEqual(t, "whether a session without a token accepts one", session.CheckCSRFToken(token), false)
	}
	wantEqual(t, "whether checking made a token", session.Contains("_csrft_"), false)

	token, err := session.CSRFToken()
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(token) {
		t.Errorf("the token is %q", token)
	}
	session = openAt(t, factory, commit(t, session), now)
	again, err := session.CSRFToken()
	if err != nil || again != token {
		t.Errorf("the token is %q, and then %q, %v", token, again, err)
	}
	wantEqual(t, "whether the token is accepted", session.CheckCSRFToken(token), true)
	for _, other := range []string{"", token[1:], token + "0", "\xff", "0" + token[1:] + "0"} {
		wantEqual(t, "whether another token is accepted", session.CheckCSRFToken(other), false)
	}

	newer, err := session.NewCSRFToken()
	if err != nil || newer == token {
		t.Errorf("the new token is %q, %v", newer, err)
	}
	wantEqual(t, "whether the old token is accepted", session.CheckCSRFToken(token), false)
	wantEqual(t, "whether the new token is accepted", session.CheckCSRFToken(newer), true)
}

func TestATokenFromPyramidIsKept(t *testing.T) {
	session := openAt(t, newFactory(t, khufu.Options{}), signed(`[1700000060, 1, {"_csrft_": "whatever"}]`), now)
	token, err := session.CSRFToken()
	if err != nil || token != "whatever" || !session.CheckCSRFToken("whatever") {
		t.Errorf("the token is %q, %v", token, err)
	}
	wantEqual(t, "changed", session.IsChanged(), false)
}
