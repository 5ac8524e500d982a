PREFIX ?= /usr/local
export CARGO_NET_RETRY ?= 10

help:
	@echo 'make test     install missing packages, build, and run every test (.ci/run does the same)'
	@echo 'make lint     run every formatter and linter, and check the messages of commits since BASE'
	@echo 'make demo     check that Pyramid, Go, Ruby, C and C++ share one session; SERVE=1 serves their shop for a browser'
	@echo 'make bench    measure the request cycle against the minimum cost of the cookie format'
	@echo 'make bench-store  measure sessions in stores, and check that no write is lost'
	@echo 'make fuzz     run each fuzz target for SECONDS=30 under AddressSanitizer'
	@echo 'make build    build the libraries, with the headers, and the command khufu, in target/stage'
	@echo '              in FEATURES, any of redis and sqlite can be left out: make build FEATURES=sqlite'
	@echo 'make install  install these files in PREFIX ($(PREFIX)); DESTDIR, if set, is put before it'
	@echo 'make dist     pack the archive, the Debian packages, the wheel, the gem and the Go module in dist'
	@echo 'make docs     build the documentation as a site, with a search, in target/docs-site'
	@echo 'make header   regenerate include/khufu.h and docs/options.md'
	@echo 'make clean    remove everything that was built'

test:
	scripts/test

lint:
	scripts/lint

demo:
	scripts/demo

bench:
	scripts/bench

bench-store:
	scripts/bench-store

fuzz:
	SECONDS_EACH='$(SECONDS)' scripts/fuzz

build:
	scripts/dependencies build
	scripts/build
	scripts/build-command

install:
	PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install

dist:
	scripts/dependencies
	scripts/dist

docs:
	scripts/docs

header:
	KHUFU_UPDATE=1 cargo test --locked --test generated

clean:
	cargo clean
	rm -rf .venv .venv-pyramid1 dist

.PHONY: help test lint demo bench bench-store fuzz build install dist docs header clean
