package khufu

import "slices"

// An iniFile is the text of an INI file, and which of its options are loaded.
type iniFile struct {
	text, section, prefix string
}

// Load adds the options in the text of an INI file, such as Pyramid's own: those of one
// section, for example "app:main", whose names begin with a prefix, for example "khufu.".
// Without a section, they are the lines before the first one. They override the fields, and
// Settings override them.
//
// A line is NAME = VALUE, [SECTION], empty, or a comment that begins with # or ;. A line
// that begins with white space continues the value above it. Each line of the value of
// previous_secret is a secret.
//
// If the text has no such section, or a line or its option is wrong, the error is
// [ErrOption] and names the line. The options then stay as they were.
func (o *Options) Load(text, section, prefix string) error {
	b, err := newBuilder()
	if err != nil {
		return err
	}
	defer b.free()
	file := iniFile{text, section, prefix}
	if err := b.load(file); err != nil {
		return err
	}
	o.loaded = append(slices.Clip(o.loaded), file)
	return nil
}
