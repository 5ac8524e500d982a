module github.com/khufu/khufu/benches/go/redis

go 1.24

require (
	github.com/alexedwards/scs/goredisstore v0.0.0-20250212122300-421ef1d8611c
	github.com/alexedwards/scs/v2 v2.9.0
	github.com/khufu/khufu/bindings/go v0.0.0
	github.com/khufu/khufu/bindings/go/goredis v0.0.0
	github.com/redis/go-redis/v9 v9.19.0
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	go.uber.org/atomic v1.11.0 // indirect
)

replace (
	github.com/khufu/khufu/bindings/go => ../../../bindings/go
	github.com/khufu/khufu/bindings/go/goredis => ../../../bindings/go/goredis
)
