package gorilla

import (
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

func TestUnreachableSessionsAreForgotten(t *testing.T) {
	factory, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet"})
	if err != nil {
		t.Fatal(err)
	}
	defer factory.Close()
	store := NewStore(factory)
	kept := func() (number int) {
		store.opened.Range(func(any, any) bool { number++; return true })
		return number
	}
	func() {
		session, err := store.Get(httptest.NewRequest("GET", "/", nil), "shop")
		if err != nil || kept() != 1 {
			t.Errorf("%d sessions are kept, %v", kept(), err)
		}
		runtime.KeepAlive(session)
	}()
	for started := time.Now(); kept() > 0; time.Sleep(time.Millisecond) {
		if time.Since(started) > 10*time.Second {
			t.Fatalf("%d sessions are kept", kept())
		}
		runtime.GC()
	}
}
