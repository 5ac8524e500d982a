package khufu_test

import (
	"encoding/json"
	"reflect"
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
)

func TestUseNumberKeepsEveryDigit(t *testing.T) {
	session := newSession(t)
	set(t, session, "n", json.RawMessage(`9007199254740993`))
	set(t, session, "list", json.RawMessage(`[1.10, {"a": 1180591620717411303424}]`))

	n, err := khufu.Get[any](session, "n", khufu.UseNumber())
	if err != nil || n != json.Number("9007199254740993") {
		t.Errorf("%v, %v", n, err)
	}
	wanted := []any{json.Number("1.10"), map[string]any{"a": json.Number("1180591620717411303424")}}
	var list any
	if err := session.Pop("list", &list, khufu.UseNumber()); err != nil || !reflect.DeepEqual(list, wanted) {
		t.Errorf("%v, %v", list, err)
	}
	set(t, session, "list", wanted)
	wantEqual(t, "the state", toJSON(t, session), `{"n":9007199254740993,"list":[1.10,{"a":1180591620717411303424}]}`)

	without, err := khufu.Get[any](session, "n")
	if err != nil || without != 9007199254740992.0 {
		t.Errorf("without UseNumber: %v, %v", without, err)
	}
	var text string
	wantError(t, session.Get("n", &text, khufu.UseNumber()), khufu.ErrType)
	wantError(t, session.Get("n", nil, khufu.UseNumber()), khufu.ErrArgument)
}
