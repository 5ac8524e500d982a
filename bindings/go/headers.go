package khufu

// #include <khufu.h>
import "C"

import (
	"hash/maphash"
	"net/http"
	"slices"
	"strings"
)

// mergeHeaders merges the headers that the response needs after the commits so far into
// the response's own.
func (s *Session) mergeHeaders(header http.Header) {
	s.removeCookies(header)
	for line := range strings.SplitSeq(s.headers(), "\r\n") {
		switch name, value, _ := strings.Cut(line, ": "); name {
		case "Set-Cookie":
			header.Add(name, value)
			s.committed = append(s.committed, hash(value))
		case "Vary":
			if !hasDirective(header["Vary"], value, "*") {
				header.Add(name, value)
			}
		case "Cache-Control":
			restrictCaching(header, value)
		}
	}
}

// removeCookies removes the cookies of earlier commits from a response's headers.
func (s *Session) removeCookies(header http.Header) {
	if len(s.committed) == 0 {
		return
	}
	others := slices.DeleteFunc(slices.Clone(header["Set-Cookie"]), func(cookie string) bool {
		return slices.Contains(s.committed, hash(cookie))
	})
	header["Set-Cookie"] = others
	if len(others) == 0 {
		delete(header, "Set-Cookie")
	}
}

// headers returns the headers that the response needs after the commits so far, as lines
// "Name: value\r\n".
func (s *Session) headers() string {
	var text *C.char
	var length C.size_t
	C.khufu_session_headers(s.handleForCall(), &text, &length)
	return copied(text, length)
}

// restrictCaching adds a directive, private or no-store, to a response's Cache-Control, and
// removes those that contradict it.
func restrictCaching(header http.Header, directive string) {
	var kept []string
	for _, line := range header["Cache-Control"] {
		directives := split(line)
		allowed := slices.DeleteFunc(slices.Clone(directives), func(d string) bool {
			return named(d, "public") || named(d, "s-maxage")
		})
		if len(allowed) < len(directives) {
			line = strings.Join(allowed, ", ")
		}
		if line != "" {
			kept = append(kept, line)
		}
	}
	if !hasDirective(kept, directive, "no-store") {
		kept = append(kept, directive)
	}
	header["Cache-Control"] = kept
}

// hasDirective reports whether one of the directives is in lines of comma-separated ones.
func hasDirective(lines []string, directives ...string) bool {
	for _, line := range lines {
		for _, found := range split(line) {
			if slices.ContainsFunc(directives, func(d string) bool { return strings.EqualFold(d, found) }) {
				return true
			}
		}
	}
	return false
}

// named reports whether a directive, such as "s-maxage=60", has this name.
func named(directive, name string) bool {
	found, _, _ := strings.Cut(directive, "=")
	return strings.EqualFold(strings.TrimSpace(found), name)
}

// split returns the parts of a comma-separated list. A part may hold commas in quotes.
func split(list string) []string {
	var parts []string
	begin, quoted := 0, false
	for i := 0; i < len(list); i++ {
		switch {
		case list[i] == '\\' && quoted:
			i++
		case list[i] == '"':
			quoted = !quoted
		case list[i] == ',' && !quoted:
			parts = append(parts, strings.TrimSpace(list[begin:i]))
			begin = i + 1
		}
	}
	return append(parts, strings.TrimSpace(list[begin:]))
}

var seed = maphash.MakeSeed()

// hash identifies a Set-Cookie value. A session keeps hashes instead of cookies, so that
// printing it shows no cookie.
func hash(value string) uint64 { return maphash.String(seed, value) }
