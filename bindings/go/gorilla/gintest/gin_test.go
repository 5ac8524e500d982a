// Package gintest runs the tests of gin-contrib/sessions on the store. It is a module of its own,
// so that the store's users do not need what gin needs.
package gintest

import (
	"strings"
	"testing"

	"github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/tester"
	"github.com/gin-gonic/gin"
	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/gorilla"
)

// A ginStore is the store as gin-contrib/sessions needs it.
type ginStore struct{ *gorilla.Store }

func (s ginStore) Options(options sessions.Options) { s.Store.Options = options.ToGorillaOptions() }

func TestGin(t *testing.T) {
	gin.SetMode(gin.TestMode)
	for name, options := range map[string]khufu.Options{
		"signed":    {Secret: "itsaseekreet"},
		"encrypted": {Type: khufu.EncryptedCookie, SecretHex: strings.Repeat("00", 32)},
		"memory":    {Secret: "itsaseekreet", Type: khufu.Stored},
		"sqlite":    {Secret: "itsaseekreet", Type: khufu.Stored, Store: "sqlite:" + t.TempDir() + "/sessions.db"},
	} {
		t.Run(name, func(t *testing.T) {
			newStore := func(t *testing.T) sessions.Store {
				factory, err := khufu.NewFactory(options)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { factory.Close() })
				return ginStore{gorilla.NewStore(factory)}
			}
			t.Run("GetSet", func(t *testing.T) { tester.GetSet(t, newStore) })
			t.Run("DeleteKey", func(t *testing.T) { tester.DeleteKey(t, newStore) })
			t.Run("Flashes", func(t *testing.T) { tester.Flashes(t, newStore) })
			t.Run("Clear", func(t *testing.T) { tester.Clear(t, newStore) })
			t.Run("Options", func(t *testing.T) { tester.Options(t, newStore) })
			t.Run("Many", func(t *testing.T) { tester.Many(t, newStore) })
		})
	}
}
