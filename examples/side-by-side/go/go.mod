module github.com/khufu/khufu/examples/side-by-side/go

go 1.24

require (
	github.com/alexedwards/scs/v2 v2.9.0
	github.com/gorilla/sessions v1.4.0
	github.com/khufu/khufu/bindings/go v0.0.0
)

require github.com/gorilla/securecookie v1.1.2 // indirect

replace github.com/khufu/khufu/bindings/go => ../../../bindings/go
