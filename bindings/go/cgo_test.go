package khufu_test

import (
	"os/exec"
	"strings"
	"testing"
)

func TestABuildWithoutCgoSaysWhatToDo(t *testing.T) {
	build := exec.Command("go", "build", ".")
	build.Env = append(environmentWithout("CGO_ENABLED", "GOEXPERIMENT"), "CGO_ENABLED=0")
	output, err := build.CombinedOutput()
	_, first, _ := strings.Cut(string(output), "\n") // after the package's name
	first, _, _ = strings.Cut(first, "\n")
	if err == nil || !strings.Contains(first, "set CGO_ENABLED=1 and install a C compiler") {
		t.Errorf("%v\n%s", err, output)
	}
}
