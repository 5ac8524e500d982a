// Package waiting ends the waiting of a store when its context is done.
package waiting

import (
	"context"
	"fmt"
)

// Until does some work in a goroutine of its own, and returns its error, or the context's cause as
// soon as the context is done, even if the work goes on. A panic of the work is an error, because
// nobody else could recover it.
func Until(ctx context.Context, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- recovered(work) }()
	select {
	case err := <-done:
		if err == nil || ctx.Err() == nil {
			return err
		}
	case <-ctx.Done():
	}
	return context.Cause(ctx)
}

func recovered(work func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("panic: %v", fault)
		}
	}()
	return work()
}
