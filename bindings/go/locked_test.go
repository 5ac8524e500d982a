//go:build unix

package khufu_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// walWriteLock is the byte of SQLite's -shm file that a process locks while it writes to the
// database: https://www.sqlite.org/walformat.html
const walWriteLock = 120

const locks = "KHUFU_TEST_LOCKS" // set in a child process: the -shm file that it locks

func TestMain(m *testing.M) {
	if path := os.Getenv(locks); path != "" {
		lock(path)
		return
	}
	os.Exit(m.Run())
}

// lock holds SQLite's write lock until standard input is closed.
func lock(path string) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		err = syscall.FcntlFlock(file.Fd(), syscall.F_SETLKW,
			&syscall.Flock_t{Type: syscall.F_WRLCK, Start: walWriteLock, Len: 1})
	}
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString("locked\n")
	bufio.NewReader(os.Stdin).ReadByte()
}

// lockInAnotherProcess starts a process that locks a database until unlock is called.
func lockInAnotherProcess(t *testing.T, database string) (unlock func()) {
	t.Helper()
	other := exec.Command(os.Args[0])
	other.Env = append(os.Environ(), locks+"="+database+"-shm")
	other.Stderr = os.Stderr
	input, inputError := other.StdinPipe()
	output, outputError := other.StdoutPipe()
	if err := errors.Join(inputError, outputError, other.Start()); err != nil {
		t.Fatal(err)
	}
	if word, err := bufio.NewReader(output).ReadString('\n'); word != "locked\n" {
		t.Fatalf("%q, %v", word, err)
	}
	return sync.OnceFunc(func() {
		input.Close()
		other.Wait()
	})
}

func TestACommitWaitsForALockedDatabase(t *testing.T) {
	store := sqlite(t)
	factory := newFactory(t, khufu.Options{Type: khufu.Stored, Store: store, StoreTimeout: time.Minute})
	header := begin(t, factory, map[string]any{})
	session := openAt(t, factory, header, now)
	set(t, session, "a", 1)
	unlock := lockInAnotherProcess(t, strings.TrimPrefix(store, "sqlite:"))
	defer unlock()

	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := session.CommitContext(ctx)
	wantError(t, err, khufu.ErrStore)
	wantError(t, err, context.DeadlineExceeded)
	if took := time.Since(start); took < 100*time.Millisecond || took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	wantEqual(t, "changed", session.IsChanged(), true)

	time.AfterFunc(100*time.Millisecond, unlock)
	commit(t, session)
	wantEqual(t, "the state", toJSON(t, openAt(t, factory, header, now)), `{"a":1}`)
}
