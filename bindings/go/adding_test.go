package khufu_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
)

func TestAppend(t *testing.T) {
	session := newSession(t)
	for _, element := range []any{"x", 1, 2.0, nil, true, []int{3}, map[string]string{"a<": "b"}, json.RawMessage(" [4] ")} {
		if err := session.Append("list", element); err != nil {
			t.Errorf("Append(%v): %v", element, err)
		}
	}
	wantEqual(t, "the state", toJSON(t, session), `{"list":["x",1,2.0,null,true,[3],{"a<":"b"},[4]]}`)
}

func TestRefusedElementsChangeNothing(t *testing.T) {
	session := openAt(t, newFactory(t, khufu.Options{}), signed(`[1700000060, 1699999899.75, {"list": [1], "text": "x"}]`), now)
	for name, row := range map[string]struct {
		key     string
		element any
		wanted  error
	}{
		"not a list":    {"text", 1, khufu.ErrType},
		"not JSON":      {"list", math.NaN(), khufu.ErrJSON},
		"a function":    {"list", func() {}, khufu.ErrJSON},
		"raw":           {"list", json.RawMessage("["), khufu.ErrJSON},
		"deep":          {"list", json.RawMessage(strings.Repeat("[", 501) + strings.Repeat("]", 501)), khufu.ErrJSON},
		"not UTF-8":     {"list", "\xff", khufu.ErrUTF8},
		"key not UTF-8": {"\xff", 1, khufu.ErrUTF8},
		"too long":      {"list", json.RawMessage(strings.Repeat("1", 4301)), khufu.ErrRange},
	} {
		t.Run(name, func(t *testing.T) { wantError(t, session.Append(row.key, row.element), row.wanted) })
	}
	wantEqual(t, "changed", session.IsChanged(), false)
}

func TestIncrement(t *testing.T) {
	session := newSession(t)
	set(t, session, "text", "1")
	set(t, session, "float", 1.0)
	set(t, session, "big", json.RawMessage("1180591620717411303424"))
	set(t, session, "most", int64(math.MaxInt64))
	for _, row := range []struct {
		key    string
		by     int64
		sum    int64
		wanted error
	}{
		{"n", 2, 2, nil}, {"n", -5, -3, nil}, {"n", 0, -3, nil}, {"least", math.MinInt64, math.MinInt64, nil},
		{"least", -1, 0, khufu.ErrRange}, {"most", 1, 0, khufu.ErrRange}, {"big", 1, 0, khufu.ErrRange},
		{"text", 1, 0, khufu.ErrType}, {"float", 1, 0, khufu.ErrType}, {"\xff", 1, 0, khufu.ErrUTF8},
	} {
		sum, err := session.Increment(row.key, row.by)
		if sum != row.sum || !errors.Is(err, row.wanted) {
			t.Errorf("Increment(%q, %d) is %d, %v", row.key, row.by, sum, err)
		}
	}
	least, err := session.GetInt64("least")
	if err != nil || least != math.MinInt64 {
		t.Errorf("the least number is now %d, %v", least, err)
	}
}
