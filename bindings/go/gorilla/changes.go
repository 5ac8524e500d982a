package gorilla

import (
	"reflect"

	khufu "github.com/khufu/khufu/bindings/go"
)

// changes are what a request changed in a session, by the keys of khufu's session.
type changes struct {
	popped   bool  // the flash messages were shown
	flashed  []any // new flash messages
	set      map[string]any
	deleted  []string
	appended map[string][]any // to lists
}

// changes compares values with those that were opened.
func (o *opened) changes(values map[any]any) (changes, error) {
	c := changes{set: map[string]any{}, appended: map[string][]any{}}
	if err := checkAll(values); err != nil {
		return c, err
	}
	for key := range o.values {
		if _, kept := values[key]; !kept {
			c.remove(key)
		}
	}
	for key, value := range values {
		key := key.(string)
		before, existed := o.values[key]
		c.replace(key, before, value, existed)
	}
	return c, nil
}

func (c *changes) remove(key string) {
	if key == flashes {
		c.popped = true
	} else {
		c.deleted = append(c.deleted, key)
	}
}

func (c *changes) replace(key string, before, after any, existed bool) {
	old, _ := before.([]any)
	list, isList := after.([]any)
	isLonger := isList && len(old) <= len(list) && reflect.DeepEqual(old, list[:len(old):len(old)])
	switch {
	case existed && reflect.DeepEqual(before, after):
	case key == flashes:
		if !isLonger {
			c.popped, old = existed, nil
		}
		c.flashed = list[len(old):]
	case existed && old != nil && isLonger:
		c.appended[key] = list[len(old):]
	default:
		c.set[key] = clone(after)
	}
}

// apply makes the changes. The values have been checked, so that only the first of these changes
// can fail: the session may have something else than a list in the place of the flash messages.
func (c changes) apply(session *khufu.Session) error {
	if c.popped {
		var messages []any
		if err := session.PopFlash("", &messages); err != nil {
			return err
		}
	}
	for _, message := range c.flashed {
		if err := session.Flash(message); err != nil {
			return err
		}
	}
	if len(c.set) > 0 {
		if err := session.Update(c.set); err != nil {
			return err
		}
	}
	for _, key := range c.deleted {
		if err := session.Delete(key); err != nil {
			return err
		}
	}
	for key, elements := range c.appended {
		for _, element := range elements {
			if err := session.Append(key, element); err != nil {
				return err
			}
		}
	}
	return nil
}
