package khufu

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"
)

type (
	price   float64
	letter  string
	raised  struct{ cents int }
	address struct{ text string }
	number  struct {
		X float64
		Y float32 `json:"y,omitempty"`
		Z *float64
	}
	hidden struct {
		H float64 `json:"h"`
		A float64
	}
	Tagged struct {
		Name int `json:"A"`
	}
	cycle struct {
		*cycle
		F float64
	}
	record struct {
		hidden
		*Tagged
		number `json:"number"`

		Plain    float64
		Price    price
		Any      any
		List     []float64
		Array    [2]float32
		Prices   map[string]price
		ByNumber map[int]any
		ByText   map[letter]*float64
		ByFloat  map[raised]float64
		Quoted   float64     `json:",string"`
		Number   json.Number `json:"json number"`
		Raw      json.RawMessage
		Bytes    []byte
		Skipped  float64 `json:"-"`
		Dash     float64 `json:"-,"`
		Odd      float64 `json:"a\"b"`
		Omitted  float64 `json:",omitempty"`
		Zero     float64 `json:",omitzero"`
		Time     time.Time
		Net      net.IP
		Raised   raised
		Pointer  *raised
		Address  address
		Slice    []address
		Next     *record
		private  float64
	}
)

// MarshalJSON writes an integer that looks like a float without a fraction.
func (r raised) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, `{"cents":%d}`, r.cents), nil }

func (r raised) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%d ¢", r.cents), nil }

// MarshalJSON is used only if the value is addressable.
func (a *address) MarshalJSON() ([]byte, error) { return json.Marshal([]any{a.text, 1}) }

func randomFloat(random *rand.Rand) float64 {
	switch random.IntN(5) {
	case 0:
		return float64(random.IntN(10))
	case 1:
		return -float64(random.IntN(1 << 30))
	case 2:
		return math.Copysign(0, -1)
	case 3:
		return random.NormFloat64()
	}
	return math.Pow10(random.IntN(40)-10) * float64(random.IntN(100))
}

func randomText(random *rand.Rand) string {
	return []string{"", "a", "é\ufffd", "\\ufffd", `"\`, "1", "<&>\u2028\x00", "😀", "A", "X"}[random.IntN(10)]
}

func randomAny(random *rand.Rand, depth int) any {
	if depth == 0 {
		return randomFloat(random)
	}
	list := make([]any, random.IntN(4))
	for i := range list {
		list[i] = randomAny(random, depth-1)
	}
	switch random.IntN(14) {
	case 0:
		return nil
	case 1:
		return random.IntN(100)
	case 2:
		return randomText(random)
	case 3:
		return float32(random.IntN(50))
	case 4:
		return list
	case 5:
		members := map[string]any{}
		for _, element := range list {
			members[randomText(random)] = element
		}
		return members
	case 6:
		number := randomFloat(random)
		return &number
	case 7:
		return raised{random.IntN(100)}
	case 8:
		return map[raised]any{{1}: randomAny(random, depth-1), {2}: 1}
	case 9:
		return randomRecord(random, depth-1)
	case 10:
		return []any{json.RawMessage(` [1, 1.0, "\ufffd", {"a": 2}] `)}
	case 11:
		return &cycle{&cycle{nil, 1}, randomFloat(random)}
	case 12:
		return map[int8]price{1: price(randomFloat(random)), -1: 2}
	}
	return randomFloat(random)
}

func randomRecord(random *rand.Rand, depth int) *record {
	number := randomFloat(random)
	r := &record{
		hidden: hidden{randomFloat(random), randomFloat(random)}, Plain: number, Price: price(randomFloat(random)),
		Any: randomAny(random, depth), List: []float64{randomFloat(random), 1}, Array: [2]float32{1, 1.5},
		Prices: map[string]price{randomText(random): price(randomFloat(random))}, ByNumber: map[int]any{1: randomFloat(random), 10: 1},
		ByText: map[letter]*float64{"é": &number, "nil": nil}, ByFloat: map[raised]float64{{1}: randomFloat(random)},
		Quoted: randomFloat(random), Number: "1", Raw: json.RawMessage(`1`), Bytes: []byte("bytes"), Skipped: 1, Dash: 1, Odd: 1,
		Omitted: float64(random.IntN(2)), Zero: float64(random.IntN(2)), Time: time.Unix(1700000060, 0), Net: net.IPv4(1, 2, 3, 4), Raised: raised{1},
		Address: address{"a"}, Slice: []address{{"b"}}, private: 1,
	}
	r.number.X, r.number.Z = randomFloat(random), &number
	if random.IntN(2) == 0 {
		r.Tagged = &Tagged{1}
		r.Pointer = &r.Raised
		r.Next = &record{Plain: 1}
	}
	return r
}

// withoutFractions removes from JSON text the ".0" that encode adds to whole numbers.
func withoutFractions(text string) string {
	var b strings.Builder
	for i, inString := 0, false; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			b.WriteByte(c)
			i++
		case c == '"':
			inString = !inString
		case !inString && c == '.' && text[i+1] == '0' && (i+2 == len(text) || strings.ContainsRune(",]}", rune(text[i+2]))):
			i++
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func plain(t *testing.T, value any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func TestEncodeMatchesEncodingJSONExceptForFractions(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 20_000 {
		value := randomAny(random, 4)
		text, err := encode(value)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		// A json.RawMessage may have such a fraction, too, so both texts are stripped.
		if found, wanted := withoutFractions(text), withoutFractions(plain(t, value)); found != wanted {
			t.Fatalf("seed %d:\n%s\nis not\n%s", seed, found, wanted)
		}
	}
}

// Every float in the JSON text has a fraction or an exponent.
func TestEveryFloatIsWrittenAsAFloat(t *testing.T) {
	var floats func(v any) int
	floats = func(v any) (n int) {
		switch v := v.(type) {
		case json.Number:
			if strings.ContainsAny(v.String(), ".e") {
				return 1
			}
		case []any:
			for _, element := range v {
				n += floats(element)
			}
		case map[string]any:
			for _, element := range v {
				n += floats(element)
			}
		}
		return n
	}
	one := 1.0
	for _, row := range []struct {
		value any
		text  string
	}{
		{1.0, `1.0`}, {float32(2), `2.0`}, {price(-3), `-3.0`}, {math.Copysign(0, -1), `-0.0`}, {1e21, `1e+21`}, {1e20, `100000000000000000000.0`},
		{[]float64{1, 1.5, 1e-7}, `[1.0,1.5,1e-7]`}, {[2]any{1, 1.0}, `[1,1.0]`}, {&one, `1.0`}, {[]*float64{&one, nil}, `[1.0,null]`},
		{map[string]any{"b": 1.0, "a": 1, "c": []any{map[string]float64{"d": 2}}}, `{"a":1,"b":1.0,"c":[{"d":2.0}]}`},
		{map[int]float64{10: 1, 9: 2}, `{"10":1.0,"9":2.0}`}, {map[uint8]any{1: 1.0}, `{"1":1.0}`},
		{map[raised]float64{{5}: 1}, `{"5 ¢":1.0}`}, {raised{1}, `{"cents":1}`}, {[]raised{{1}}, `[{"cents":1}]`},
		{address{"a"}, `{}`}, {&address{"a"}, `["a",1]`}, {[]address{{"a"}}, `[["a",1]]`}, {map[string]address{"k": {"a"}}, `{"k":{}}`},
		{json.Number("1"), `1`}, {json.RawMessage(`1`), `1`}, {[]json.RawMessage{json.RawMessage(` 1 `)}, `[1]`}, {[]any{json.Number("1")}, `[1]`},
		{number{X: 1, Z: &one}, `{"X":1.0,"Z":1.0}`}, {struct {
			Quoted float64 `json:",string"`
		}{1}, `{"Quoted":"1"}`},
		{struct {
			hidden
			*Tagged
		}{hidden{1, 2}, &Tagged{3}}, `{"h":1.0,"A":3}`},
		{struct {
			hidden
			Tagged
			A float64
		}{hidden{1, 2}, Tagged{3}, 4}, `{"h":1.0,"A":4.0}`},
		{struct {
			F float64 `json:"a\"b"`
			G float64 `json:"-,"`
			H float64 `json:"-"`
		}{1, 2, 3}, `{"F":1.0,"-":2.0}`},
		{cycle{&cycle{nil, 1}, 2}, `{"F":2.0}`}, {struct{ any }{1.0}, `{}`}, {struct{ Error any }{1.0}, `{"Error":1.0}`},
		{struct{ M json.Marshaler }{raised{1}}, `{"M":{"cents":1}}`}, {(*record)(nil), `null`}, {[]float64(nil), `null`}, {[]float64{}, `[]`},
		{map[string]any{`q"\`: 1.0, "é\u2028": 2.0}, `{"q\"\\":1.0,"é\u2028":2.0}`}, {nil, `null`},
	} {
		text, err := encode(row.value)
		if err != nil || text != row.text {
			t.Errorf("%#v: %s, %v and not %s", row.value, text, err, row.text)
		}
		if found, wanted := withoutFractions(text), plain(t, row.value); found != wanted {
			t.Errorf("%s is not %s", found, wanted)
		}
	}

	var read any
	text, _ := encode(randomRecord(rand.New(rand.NewPCG(1, 2)), 0))
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&read); err != nil {
		t.Fatal(err)
	}
	if found := floats(read); found < 15 {
		t.Errorf("only %d floats in %s", found, text)
	}
}

type badText struct{}

func (badText) MarshalText() ([]byte, error) { return []byte("caf\xe9"), nil }

func TestTextThatIsNotUTF8IsRefusedAtAnyDepth(t *testing.T) {
	const bad = "caf\xe9"
	pointer := bad
	for _, value := range []any{
		bad, letter(bad), &pointer, []string{"a", bad}, [1]letter{bad}, []any{bad}, map[string]string{"a": bad}, map[string]int{bad: 1},
		map[letter]any{bad: nil}, map[string]int{bad: 1, "caf\ufffd": 2}, struct{ A string }{bad}, struct{ hiddenText }{hiddenText{bad}}, &struct{ A any }{&pointer},
		struct {
			A string `json:",string"`
		}{bad}, []map[string][]any{{"a": {1, bad}}}, badText{}, []badText{{}}, map[badText]int{{}: 1},
		map[string]any{"\ufffd": 1, "b": "a\xffb"},
	} {
		if text, err := encode(value); !errors.Is(err, ErrUTF8) || text != "" || strings.Contains(err.Error(), "caf") {
			t.Errorf("%#v: %q, %v", value, text, err)
		}
	}
	for _, value := range []any{
		"\ufffd", []string{"\ufffd", `\ufffd`}, map[string]int{"\ufffd": 1}, json.RawMessage(`"\ufffd"`), []json.RawMessage{json.RawMessage(`"\ufffd"`)},
		[]byte(bad), []string(nil),
	} {
		if _, err := encode(value); err != nil {
			t.Errorf("%#v: %v", value, err)
		}
	}
}

type hiddenText struct{ Text string }

func TestFieldsAreCachedByType(t *testing.T) {
	first, second := fields(reflect.TypeFor[record]()), fields(reflect.TypeFor[record]())
	if reflect.ValueOf(first).Pointer() != reflect.ValueOf(second).Pointer() {
		t.Error("the fields were computed again")
	}
}

func BenchmarkEncode(b *testing.B) {
	for name, value := range map[string]any{
		"list of strings": []string{"A-1", "B-2", "C-3"}, "map": map[string]any{"user": "ada", "visits": 7, "price": 1.5, "tags": []string{"a", "b"}},
		"struct": number{X: 1, Y: 2},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				encode(value)
			}
		})
		b.Run(name+" by encoding/json", func(b *testing.B) {
			for b.Loop() {
				json.Marshal(value)
			}
		})
	}
}
