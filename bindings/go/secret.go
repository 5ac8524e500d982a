package khufu

// #include <khufu.h>
import "C"

import "unsafe"

// GenerateSecret gives a random secret for this type of session, as hexadecimal
// digits: 128 for a signed cookie or a store, to be used as the text that it is, here and in
// Pyramid; 64 for an encrypted one.
func GenerateSecret(forType Type) (string, error) {
	var buffer [C.KHUFU_SIGNING_SECRET_SIZE]byte
	used := buffer[:]
	switch forType {
	case SignedCookie, Stored:
	case EncryptedCookie:
		used = buffer[:C.KHUFU_ENCRYPTION_SECRET_SIZE]
	default:
		return "", &Error{Status: ErrArgument, Detail: "a secret is for SignedCookie, EncryptedCookie or Stored"}
	}
	status := C.khufu_generate_secret((*C.char)(unsafe.Pointer(&buffer)), C.size_t(len(used)))
	if status != C.KHUFU_OK {
		return "", &Error{Status: Status(status)}
	}
	return string(used[:len(used)-1]), nil
}
