package goredis_test

import (
	"context"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/goredis"
	"github.com/khufu/khufu/bindings/go/internal/redistest"
	"github.com/khufu/khufu/bindings/go/internal/storedriver"
	"github.com/redis/go-redis/v9"
)

func TestScriptsAreSentToAServerThatForgotThem(t *testing.T) {
	server := redistest.Start(t)
	d := storedriver.New(t, newStore(t, connect(t, server.Socket), goredis.Options{}))
	subject := storedriver.NewName()
	key := d.Add(subject, "data", long)
	for _, call := range []func() error{
		func() error { return d.Put(key, 1, subject, "more", long) },
		func() error { return d.Put(key, 2, subject, lengths[1], long) },
		func() error { return d.Extend(key, 3, subject, "more", long) },
		func() error { _, err := d.Members(subject); return err },
		func() error { return d.Remove(key, 3) },
	} {
		server.Do(t, "SCRIPT", "FLUSH")
		d.Want(call(), nil)
	}
}

func TestALongRecordLeavesNoTemporaryKey(t *testing.T) {
	server := redistest.Start(t)
	client, data := connect(t, server.Socket), lengths[1]
	for _, prefix := range []string{"khufu:", "{tag}:", "a}b"} {
		d := storedriver.New(t, newStore(t, client, goredis.Options{Prefix: prefix}))
		key := d.Add("", data, long)
		wantLife := func(wanted time.Duration) {
			t.Helper()
			life, err := client.PTTL(t.Context(), prefix+key).Result()
			if err != nil || life > wanted || life < wanted-10*time.Second {
				t.Errorf("the record lives for %v, not %v, %v", life, wanted, err)
			}
		}
		wantLife(long)
		d.Want(d.Put(key, 1, "", data+"2", forever), nil)
		wantLife(forever)
		d.Want(d.Put(key, 1, "", data, long), khufu.ErrConflict)
		d.Want(d.Put(key, 0, "", data, long), khufu.ErrConflict)
		d.Want(d.Put(storedriver.NewName(), 1, "", data, long), khufu.ErrGone)
		d.WantRecord(key, 2, data+"2")
		if keys := server.Do(t, "DBSIZE"); keys != ":1" {
			t.Errorf("there are %s keys", keys)
		}
		d.Want(d.Remove(key, 2), nil)
	}
}

func TestASaveIsRepeatedIfItsTemporaryKeyDisappears(t *testing.T) {
	server := redistest.Start(t)
	client, deleted := connect(t, server.Socket), ""
	d := storedriver.New(t, newStore(t, client, goredis.Options{}))
	client.AddHook(&observer{before: func(_ context.Context, command redis.Cmder) {
		if command.Name() == "eval" && deleted == "" { // the server does not know the script
			deleted = server.Do(t, "EVAL", "return redis.call('DEL', unpack(redis.call('KEYS', 'khufu:next:*')))", "0")
		}
	}})
	d.WantRecord(d.Add("", lengths[1], long), 1, lengths[1])
	if deleted != ":1" {
		t.Errorf("%s temporary keys were deleted", deleted)
	}
}

func TestAWriteThatRedisRefusesIsAnErrorAndChangesNothing(t *testing.T) {
	server := redistest.Start(t)
	d := storedriver.New(t, newStore(t, connect(t, server.Socket), goredis.Options{}))
	key := d.Add("", "data", long)
	server.Do(t, "CONFIG", "SET", "maxmemory", "1")
	for _, data := range lengths {
		for _, subject := range []string{"", storedriver.NewName()} {
			for _, err := range []error{d.Put(key, 1, subject, data, long), d.Extend(key, 1, subject, data, long)} {
				if !redis.HasErrorPrefix(err, "OOM") {
					t.Errorf("the error is %v", err)
				}
			}
		}
	}
	d.WantRecord(key, 1, "data")
	if keys := server.Do(t, "DBSIZE"); keys != ":1" {
		t.Errorf("there are %s keys", keys)
	}
}

func TestAValueThatIsNotARecordIsNeverOverwritten(t *testing.T) {
	server := redistest.Start(t)
	d := storedriver.New(t, newStore(t, connect(t, server.Socket), goredis.Options{}))
	server.Do(t, "SET", "khufu:short", "abc")
	if record, generation, err := d.Load("short"); string(record) != "abc" || generation != 0 || err != nil {
		t.Errorf("%q of generation %d, %v", record, generation, err)
	}
	for _, expected := range []uint64{0, 1} {
		d.Want(d.Put("short", expected, "", "data", long), khufu.ErrConflict)
	}
	d.Want(d.Extend("short", 1, "", "data", long), khufu.ErrConflict)
	d.Want(d.Remove("short", 1), khufu.ErrConflict)
	server.Do(t, "RPUSH", "khufu:list", "abc")
	_, _, err := d.Load("list")
	for _, err := range []error{err, d.Put("list", 0, "", "data", long), d.Remove("list", 0)} {
		if !redis.HasErrorPrefix(err, "WRONGTYPE") {
			t.Errorf("the error is %v", err)
		}
	}
}

// checkLists tests the sorted sets that list the keys of subjects.
func checkLists(t *testing.T, client redis.UniversalClient) {
	d, subject := storedriver.New(t, newStore(t, client, goredis.Options{})), storedriver.NewName()
	list := "khufu:subject:" + subject
	wantLife := func(wanted time.Duration) {
		t.Helper()
		life, err := client.PTTL(t.Context(), list).Result()
		if err != nil || life > wanted || life < wanted-10*time.Second {
			t.Errorf("the list lives for %v, not %v, %v", life, wanted, err)
		}
	}
	key := d.Add(subject, "data", time.Minute)
	wantLife(2 * time.Minute)
	first := client.ZScore(t.Context(), list, key).Val()
	d.Want(d.Extend(key, 1, subject, "data", short), nil)
	d.Want(d.Put(key, 1, subject, lengths[1], short), nil)
	if score := client.ZScore(t.Context(), list, key).Val(); score != first {
		t.Errorf("the entry ends at %v, and before at %v", score, first)
	}
	d.Want(d.Extend(key, 2, subject, "data", 2*time.Minute), nil)
	wantLife(3 * time.Minute)
	d.Add(subject, lengths[1], forever)
	wantLife(forever)
	d.Want(d.Unlist(subject, key), nil)
	if entries := client.ZCard(t.Context(), list).Val(); entries != 1 {
		t.Errorf("the list has %d entries", entries)
	}
}

func TestAWriteThatFailsListsNothing(t *testing.T) {
	d := storedriver.New(t, newStore(t, connect(t, redistest.Start(t).Socket), goredis.Options{}))
	subject := storedriver.NewName()
	for _, data := range lengths {
		d.Want(d.Put(storedriver.NewName(), 1, subject, data, long), khufu.ErrGone)
		d.Want(d.Extend(storedriver.NewName(), 1, subject, data, long), khufu.ErrGone)
	}
	if keys, err := d.Members(subject); err != nil || len(keys) != 0 {
		t.Errorf("%q are listed, %v", keys, err)
	}
}
