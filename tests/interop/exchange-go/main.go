// The Go peer of the live exchange. ../README.md describes the protocol.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

func main() {
	in := bufio.NewReader(os.Stdin)
	var factory *khufu.Factory
	var session *khufu.Session
	for {
		line, err := in.ReadString('\n')
		if line == "" {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		request, words := decoded(line)
		var answer []string
		switch request {
		case "factory":
			factory, err = newFactory(words)
		case "read":
			answer, err = read(factory, words)
		case "write":
			answer, err = write(factory, words)
		case "open":
			if session != nil {
				session.Close()
			}
			if session, err = factory.Open(words[1], khufu.At(instant(words[0]))); err == nil {
				answer = []string{session.LoadResult().String()}
			}
		default:
			answer, err = use(session, request, words)
		}
		verdict := "ok"
		if err != nil {
			var failure *khufu.Error
			if !errors.As(err, &failure) {
				log.Fatal(err)
			}
			verdict, answer = "error", []string{strconv.Itoa(int(failure.Status)), failure.Error()}
		}
		fmt.Println(encoded(verdict, answer))
	}
}

func newFactory(words []string) (*khufu.Factory, error) {
	var options khufu.Options
	for ; len(words) >= 2; words = words[2:] {
		options.Settings = append(options.Settings, khufu.Setting{Name: words[0], Value: words[1]})
	}
	return khufu.NewFactory(options)
}

func read(factory *khufu.Factory, words []string) ([]string, error) {
	session, err := factory.Open(words[1], khufu.At(instant(words[0])))
	if err != nil {
		return nil, err
	}
	defer session.Close()
	whole, err := session.ToJSON()
	if err != nil {
		return nil, err
	}
	answer := []string{session.LoadResult().String(), seconds(session.Renewed()), seconds(session.Created()), string(whole)}
	for key, value := range session.All() {
		answer = append(answer, key, string(value))
	}
	return answer, nil
}

func write(factory *khufu.Factory, words []string) ([]string, error) {
	session, err := factory.Open(words[1], khufu.At(instant(words[0])))
	if err != nil {
		return nil, err
	}
	defer session.Close()
	for pairs := words[2:]; len(pairs) >= 2; pairs = pairs[2:] {
		if err := session.Set(pairs[0], json.RawMessage(pairs[1])); err != nil {
			return nil, err
		}
	}
	return commit(session)
}

// commit returns the Set-Cookie values of the response.
func commit(session *khufu.Session) ([]string, error) {
	header, err := session.Commit()
	return header["Set-Cookie"], err
}

// use answers the requests for the open session.
func use(session *khufu.Session, request string, words []string) ([]string, error) {
	switch request {
	case "get":
		value, err := session.GetJSON(words[0])
		return []string{string(value)}, err
	case "set":
		return nil, session.Set(words[0], json.RawMessage(words[1]))
	case "delete":
		return nil, session.Delete(words[0])
	case "flash":
		return nil, session.Flash(words[0], khufu.Queue(words[1]))
	case "pop_flash":
		messages := json.RawMessage("[]")
		err := session.PopFlash(words[0], &messages)
		return []string{string(messages)}, err
	case "csrf_token":
		token, err := session.CSRFToken()
		return []string{token}, err
	case "invalidate":
		return nil, session.Invalidate()
	case "regenerate_id":
		return nil, session.RegenerateID()
	case "commit":
		return commit(session)
	}
	log.Fatalf("unknown request: %s", request)
	return nil, nil
}

func decoded(line string) (request string, words []string) {
	fields := strings.Fields(line)
	for _, field := range fields[1:] {
		word, err := hex.DecodeString(strings.TrimPrefix(field, "-"))
		if err != nil {
			log.Fatal(err)
		}
		words = append(words, string(word))
	}
	return fields[0], words
}

func encoded(verdict string, words []string) string {
	line := []string{verdict}
	for _, word := range words {
		if word == "" {
			line = append(line, "-")
		} else {
			line = append(line, hex.EncodeToString([]byte(word)))
		}
	}
	return strings.Join(line, " ")
}

func instant(text string) time.Time {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		log.Fatal(err)
	}
	whole, fraction := math.Modf(value)
	return time.Unix(int64(whole), int64(math.Round(fraction*1e9)))
}

func seconds(t time.Time) string {
	return strconv.FormatFloat(float64(t.Unix())+float64(t.Nanosecond())/1e9, 'f', -1, 64)
}
