package khufu

import "testing"

// Otherwise the dialog would grow as long as other requests keep changing the session.
func TestADialogDropsTheRepliesToFinishedSteps(t *testing.T) {
	save, load := question{method: "Save", key: "a"}, question{method: "Load", key: "a"}
	d := &dialog{replies: []reply{{question: save}, {question: load, generation: 7}}}
	if found := d.reply(load, nil); found.generation != 7 || len(d.replies) != 1 {
		t.Errorf("found %+v, and %d replies are left", found, len(d.replies))
	}
	if found := d.reply(save, nil); found.err != errPending {
		t.Errorf("a reply to a finished step was used again: %+v", found)
	}
}
