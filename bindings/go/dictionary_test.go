package khufu_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

type cart struct {
	SKU  string   `json:"sku"`
	Tags []string `json:"tags,omitempty"`
}

// roundTrip sets a value, commits, opens the session again and gets the value as a T.
func roundTrip[T any](t *testing.T, value any) T {
	t.Helper()
	factory := newFactory(t, khufu.Options{})
	session := openAt(t, factory, "", now)
	set(t, session, "key", value)
	got, err := khufu.Get[T](openAt(t, factory, commit(t, session), now), "key")
	if err != nil {
		t.Errorf("%#v: %v", value, err)
	}
	return got
}

func wantRoundTrip[T any](t *testing.T, value T) {
	t.Helper()
	if got := roundTrip[T](t, value); !reflect.DeepEqual(got, value) {
		t.Errorf("%#v comes back as %#v", value, got)
	}
}

func TestValuesSurviveARoundTrip(t *testing.T) {
	wantRoundTrip(t, "")
	wantRoundTrip(t, "Zoë \x00 \"\\\n\u2028🔑 <b>")
	wantRoundTrip(t, true)
	wantRoundTrip(t, false)
	wantRoundTrip(t, 42)
	wantRoundTrip(t, int64(math.MinInt64))
	wantRoundTrip(t, int64(math.MaxInt64))
	wantRoundTrip(t, uint64(math.MaxUint64))
	wantRoundTrip(t, int8(-8))
	wantRoundTrip(t, float32(0.1))
	for _, number := range []float64{0, 1, -0.1, math.MaxFloat64, math.SmallestNonzeroFloat64, 1e21, 1.0 / 3} {
		wantRoundTrip(t, number)
	}
	wantRoundTrip(t, []string{"a", ""})
	wantRoundTrip(t, map[string]int{"a": 1})
	wantRoundTrip(t, cart{SKU: "A-1", Tags: []string{"x"}})
	wantRoundTrip(t, &cart{SKU: "A-1"})
	wantRoundTrip(t, []byte{0, 255})
	wantRoundTrip(t, now.UTC())
	wantRoundTrip(t, json.RawMessage(`{"b":1.10,"a":1180591620717411303424}`))
	wantRoundTrip(t, json.Number("1180591620717411303424"))
	wantRoundTrip(t, any(map[string]any{"a": []any{nil, true, 1.5, "x"}}))
	wantRoundTrip[any](t, nil)
	wantRoundTrip[*cart](t, nil)
	wantRoundTrip[json.RawMessage](t, json.RawMessage("null"))
	if math.Signbit(roundTrip[float64](t, math.Copysign(0, -1))) != true {
		t.Error("-0.0 lost its sign")
	}
	wantEqual(t, "a named type", roundTrip[khufu.Serializer](t, khufu.Pickle), khufu.Pickle)
}

func TestJSONTextOfValues(t *testing.T) {
	session := newSession(t)
	for _, row := range []struct {
		value any
		text  string
	}{
		{1.0, "1.0"}, {1, "1"}, {1e300, "1e300"}, {nil, "null"}, {"a<b>&c", `"a<b>&c"`}, {[]string{"a<b>"}, `["a<b>"]`},
		{json.RawMessage(nil), "null"}, {json.RawMessage(" 1.10 "), "1.10"}, {(*int)(nil), "null"}, {cart{}, `{"sku":""}`},
	} {
		set(t, session, "key", row.value)
		text, err := session.GetJSON("key")
		if err != nil {
			t.Error(err)
		}
		wantEqual(t, "the text", string(text), row.text)
	}
}

func TestGetOfEveryType(t *testing.T) {
	session := openAt(t, newFactory(t, khufu.Options{}), signed(`[1700000000, 1699999899.75, {
		"string": "x", "int": 7, "big": 1180591620717411303424, "float": 2.0, "huge": 1e400, "bool": true, "null": null,
		"list": [1], "object": {"a": 1}, "nan": NaN, "infinity": -Infinity, "within": [NaN], "lone": "\ud800"}]`), now)
	wantEqual(t, "the load result", session.LoadResult(), khufu.Loaded)

	type readings struct{ str, i64, i, f64, b, any error }
	ok := error(nil)
	for key, wanted := range map[string]readings{
		"string":   {ok, khufu.ErrType, khufu.ErrType, khufu.ErrType, khufu.ErrType, ok},
		"int":      {khufu.ErrType, ok, ok, ok, khufu.ErrType, ok},
		"big":      {khufu.ErrType, khufu.ErrRange, khufu.ErrRange, ok, khufu.ErrType, ok},
		"float":    {khufu.ErrType, khufu.ErrType, khufu.ErrType, ok, khufu.ErrType, ok},
		"huge":     {khufu.ErrType, khufu.ErrType, khufu.ErrType, khufu.ErrRange, khufu.ErrType, khufu.ErrType},
		"bool":     {khufu.ErrType, khufu.ErrType, khufu.ErrType, khufu.ErrType, ok, ok},
		"null":     {khufu.ErrType, khufu.ErrType, khufu.ErrType, khufu.ErrType, khufu.ErrType, ok},
		"list":     {khufu.ErrType, khufu.ErrType, khufu.ErrType, khufu.ErrType, khufu.ErrType, ok},
		"object":   {khufu.ErrType, khufu.ErrType, khufu.ErrType, khufu.ErrType, khufu.ErrType, ok},
		"nan":      {khufu.ErrType, khufu.ErrType, khufu.ErrType, ok, khufu.ErrType, khufu.ErrType},
		"infinity": {khufu.ErrType, khufu.ErrType, khufu.ErrType, ok, khufu.ErrType, khufu.ErrType},
		"within":   {khufu.ErrType, khufu.ErrType, khufu.ErrType, khufu.ErrType, khufu.ErrType, khufu.ErrType},
		"lone":     {khufu.ErrType, khufu.ErrType, khufu.ErrType, khufu.ErrType, khufu.ErrType, ok},
		"missing":  {khufu.ErrNotFound, khufu.ErrNotFound, khufu.ErrNotFound, khufu.ErrNotFound, khufu.ErrNotFound, khufu.ErrNotFound},
		"\xff":     {khufu.ErrUTF8, khufu.ErrUTF8, khufu.ErrUTF8, khufu.ErrUTF8, khufu.ErrUTF8, khufu.ErrUTF8},
	} {
		t.Run(key, func(t *testing.T) {
			_, str := session.GetString(key)
			_, i64 := session.GetInt64(key)
			_, f64 := session.GetFloat64(key)
			_, b := session.GetBool(key)
			_, any := khufu.Get[any](session, key)
			for _, pair := range [][2]error{{str, wanted.str}, {i64, wanted.i64}, {f64, wanted.f64}, {b, wanted.b}, {any, wanted.any}} {
				wantError(t, pair[0], pair[1])
			}
			// Get reads as encoding/json does: null fits every type, and a lone surrogate becomes U+FFFD.
			if key != "null" && key != "lone" {
				_, str = khufu.Get[string](session, key)
				_, i := khufu.Get[int](session, key)
				_, i64 = khufu.Get[int64](session, key)
				_, f64 = khufu.Get[float64](session, key)
				_, b = khufu.Get[bool](session, key)
				for _, pair := range [][2]error{{str, wanted.str}, {f64, wanted.f64}, {b, wanted.b}} {
					if pair[1] == khufu.ErrRange {
						pair[1] = khufu.ErrType
					}
					wantError(t, pair[0], pair[1])
				}
				if (i == nil) != (wanted.i == nil) || (i64 == nil) != (wanted.i64 == nil) {
					t.Errorf("Get of an int: %v, %v", i, i64)
				}
			}
		})
	}

	nan, _ := session.GetFloat64("nan")
	wantEqual(t, "whether NaN is read as NaN", math.IsNaN(nan), true)
	infinity, _ := khufu.Get[float64](session, "infinity")
	wantEqual(t, "-Infinity", infinity, math.Inf(-1))
	number, _ := session.GetFloat64("int")
	wantEqual(t, "an integer as a float", number, 7)
	lone, _ := khufu.Get[string](session, "lone")
	wantEqual(t, "a lone surrogate", lone, "\ufffd")
	value := 5
	if err := session.Get("null", &value); err != nil || value != 5 {
		t.Errorf("null changed the value to %d, %v", value, err)
	}
	if err := session.Get("string", &value); !errors.Is(err, khufu.ErrType) || value != 5 {
		t.Errorf("a string changed the value to %d, %v", value, err)
	}
	var mismatch *json.UnmarshalTypeError
	if err := session.Get("string", &value); !errors.As(err, &mismatch) {
		t.Errorf("no error of encoding/json in %v", err)
	}
	wantEqual(t, "whether ToJSON writes null for NaN", strings.Contains(toJSON(t, session), `"nan":null`), true)
}

func TestGetIntoAnUnusableTargetIsAnError(t *testing.T) {
	session := newSession(t)
	set(t, session, "key", "x")
	for _, target := range []any{nil, 5, "x", (*string)(nil), (*int)(nil), (*int64)(nil), (*float64)(nil), (*bool)(nil), (*[]int)(nil)} {
		wantError(t, session.Get("key", target), khufu.ErrArgument)
		wantError(t, session.Pop("key", target), khufu.ErrArgument)
	}
	wantEqual(t, "the state", toJSON(t, session), `{"key":"x"}`)
}

func TestRefusedValuesChangeNothing(t *testing.T) {
	session := newSession(t)
	set(t, session, "key", "x")
	cyclic := map[string]any{}
	cyclic["self"] = cyclic
	for _, row := range []struct {
		key   string
		value any
		err   error
	}{
		{"key", math.NaN(), khufu.ErrRange}, {"key", math.Inf(1), khufu.ErrRange},
		{"key", []float64{math.NaN()}, khufu.ErrJSON}, {"key", make(chan int), khufu.ErrJSON}, {"key", cyclic, khufu.ErrJSON},
		{"key", json.RawMessage("NaN"), khufu.ErrJSON}, {"key", json.RawMessage("{"), khufu.ErrJSON},
		{"key", json.RawMessage("[1e400]"), khufu.ErrRange}, {"key", json.RawMessage(strings.Repeat("9", 4301)), khufu.ErrRange},
		{"key", new(big.Int).Exp(big.NewInt(10), big.NewInt(4300), nil), khufu.ErrRange},
		{"key", json.RawMessage{}, khufu.ErrJSON}, {"key", json.RawMessage("1 2"), khufu.ErrJSON},
		{"key", json.RawMessage(strings.Repeat("[", 501) + strings.Repeat("]", 501)), khufu.ErrJSON},
		{"key", "\xff", khufu.ErrUTF8}, {"\xff", "x", khufu.ErrUTF8}, {"\xff", 1, khufu.ErrUTF8}, {"\xff", 1.5, khufu.ErrUTF8},
		{"\xff", true, khufu.ErrUTF8}, {"\xff", nil, khufu.ErrUTF8}, {"\xff", []int{}, khufu.ErrUTF8}, {"\xff", int64(1), khufu.ErrUTF8},
	} {
		err := session.Set(row.key, row.value)
		wantError(t, err, row.err)
		var detailed *khufu.Error
		if !errors.As(err, &detailed) || detailed.Detail == "" {
			t.Errorf("%v has no detail", err)
		}
	}
	wantEqual(t, "the state", toJSON(t, session), `{"key":"x"}`)
}

func TestAKeyMayBeAnyText(t *testing.T) {
	session := newSession(t)
	keys := []string{"", " ", "\x00", "a.b", `"\`, "Zoë", "🔑", strings.Repeat("k", 500)}
	for i, key := range keys {
		set(t, session, key, i)
	}
	for i, key := range keys {
		number, err := khufu.Get[int](session, key)
		if err != nil || number != i || !session.Contains(key) {
			t.Errorf("%q holds %d, %v", key, number, err)
		}
	}
	wantEqual(t, "whether the keys are in order", slices.Equal(slices.Collect(session.Keys()), keys), true)
}

func TestIterating(t *testing.T) {
	session := newSession(t)
	for range session.All() {
		t.Error("an empty session has a pair")
	}
	for _, key := range []string{"c", "a", "b"} {
		set(t, session, key, key+"!")
	}
	set(t, session, "a", 1)
	var pairs []string
	for key, value := range session.All() {
		pairs = append(pairs, key+string(value))
	}
	wantEqual(t, "the pairs", strings.Join(pairs, " "), `c"c!" a1 b"b!"`)
	for key := range session.All() {
		wantEqual(t, "the first key", key, "c")
		break
	}
	for key := range session.Keys() {
		wantEqual(t, "the first key", key, "c")
		break
	}
	all := session.All()
	for range 2 {
		number := 0
		for range all {
			number++
		}
		wantEqual(t, "the number of pairs", number, 3)
	}
}

func TestContainsAndLen(t *testing.T) {
	session := newSession(t)
	wantEqual(t, "the length", session.Len(), 0)
	set(t, session, "a", nil)
	wantEqual(t, "the length", session.Len(), 1)
	wantEqual(t, "Contains of a key that is there", session.Contains("a"), true)
	wantEqual(t, "Contains of a missing key", session.Contains("b"), false)
	wantEqual(t, "Contains of an invalid key", session.Contains("\xff"), false)
}

func TestPop(t *testing.T) {
	session := newSession(t)
	set(t, session, "a", "text")
	var number int
	wantError(t, session.Pop("a", &number), khufu.ErrType)
	wantEqual(t, "whether the key is there after an error", session.Contains("a"), true)
	var text string
	if err := session.Pop("a", &text); err != nil || text != "text" {
		t.Errorf("popped %q, %v", text, err)
	}
	wantEqual(t, "whether the key is there after Pop", session.Contains("a"), false)
	wantError(t, session.Pop("a", &text), khufu.ErrNotFound)
}

func TestDeleteAndClear(t *testing.T) {
	session := openAt(t, newFactory(t, khufu.Options{}), signed(`[1700000060, 1, {"a": 1, "b": 2}]`), now)
	if err := session.Delete("x"); err != nil {
		t.Error(err)
	}
	wantEqual(t, "IsChanged after deleting a missing key", session.IsChanged(), false)
	wantError(t, session.Delete("\xff"), khufu.ErrUTF8)
	if err := session.Delete("a"); err != nil {
		t.Error(err)
	}
	wantEqual(t, "changed", session.IsChanged(), true)
	wantEqual(t, "the state", toJSON(t, session), `{"b":2}`)
	if err := session.Clear(); err != nil {
		t.Error(err)
	}
	wantEqual(t, "the state", toJSON(t, session), `{}`)
	wantEqual(t, "IsNew after Clear", session.IsNew(), false)
}

func TestSetDefault(t *testing.T) {
	session := newSession(t)
	var stored []int
	if err := session.SetDefault("a", []int{1}, &stored); err != nil || !slices.Equal(stored, []int{1}) {
		t.Errorf("%v, %v", stored, err)
	}
	if err := session.SetDefault("a", []int{2}, &stored); err != nil || !slices.Equal(stored, []int{1}) {
		t.Errorf("%v, %v", stored, err)
	}
	if err := session.SetDefault("b", nil, nil); err != nil {
		t.Error(err)
	}
	wantEqual(t, "the state", toJSON(t, session), `{"a":[1],"b":null}`)
	var text string
	wantError(t, session.SetDefault("a", "x", &text), khufu.ErrType)
	wantError(t, session.SetDefault("c", make(chan int), &text), khufu.ErrJSON)
	wantError(t, session.SetDefault("\xff", 1, nil), khufu.ErrUTF8)
	wantEqual(t, "the state", toJSON(t, session), `{"a":[1],"b":null}`)
}

func TestEverySetterWritesValuesAlike(t *testing.T) {
	for name, with := range map[string]func(*khufu.Session, any) error{
		"Set":        func(s *khufu.Session, v any) error { return s.Set("k", v) },
		"SetDefault": func(s *khufu.Session, v any) error { return s.SetDefault("k", v, nil) },
		"Update":     func(s *khufu.Session, v any) error { return s.Update(map[string]any{"k": v}) },
		"Flash":      func(s *khufu.Session, v any) error { return s.Flash(v) },
	} {
		t.Run(name, func(t *testing.T) {
			type price float64
			for _, row := range []struct {
				value any
				text  string
			}{
				{1.0, `1.0`}, {float32(1), `1.0`}, {price(3), `3.0`}, {1, `1`}, {[]float64{1, 2.5}, `[1.0,2.5]`}, {map[string]any{"price": 3.0, "n": 3}, `{"n":3,"price":3.0}`},
				{struct{ Price float64 }{4}, `{"Price":4.0}`}, {json.Number("5"), `5`}, {json.RawMessage(`5`), `5`},
			} {
				session := newSession(t)
				if err := with(session, row.value); err != nil {
					t.Fatal(err)
				}
				if state := toJSON(t, session); !strings.Contains(state, `":`+row.text+"}") && !strings.Contains(state, `":[`+row.text+"]}") {
					t.Errorf("%#v: %s", row.value, state)
				}
			}
			const bad = "caf\xe9"
			session := newSession(t)
			for _, value := range []any{
				bad, []string{bad}, map[string]any{"a": []any{bad}}, map[string]int{bad: 1}, struct{ A string }{bad}, json.RawMessage(`"` + bad + `"`),
				[]json.RawMessage{json.RawMessage(`"` + bad + `"`)},
			} {
				wantError(t, with(session, value), khufu.ErrUTF8)
			}
			wantError(t, with(session, make(chan int)), khufu.ErrJSON)
			wantEqual(t, "the state", toJSON(t, session), "{}")
			wantEqual(t, "changed", session.IsChanged(), false)
		})
	}
}

func TestAnErrorShowsNoValue(t *testing.T) {
	session := newSession(t)
	set(t, session, "number", 7112.5)
	set(t, session, "text", "7112")
	var number uint8
	var day time.Time
	for _, err := range []error{
		session.Get("number", &number), session.Get("text", &number), session.Get("text", &day), session.Set("k", json.Number("x7112")),
		session.Set("k", []json.Number{"x7112"}),
	} {
		if err == nil || strings.Contains(err.Error(), "7112") {
			t.Errorf("the error is %v", err)
		}
	}
}

func TestAnErrorNamesTheKeyOfAValueWithoutAJSONForm(t *testing.T) {
	session := newSession(t)
	unusable := make(chan int)
	for name, err := range map[string]error{
		"Set":        session.Set("queue", unusable),
		"SetDefault": session.SetDefault("queue", unusable, nil),
		"Append":     session.Append("queue", unusable),
		"Update":     session.Update(map[string]any{"a": 1, "queue": unusable}),
		"Set text":   session.Set("queue", []string{"\xff"}),
	} {
		if err == nil || !strings.Contains(err.Error(), `cannot set the key "queue": `) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantEqual(t, "the number of keys", session.Len(), 0)
}

func TestUpdate(t *testing.T) {
	session := newSession(t)
	set(t, session, "a", 1)
	if err := session.Update(map[string]any{"a": 2, "b": "x"}); err != nil {
		t.Error(err)
	}
	if err := session.Update(cart{SKU: "A-1"}); err != nil {
		t.Error(err)
	}
	if err := session.Update(json.RawMessage(`{"z": {"y": 1.10}}`)); err != nil {
		t.Error(err)
	}
	state := toJSON(t, session)
	wantEqual(t, "the state", tokens(t, state), tokens(t, `{"a":2,"b":"x","sku":"A-1","z":{"y":1.10}}`))
	for _, values := range []any{[]int{1}, "x", nil, 5, make(chan int), json.RawMessage(`{"a": 3, "b"}`), json.RawMessage(`{"a": 3, "b": NaN}`)} {
		wantError(t, session.Update(values), khufu.ErrJSON)
	}
	wantEqual(t, "the state", toJSON(t, session), state)
}
