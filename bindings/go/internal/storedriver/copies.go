package storedriver

import (
	"os"
	"path/filepath"
	"testing"
)

// CheckCopies tests that a folder has a number of files, and that each is a copy of the core's.
func CheckCopies(t *testing.T, folder, core string, number int) {
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != number {
		t.Fatal(files, err)
	}
	for _, file := range files {
		copied, err := os.ReadFile(filepath.Join(folder, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		original, err := os.ReadFile(filepath.Join(core, file.Name()))
		if err != nil || string(copied) != string(original) {
			t.Errorf("%s in %s differs from the core's: run go generate (%v)", file.Name(), folder, err)
		}
	}
}
