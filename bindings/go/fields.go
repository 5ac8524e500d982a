package khufu

import (
	"cmp"
	"reflect"
	"strings"
	"sync"
	"unicode"
)

// structMember returns a function that finds a struct's field by its name in the JSON text.
func structMember(v reflect.Value) func(name string) reflect.Value {
	indices := fields(v.Type())
	return func(name string) reflect.Value {
		if index, known := indices[name]; known {
			return v.FieldByIndex(index)
		}
		return reflect.Value{}
	}
}

var fieldsOfTypes sync.Map // reflect.Type to map[string][]int

// fields returns the indices of a struct's fields by their names in the JSON text. If
// several fields have the same name, encoding/json writes the least deeply embedded one;
// at the same depth, the one that has the name in its tag. If it writes none of them, the
// result holds one nevertheless, which is never looked up.
func fields(t reflect.Type) map[string][]int {
	if known, ok := fieldsOfTypes.Load(t); ok {
		return known.(map[string][]int)
	}
	type embedded struct {
		t     reflect.Type
		index []int
	}
	all := map[string][]int{}
	visited := map[reflect.Type]bool{}
	for level := []embedded{{t, nil}}; len(level) > 0; {
		var next []embedded
		byTag := map[string]bool{}
		here := map[string][]int{}
		for _, in := range level {
			if visited[in.t] {
				continue
			}
			visited[in.t] = true
			for i := range in.t.NumField() {
				field := in.t.Field(i)
				index := append(in.index[:len(in.index):len(in.index)], i)
				tag := field.Tag.Get("json")
				name, _, _ := strings.Cut(tag, ",")
				if !isName(name) {
					name = ""
				}
				target := field.Type
				if target.Name() == "" && target.Kind() == reflect.Pointer {
					target = target.Elem()
				}
				isStruct := field.Anonymous && target.Kind() == reflect.Struct
				switch {
				case tag == "-" || !field.IsExported() && !isStruct:
				case isStruct && name == "":
					next = append(next, embedded{target, index})
				default:
					tagged := name != ""
					name = cmp.Or(name, field.Name)
					if _, present := here[name]; !present || tagged && !byTag[name] {
						here[name], byTag[name] = index, tagged
					}
				}
			}
		}
		for name, index := range here {
			if _, present := all[name]; !present {
				all[name] = index
			}
		}
		level = next
	}
	fieldsOfTypes.Store(t, all)
	return all
}

// isName reports whether encoding/json accepts a name in a tag.
func isName(tag string) bool {
	return tag != "" && strings.IndexFunc(tag, func(c rune) bool {
		return !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c) && !unicode.IsLetter(c) && !unicode.IsDigit(c)
	}) < 0
}
