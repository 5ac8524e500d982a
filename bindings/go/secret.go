package khufu

// #include <khufu.h>
import "C"

import "unsafe"

// GenerateSecret returns a random secret for a type of session, in hexadecimal digits: 64
// for EncryptedCookie, 128 for SignedCookie and Stored. Use the digits themselves as the
// secret, both here and in Pyramid.
func GenerateSecret(forType Type) (string, error) {
	var buffer [C.KHUFU_SIGNING_SECRET_SIZE]byte
	used := buffer[:]
	switch forType {
	case SignedCookie, Stored:
	case EncryptedCookie:
		used = buffer[:C.KHUFU_ENCRYPTION_SECRET_SIZE]
	default:
		return "", &Error{Status: ErrArgument, Detail: "the type of a secret must be SignedCookie, EncryptedCookie or Stored"}
	}
	status := C.khufu_generate_secret((*C.char)(unsafe.Pointer(&buffer)), C.size_t(len(used)))
	if status != C.KHUFU_OK {
		return "", &Error{Status: Status(status)}
	}
	return string(used[:len(used)-1]), nil
}
