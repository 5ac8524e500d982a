package khufu_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// vectors are cookies that Pyramid and pyramid_nacl_session wrote.
type vectors struct {
	Now   int64
	Cases []vector
}

type vector struct {
	Name, Serializer, HashAlg, Salt, Secret, Cookie string

	SecretHex        string `json:"secret_hex"`
	StateJSON        string `json:"state_json"`
	Renewed, Created float64
}

// vectorFiles has the number of cases in each file.
var vectorFiles = map[string]int{"pyramid_signed_json.json": 43, "pyramid_signed_pickle.json": 54, "pyramid_nacl.json": 27}

func (c vector) options() khufu.Options {
	options := khufu.Options{
		Secret: c.Secret, SecretHex: c.SecretHex, Salt: c.Salt,
		Serializer: khufu.Serializer(c.Serializer), HashAlg: khufu.HashAlg(c.HashAlg),
	}
	if c.SecretHex != "" {
		options.Type = khufu.EncryptedCookie
	}
	return options
}

func TestVectorsOpenToTheirState(t *testing.T) {
	for file, number := range vectorFiles {
		t.Run(file, func(t *testing.T) {
			v := readVectors[vectors](t, file)
			wantEqual(t, "the number of cases", len(v.Cases), number)
			for i, c := range v.Cases {
				t.Run(fmt.Sprintf("%d %s", i, c.Name), func(t *testing.T) {
					factory := newFactory(t, c.options())
					session := openAt(t, factory, "session="+c.Cookie, time.Unix(v.Now, 0))
					wantEqual(t, "the load result", session.LoadResult(), khufu.Loaded)
					wantEqual(t, "the refusal", session.Refusal(), "")
					wantEqual(t, "IsNew", session.IsNew(), false)
					wantEqual(t, "created", seconds(session.Created()), c.Created)
					wantEqual(t, "renewed", seconds(session.Renewed()), c.Renewed)
					wantSameState(t, session, c.StateJSON)

					again := openAt(t, factory, commit(t, session), time.Unix(v.Now+1, 0))
					wantEqual(t, "the load result of the written session", again.LoadResult(), khufu.Loaded)
					wantEqual(t, "created", seconds(again.Created()), c.Created)
					wantEqual(t, "renewed", seconds(again.Renewed()), float64(v.Now))
					wantSameState(t, again, c.StateJSON)
				})
			}
		})
	}
}

func TestChangedVectorsAreRefused(t *testing.T) {
	for file := range vectorFiles {
		v := readVectors[vectors](t, file)
		for _, c := range v.Cases[:8] {
			factory := newFactory(t, c.options())
			for i := range c.Cookie {
				changed := []byte(c.Cookie)
				changed[i] ^= 1
				session := openAt(t, factory, "session="+string(changed), time.Unix(v.Now, 0))
				if session.LoadResult() == khufu.Loaded || session.Len() != 0 || session.Refusal() == "" {
					t.Errorf("%s: %s opens although character %d was changed", file, c.Name, i)
				}
			}
		}
	}
}

func seconds(t time.Time) float64 {
	return float64(t.Unix()) + float64(t.Nanosecond())/1e9
}

// wantSameState compares the session with the state that Python wrote, as a whole and key by
// key.
func wantSameState(t *testing.T, session *khufu.Session, stateJSON string) {
	t.Helper()
	wanted := tokens(t, stateJSON)
	wantEqual(t, "the state", tokens(t, toJSON(t, session)), wanted)

	var pairs []string
	for key, value := range session.All() {
		name, _ := json.Marshal(key)
		pairs = append(pairs, string(name)+":"+string(value))
		single, err := session.GetJSON(key)
		if err != nil {
			t.Error(err)
		}
		wantEqual(t, "the value of "+key, string(single), string(value))
	}
	wantEqual(t, "the number of keys", session.Len(), len(pairs))
	wantEqual(t, "the pairs", tokens(t, "{"+strings.Join(pairs, ",")+"}"), wanted)
}

// tokens returns a normal form of JSON text, which keeps the order and the types but not how
// floats and strings were written.
func tokens(t *testing.T, text string) string {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var spelled strings.Builder
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return spelled.String()
		}
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if number, ok := token.(json.Number); ok && strings.ContainsAny(number.String(), ".eE") {
			value, err := number.Float64()
			if err != nil {
				t.Fatal(err)
			}
			token = "float " + strconv.FormatFloat(value, 'g', -1, 64)
		}
		fmt.Fprintf(&spelled, "%T %q\n", token, fmt.Sprint(token))
	}
}
