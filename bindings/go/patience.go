package khufu

// #include <khufu.h>
import "C"

import (
	"context"
	"errors"
	"time"
)

const (
	longest = time.Hour            // that StoreTimeout can be
	early   = 5 * time.Millisecond // a store gives up where another attempt would come too late
)

// patience is for how many seconds a call may wait, by its context.
func patience(ctx context.Context) (C.double, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	remaining := longest
	if deadline, limited := ctx.Deadline(); limited {
		remaining = min(remaining, time.Until(deadline))
	}
	if remaining <= 0 {
		return 0, context.DeadlineExceeded
	}
	return C.double(remaining.Seconds()), nil
}

// late makes the context's deadline, if it is up, a cause of an error of the store.
func late(ctx context.Context, err error) error {
	deadline, limited := ctx.Deadline()
	var detailed *Error
	if err != nil && limited && time.Until(deadline) < early && errors.As(err, &detailed) &&
		(detailed.Status == ErrStore || detailed.Status == ErrConflict) {
		detailed.Cause = errors.Join(context.DeadlineExceeded, detailed.Cause)
	}
	return err
}
