package khufu

// #include <khufu.h>
import "C"

// A LoadResult says how the request's session cookie was opened.
type LoadResult int32

const (
	// LoadNone means that the request had no session cookie.
	LoadNone LoadResult = C.KHUFU_LOAD_NONE
	// Loaded means that the session is the one of the cookie.
	Loaded LoadResult = C.KHUFU_LOAD_LOADED
	// LoadedPreviousSecret means that the session is the one of the cookie, which was made with one of
	// PreviousSecrets. Commit writes it again with the current secret.
	LoadedPreviousSecret LoadResult = C.KHUFU_LOAD_LOADED_PREVIOUS_SECRET
	// LoadedOtherFormat means that the session is the one of the cookie, which has one of the formats in
	// Accept. Commit writes it again in the current format.
	LoadedOtherFormat LoadResult = C.KHUFU_LOAD_LOADED_OTHER_FORMAT
	// LoadExpired means that the session was idle for longer than Timeout, or is older than AbsoluteTimeout.
	LoadExpired LoadResult = C.KHUFU_LOAD_EXPIRED
	// LoadBadSignature means that the cookie was changed or forged, or made with another secret.
	LoadBadSignature LoadResult = C.KHUFU_LOAD_BAD_SIGNATURE
	// LoadMalformed means that the cookie is damaged or does not hold a session.
	LoadMalformed LoadResult = C.KHUFU_LOAD_MALFORMED
	// LoadUnsupported means that the session is valid, but holds data that khufu cannot represent.
	// Commit does not replace it unless you call Invalidate.
	LoadUnsupported LoadResult = C.KHUFU_LOAD_UNSUPPORTED
	// LoadMissing means that the store has no such session. It expired, was ended, or never existed.
	LoadMissing LoadResult = C.KHUFU_LOAD_MISSING
	// LoadStoreError means that the store failed, and StoreOnError is EmptyOnError. Commit refuses to
	// save the session.
	LoadStoreError LoadResult = C.KHUFU_LOAD_STORE_ERROR
)

// String returns the name of the result, such as "bad_signature".
func (r LoadResult) String() string {
	return C.GoString(C.khufu_load_result_name(C.int32_t(r)))
}

// LoadResult returns how the session cookie was opened. If the result is not Loaded,
// LoadedPreviousSecret or LoadedOtherFormat, the session was opened new and empty.
func (s *Session) LoadResult() LoadResult {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return LoadResult(C.khufu_session_load_result(s.handleForCall()))
}

// LoadFormat returns the name of the accepted format that opened the session, or "" if the
// load result is not LoadedOtherFormat.
func (s *Session) LoadFormat() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return C.GoString(C.khufu_session_load_format(s.handleForCall()))
}

// Refusal explains why the request's session cookie was not used, or that the request has
// cookies but none with the name of the session cookie. It is "" if there is nothing to
// explain.
func (s *Session) Refusal() string { return s.refusal }
