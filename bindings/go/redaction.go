package khufu

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Format prints the options that are set, without their secrets, whatever the verb.
func (o Options) Format(state fmt.State, verb rune) {
	fmt.Fprintf(state, "khufu.Options%v", o.settings())
}

// Format prints the format without its secrets, whatever the verb.
func (f Format) Format(state fmt.State, verb rune) {
	fmt.Fprintf(state, "khufu.Format%v", f.settings(f.Name+"."))
}

// Format prints the setting, without its value if that is a secret, whatever the verb.
func (s Setting) Format(state fmt.State, verb rune) {
	value := s.Value
	name := strings.ToLower(s.Name)
	if strings.Contains(name, "secret") || strings.Contains(name, "key") {
		value = "[hidden]"
	}
	io.WriteString(state, s.Name+"="+value)
}

// LogValue is what log/slog writes: the same as fmt prints.
func (o Options) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(o)) }

// LogValue is what log/slog writes: the same as fmt prints.
func (f Format) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(f)) }

// LogValue is what log/slog writes: the same as fmt prints.
func (s Setting) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(s)) }
