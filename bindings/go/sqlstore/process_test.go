package sqlstore_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/internal/storedriver"
	"github.com/khufu/khufu/bindings/go/sqlstore"
)

const (
	roleVariable     = "KHUFU_TEST_ROLE"
	databaseVariable = "KHUFU_TEST_DATABASE"
)

// TestMain makes this program something else than the tests if it is started by startOther.
func TestMain(m *testing.M) {
	database := os.Getenv(databaseVariable)
	switch role := os.Getenv(roleVariable); role {
	case "":
		os.Exit(m.Run())
	case "core":
		serveCore(database)
	default:
		saveUntilKilled(role, database)
	}
}

// startOther starts this program in a role, and returns what it prints. It ends with the test.
func startOther(t *testing.T, role, database string) (*os.Process, *bufio.Reader) {
	t.Helper()
	other := exec.Command(os.Args[0])
	other.Env = append(os.Environ(), roleVariable+"="+role, databaseVariable+"="+database)
	other.Stderr = os.Stderr
	output, err := other.StdoutPipe()
	if err == nil {
		err = other.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Process.Kill(); other.Wait() })
	return other.Process, bufio.NewReader(output)
}

// serveCore serves with khufu's own store. The core has an SQLite of its own, and two of them
// must not use a file in the same process.
func serveCore(path string) {
	factory, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet", Type: khufu.Stored, Store: "sqlite:" + path})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(httptest.NewServer(newHandler(factory)).URL)
	select {}
}

// startCore starts a server with khufu's own store, and returns its address.
func startCore(t *testing.T, path string) string {
	t.Helper()
	_, output := startOther(t, "core", path)
	address, err := output.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address)
}

// saveUntilKilled saves records in three generations, and prints each after it was saved.
func saveUntilKilled(name, path string) {
	db, err := sql.Open(name, fileName(name, path))
	if err != nil {
		log.Fatal(err)
	}
	store, err := sqlstore.New(context.Background(), db, sqlstore.Options{Timeout: time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	for range 4 {
		go func() {
			for {
				key := storedriver.NewName()
				for generation := range uint64(3) {
					data := strings.Repeat("data ", int(generation+1)*400)
					record := storedriver.Record("", data)
					if err := store.Save(key, generation, generation+1, record, storedriver.Long); err != nil {
						log.Fatal(err)
					}
					fmt.Println(key, generation+1)
				}
			}
		}()
	}
	select {}
}

func TestAKilledProcessLosesNoSave(t *testing.T) {
	onEachDriver(t, func(t *testing.T, name string) {
		path := newPath(t)
		saved := map[string]uint64{} // the last generation of each key
		for range 3 {
			process, output := startOther(t, name, path)
			for lines := 0; ; lines++ {
				if lines == 100 {
					process.Kill()
				}
				var key string
				var generation uint64
				if _, err := fmt.Fscanln(output, &key, &generation); err == io.EOF || err == io.ErrUnexpectedEOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				saved[key] = max(saved[key], generation)
			}
		}
		db := openFile(t, name, path)
		store := newStore(t, db, sqlstore.Options{})
		for key, generation := range saved {
			if _, found, err := store.Load(key); err != nil || found < generation {
				t.Errorf("generation %d was saved, and generation %d is found, %v", generation, found, err)
			}
		}
		if len(saved) < 100 {
			t.Errorf("only %d records were saved", len(saved))
		}
		checkIntegrity(t, db)
	})
}

func checkIntegrity(t *testing.T, db *sql.DB) {
	t.Helper()
	if answer := query[string](t, db, "PRAGMA integrity_check"); answer != "ok" {
		t.Error(answer)
	}
}
