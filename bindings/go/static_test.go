package khufu_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The program is linked with the static library if pkg-config's directory has no shared one,
// as README.md says. It then runs without the shared library.
func TestAProgramWithTheStaticLibrary(t *testing.T) {
	found, err := exec.Command("pkg-config", "--variable=pcfiledir", "khufu").Output()
	if err != nil {
		t.Fatal(err)
	}
	installed, prefix := filepath.Join(strings.TrimSpace(string(found)), "../.."), t.TempDir()
	if err := os.MkdirAll(filepath.Join(prefix, "lib"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"include", "lib/libkhufu.a"} {
		if err := os.Symlink(filepath.Join(installed, name), filepath.Join(prefix, name)); err != nil {
			t.Fatal(err)
		}
	}
	// This is a copy, because khufu.pc finds the other files by its own location.
	if err := os.CopyFS(filepath.Join(prefix, "lib/pkgconfig"), os.DirFS(strings.TrimSpace(string(found)))); err != nil {
		t.Fatal(err)
	}

	program := filepath.Join(prefix, "program")
	// Go's cache ignores pkg-config's flags. A flag without effect makes Go compile the package again.
	build := exec.Command("go", "build", "-gcflags=github.com/khufu/khufu/bindings/go=-D="+prefix, "-o", program, ".")
	build.Dir = "../../examples/go"
	build.Env = append(environmentWithout("PKG_CONFIG_PATH", "LD_LIBRARY_PATH", "GOEXPERIMENT"), "PKG_CONFIG_PATH="+prefix+"/lib/pkgconfig")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	file, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	libraries, err := file.ImportedLibraries()
	if err != nil || len(libraries) == 0 || slices.ContainsFunc(libraries, func(name string) bool { return strings.Contains(name, "khufu") }) {
		t.Errorf("the program needs the libraries %q, %v", libraries, err)
	}
	run := exec.Command(program)
	run.Env = environmentWithout("LD_LIBRARY_PATH")
	if output, err := run.CombinedOutput(); err != nil || !strings.HasPrefix(string(output), "opened: loaded") {
		t.Errorf("%v\n%s", err, output)
	}
}

func environmentWithout(names ...string) []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(names, name)
	})
}
