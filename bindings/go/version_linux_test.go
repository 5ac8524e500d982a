package khufu_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
)

// The test replaces a function of the library with LD_PRELOAD, which not every system has.
func TestALibraryWithAnotherABIVersionIsRefused(t *testing.T) {
	const preloaded = "KHUFU_TEST_PRELOADED"
	if os.Getenv(preloaded) != "" {
		if _, err := khufu.NewFactory(khufu.Options{Secret: secret}); !errors.Is(err, khufu.ErrVersion) {
			t.Errorf("the error is %v", err)
		}
		var options khufu.Options
		if err := options.Load("", "", ""); !errors.Is(err, khufu.ErrVersion) {
			t.Errorf("the error of Load is %v", err)
		}
		return
	}
	source, library := filepath.Join(t.TempDir(), "other.c"), filepath.Join(t.TempDir(), "other.so")
	if err := os.WriteFile(source, []byte("unsigned khufu_abi_version(void) { return 4711; }"), 0o600); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command("cc", "-shared", "-fPIC", "-o", library, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	again.Env = append(os.Environ(), preloaded+"=1", "LD_PRELOAD="+library)
	if output, err := again.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, output)
	}
}
