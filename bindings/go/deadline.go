package khufu

// #include <khufu.h>
import "C"

import (
	"context"
	"errors"
	"time"
)

// deadlineMargin is how long before the deadline a store may give up, because it has no time
// for another attempt.
const deadlineMargin = 5 * time.Millisecond

// timeoutFor returns how many seconds a call may wait, by the deadline of its context. A
// negative result means that there is no deadline.
func timeoutFor(ctx context.Context) (C.double, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	deadline, hasDeadline := ctx.Deadline()
	if !hasDeadline {
		return -1, nil
	}
	remaining := time.Until(deadline)
	if remaining <= 0 {
		return 0, context.DeadlineExceeded
	}
	return C.double(remaining.Seconds()), nil
}

// deadlineError adds context.DeadlineExceeded to the Cause of a store's error if the
// context's deadline is over.
func deadlineError(ctx context.Context, err error) error {
	deadline, hasDeadline := ctx.Deadline()
	if err == nil || !hasDeadline || time.Until(deadline) >= deadlineMargin {
		return err
	}
	var detailed *Error
	if errors.As(err, &detailed) && (detailed.Status == ErrStore || detailed.Status == ErrConflict) {
		detailed.Cause = errors.Join(context.DeadlineExceeded, detailed.Cause)
	}
	return err
}
