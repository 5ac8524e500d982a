module github.com/khufu/khufu/examples/demo/site

go 1.24

require github.com/khufu/khufu/bindings/go v0.0.0

replace github.com/khufu/khufu/bindings/go => ../../../bindings/go
