module github.com/khufu/khufu/bindings/go

go 1.24
