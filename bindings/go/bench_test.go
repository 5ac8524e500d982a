package khufu_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// BenchmarkRequest opens a session, reads two keys, sets one, commits and closes.
func BenchmarkRequest(b *testing.B) {
	for _, pad := range []int{50, 500, 2700} {
		b.Run(fmt.Sprintf("%d bytes", pad), func(b *testing.B) {
			factory := newFactory(b, khufu.Options{})
			session := openAt(b, factory, "", now)
			set(b, session, "user_id", 42)
			set(b, session, "name", "Zoë")
			set(b, session, "pad", strings.Repeat("x", pad))
			header, at := commit(b, session), now.Add(time.Second)
			b.ReportAllocs()
			for b.Loop() {
				session, err := factory.OpenAt(header, at)
				if err != nil {
					b.Fatal(err)
				}
				session.GetInt64("user_id")
				session.GetString("name")
				session.Set("visits", 3)
				if values, err := session.Commit(); err != nil || len(values) != 1 {
					b.Fatal(err)
				}
				session.Close()
			}
		})
	}
}
