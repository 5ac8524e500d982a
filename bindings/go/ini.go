package khufu

import "slices"

// An iniFile is the text of an INI file, and the section and the prefix of the options that
// are loaded from it.
type iniFile struct {
	text, section, prefix string
}

// Load adds options from the text of an INI file, such as the Pyramid application's own. It
// reads one section, for example "app:main", and takes the options whose names begin with a
// prefix, for example "khufu.". If section is empty, it reads the lines before the first
// section. Loaded options override the fields, and Settings override loaded options.
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
