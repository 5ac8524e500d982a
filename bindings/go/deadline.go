package khufu

// #include <khufu.h>
import "C"

import (
	"context"
	"errors"
	"time"
)

const (
	// maxTimeout is the longest time that the core accepts as a timeout.
	maxTimeout = time.Hour
	// deadlineMargin is how long before the deadline a store may give up, because it has no
	// time for another attempt.
	deadlineMargin = 5 * time.Millisecond
)

// timeoutFor returns how many seconds a call may wait, by the deadline of its context.
func timeoutFor(ctx context.Context) (C.double, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	remaining := maxTimeout
	if deadline, hasDeadline := ctx.Deadline(); hasDeadline {
		remaining = min(remaining, time.Until(deadline))
	}
	if remaining <= 0 {
		return 0, context.DeadlineExceeded
	}
	return C.double(remaining.Seconds()), nil
}

// deadlineError adds context.DeadlineExceeded to the Cause of a store's error if the
// context's deadline is over.
func deadlineError(ctx context.Context, err error) error {
	deadline, hasDeadline := ctx.Deadline()
	var detailed *Error
	if err != nil && hasDeadline && time.Until(deadline) < deadlineMargin && errors.As(err, &detailed) &&
		(detailed.Status == ErrStore || detailed.Status == ErrConflict) {
		detailed.Cause = errors.Join(context.DeadlineExceeded, detailed.Cause)
	}
	return err
}
