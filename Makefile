PREFIX ?= /usr/local
export CARGO_NET_RETRY ?= 10

help:
	@echo 'make test     install what is missing, build, run every test (.ci/run does the same)'
	@echo 'make lint     every formatter and linter, and the subjects of commits since BASE'
	@echo 'make demo     Pyramid, C, Go and Ruby servers sharing one session; SERVE=1 leaves them up'
	@echo 'make bench    the request cycle against what the format costs at least'
	@echo 'make bench-store  sessions in stores: that no write is lost, and what one costs'
	@echo 'make fuzz     each fuzz target for SECONDS=30, under AddressSanitizer'
	@echo 'make build    the libraries, the header, pkg-config and CMake files, in target/stage'
	@echo 'make install  the same in PREFIX ($(PREFIX)); DESTDIR goes before it'
	@echo 'make header   write the generated files anew: include/khufu.h, docs/options.md'
	@echo 'make clean    remove what was built'

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

install:
	PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install

header:
	KHUFU_UPDATE=1 cargo test --locked --test generated

clean:
	cargo clean
	rm -rf .venv .venv-pyramid1

.PHONY: help test lint demo bench bench-store fuzz build install header clean
