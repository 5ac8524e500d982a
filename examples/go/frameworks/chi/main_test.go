package main

import (
	"testing"

	"github.com/khufu/khufu/examples/go/frameworks/sitetest"
)

func TestTheSite(t *testing.T) { sitetest.Visit(t, handler) }
