package khufu

// SetDuringCall sets a function that is called in the middle of every call into the core.
func SetDuringCall(f func()) { duringCall = f }
