package khufu

// #include <khufu.h>
import "C"

import "runtime"

// A LoadResult is how a session was opened.
type LoadResult int32

const (
	LoadNone             LoadResult = C.KHUFU_LOAD_NONE                   // the request had no such cookie
	Loaded               LoadResult = C.KHUFU_LOAD_LOADED                 // from a cookie
	LoadedPreviousSecret LoadResult = C.KHUFU_LOAD_LOADED_PREVIOUS_SECRET // from a cookie, by one of PreviousSecrets
	LoadedOtherFormat    LoadResult = C.KHUFU_LOAD_LOADED_OTHER_FORMAT    // from a cookie in one of the formats in Accept
	LoadExpired          LoadResult = C.KHUFU_LOAD_EXPIRED                // the cookie's session was idle for longer than Timeout
	LoadBadSignature     LoadResult = C.KHUFU_LOAD_BAD_SIGNATURE          // the cookie was changed, forged or made with another secret
	LoadMalformed        LoadResult = C.KHUFU_LOAD_MALFORMED              // the cookie is not a session
	LoadUnsupported      LoadResult = C.KHUFU_LOAD_UNSUPPORTED            // the cookie holds what khufu cannot represent; Commit will not overwrite it
	LoadMissing          LoadResult = C.KHUFU_LOAD_MISSING                // the store has no such session: it has expired, was ended, or never was
	LoadStoreError       LoadResult = C.KHUFU_LOAD_STORE_ERROR            // the store failed, and StoreOnError is EmptyOnError; Commit will not write the session
)

// String is the name of the result, such as "bad_signature".
func (r LoadResult) String() string {
	return C.GoString(C.khufu_load_result_name(C.int32_t(r)))
}

// LoadResult tells how the session was opened. Unless it is one of the three Loaded,
// the session was opened new and empty.
func (s *Session) LoadResult() LoadResult {
	defer runtime.KeepAlive(s)
	return LoadResult(C.khufu_session_load_result(s.use()))
}

// LoadFormat is the name of the accepted format that opened the session, or "" if the
// result is not LoadedOtherFormat.
func (s *Session) LoadFormat() string {
	defer runtime.KeepAlive(s)
	return C.GoString(C.khufu_session_load_format(s.use()))
}

// Refusal explains why the request's cookie was not used, or that its cookies have other
// names; otherwise it is "".
func (s *Session) Refusal() string { return s.refusal }
