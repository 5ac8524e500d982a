package khufu

import (
	"cmp"
	"reflect"
	"strings"
	"sync"
	"unicode"
)

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

// fields are the indices of a struct's fields by the names that encoding/json gives
// them. Of fields of one name, the one that is embedded least deeply counts, and then
// the one that has the name by a tag; where encoding/json writes none of them, nobody
// asks for the name.
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

// isName says whether encoding/json takes a tag's name.
func isName(tag string) bool {
	return tag != "" && strings.IndexFunc(tag, func(c rune) bool {
		return !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c) && !unicode.IsLetter(c) && !unicode.IsDigit(c)
	}) < 0
}
