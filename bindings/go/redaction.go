package khufu

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Format prints the options that are set, without their secrets. Of an INI file that was
// loaded, it prints only the section. It ignores the verb.
func (o Options) Format(state fmt.State, verb rune) {
	settings := o.fields()
	for _, file := range o.loaded {
		settings = append(settings, Setting{"load", "[" + file.section + "]"})
	}
	fmt.Fprintf(state, "khufu.Options%v", append(settings, o.Settings...))
}

// Format prints the session format without its secrets. It ignores the verb.
func (f Format) Format(state fmt.State, verb rune) {
	fmt.Fprintf(state, "khufu.Format%v", f.settings(f.Name+"."))
}

// Format prints the setting, without its value if that is a secret. It ignores the verb.
func (s Setting) Format(state fmt.State, verb rune) {
	value := s.Value
	name := strings.ToLower(s.Name)
	if strings.Contains(name, "secret") || strings.Contains(name, "key") {
		value = "[hidden]"
	}
	io.WriteString(state, s.Name+"="+value)
}

// LogValue returns the same text as fmt prints, for log/slog.
func (o Options) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(o)) }

// LogValue returns the same text as fmt prints, for log/slog.
func (f Format) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(f)) }

// LogValue returns the same text as fmt prints, for log/slog.
func (s Setting) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(s)) }
