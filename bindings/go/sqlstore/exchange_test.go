package sqlstore_test

import (
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/internal/storedriver"
	"github.com/khufu/khufu/bindings/go/sqlstore"
)

// startGo starts a server with the store in this process, and returns its address.
func startGo(t *testing.T, db *sql.DB) string {
	t.Helper()
	store := newStore(t, db, sqlstore.Options{Dedicated: true})
	factory := storedriver.NewFactory(t, khufu.Options{CustomStore: store})
	server := httptest.NewServer(newHandler(factory))
	t.Cleanup(server.Close)
	return server.URL
}

// newHandler returns a handler that answers with the result of what the path says.
func newHandler(factory *khufu.Factory) http.Handler {
	mux := http.NewServeMux()
	handle := func(path string, do func(s *khufu.Session, argument string) (any, error)) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			result, err := do(khufu.FromContext(r.Context()), r.FormValue("x"))
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			fmt.Fprint(w, result)
		})
	}
	handle("/add", func(s *khufu.Session, key string) (any, error) { return s.Increment(key, 1) })
	handle("/state", func(s *khufu.Session, _ string) (any, error) { text, err := s.ToJSON(); return string(text), err })
	handle("/login", func(s *khufu.Session, user string) (any, error) {
		return "", errors.Join(s.SetSubject(user), s.RegenerateID())
	})
	handle("/logout", func(s *khufu.Session, _ string) (any, error) { return "", s.Invalidate() })
	handle("/sessions", func(_ *khufu.Session, user string) (any, error) {
		sessions, err := factory.Subject(user).Sessions()
		return len(sessions), err
	})
	handle("/revoke", func(_ *khufu.Session, user string) (any, error) { return factory.Subject(user).RevokeAll("") })
	return factory.Middleware(mux)
}

// A visitor is a browser with a session cookie that both servers get.
type visitor struct {
	*testing.T
	http.Client
}

func newVisitor(t *testing.T) visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return visitor{t, http.Client{Jar: jar}}
}

// want makes a request and checks its answer.
func (v visitor) want(server, path, argument, wanted string) {
	v.Helper()
	response, err := v.Get(server + path + "?x=" + url.QueryEscape(argument))
	if err != nil {
		v.Error(err)
		return
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != wanted {
		v.Errorf("%s answers %d, %q, not %q, %v", path, response.StatusCode, body, wanted, err)
	}
}

func TestTheStoreSharesSessionsWithTheCore(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		for first := range 2 {
			path := newPath(t)
			var servers [2]string // the first one creates the file
			db := openFile(t, name, path)
			for i := range servers {
				if i == first {
					servers[i] = startGo(t, db)
				} else {
					servers[i] = startCore(t, path)
				}
			}
			exchange(t, servers[0], servers[1])
			exchange(t, servers[1], servers[0])
			checkRows(t, db)
			checkIntegrity(t, db)
		}
	})
}

// exchange tests sessions that two servers share.
func exchange(t *testing.T, one, other string) {
	user := storedriver.NewName()
	first, second := newVisitor(t), newVisitor(t)
	for i, server := range []string{one, other, one, other} {
		first.want(server, "/add", "visits", strconv.Itoa(i+1))
		first.want(server, "/add", strings.Repeat("Zoë", 2000), strconv.Itoa(i+1))
	}
	var group sync.WaitGroup
	for _, server := range []string{one, other, one, other} {
		group.Add(1)
		go func() {
			defer group.Done()
			for range 25 {
				if response, err := first.Get(server + "/add?x=more"); err != nil || response.StatusCode != http.StatusOK {
					t.Errorf("%+v, %v", response, err)
				}
			}
		}()
	}
	group.Wait()
	first.want(one, "/add", "more", "101")
	first.want(other, "/login", user, "")
	first.want(one, "/add", "visits", "5")
	second.want(one, "/login", user, "")
	second.want(other, "/state", "", "{}")
	first.want(one, "/sessions", user, "2")
	second.want(other, "/logout", "", "")
	first.want(other, "/sessions", user, "1")
	first.want(one, "/revoke", user, "1")
	first.want(other, "/state", "", "{}")
	second.want(other, "/add", "visits", "1") // so that a row is left
	second.want(one, "/login", user, "")
}

// checkRows checks that the columns of each row repeat what its record says.
func checkRows(t *testing.T, db *sql.DB) {
	t.Helper()
	const columns = "SELECT header, data, coalesce(hex(subject), ''), accessed FROM khufu_sessions"
	rows, err := db.QueryContext(t.Context(), columns)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	count := 0
	for ; rows.Next(); count++ {
		var header, data []byte
		var subject string
		var accessed float64
		if err := rows.Scan(&header, &data, &subject, &accessed); err != nil {
			t.Fatal(err)
		}
		label, length := binary.BigEndian.Uint16(header[106:]), binary.BigEndian.Uint32(header[108:])
		if len(header) != 112+int(label) || len(data) < int(length) || !strings.Contains(string(data), "visits") {
			t.Errorf("a header has %d bytes, and %d bytes follow", len(header), len(data))
		}
		if hex.EncodeToString(header[2:34]) != strings.ToLower(subject) {
			t.Error("a column has another subject than its record")
		}
		if math.Round(math.Float64frombits(binary.BigEndian.Uint64(header[74:]))*1e6) != accessed {
			t.Error("a column has another time than its record")
		}
	}
	if err := rows.Err(); err != nil || count != 2 {
		t.Errorf("%d rows, %v", count, err)
	}
}
