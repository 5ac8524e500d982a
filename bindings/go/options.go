package khufu

import (
	"net/http"
	"strconv"
	"time"
)

// A Type is where a session is.
type Type string

const (
	SignedCookie    Type = "signed_cookie"    // readable by the browser's owner, but not to be changed: Pyramid's SignedCookieSessionFactory
	EncryptedCookie Type = "encrypted_cookie" // not readable either: pyramid_nacl_session
	Stored          Type = "store"            // in a store; the cookie has only a signed id
)

// A StoreOnError is what opening does when the store fails.
type StoreOnError string

const (
	FailOnError  StoreOnError = "fail"  // Open fails with ErrStore
	EmptyOnError StoreOnError = "empty" // the session is empty, and not saved
)

// A Serializer is how the data of a session is written.
type Serializer string

const (
	JSON   Serializer = "json"   // Pyramid 2's default
	Pickle Serializer = "pickle" // the default of Pyramid 1 and of pyramid_nacl_session; data only, nothing is ever executed
)

// A Library is one whose sessions these are.
type Library string

const (
	Khufu                Library = "khufu"                  // Pyramid's own cookies, and khufu's own records
	PyramidSessionRedis  Library = "pyramid_session_redis"  // in Redis
	PyramidRedisSessions Library = "pyramid_redis_sessions" // in Redis
	Beaker               Library = "beaker"                 // in cookies or Redis; the cookie is beaker.session.id unless its configuration says otherwise
)

// A HashAlg is the hash of the HMAC that signs a cookie.
type HashAlg string

const (
	SHA512 HashAlg = "sha512"
	SHA384 HashAlg = "sha384"
	SHA256 HashAlg = "sha256"
	SHA224 HashAlg = "sha224"
	SHA1   HashAlg = "sha1"
)

// Options configure a [Factory]. The zero value of a field means Pyramid's default,
// so that a secret is all that has to be given.
//
// Durations, but for StoreTimeout, are whole seconds. Options are printed and logged without their secrets.
type Options struct {
	// Secret is the secret as text, as Pyramid takes it. Either it or SecretHex must
	// be given. [GenerateSecret] makes one.
	Secret string
	// SecretHex is a secret of arbitrary bytes, as hexadecimal digits. An encrypted
	// cookie's secret is 64 hexadecimal digits, in either field.
	SecretHex string
	// PreviousSecrets open sessions but write none: a session that one of them opens
	// is written again with the current secret. Empty ones are passed over.
	PreviousSecrets    []string
	PreviousSecretsHex []string

	Type       Type       // SignedCookie by default
	Serializer Serializer // JSON by default; the others' own default, Pickle, where Library is not Khufu
	// Library is whose sessions these are: the option format, Khufu by default.
	Library Library
	// EncryptKey is Beaker's own, for its encrypted cookies.
	EncryptKey string

	HashAlg HashAlg // SHA512 by default; signed cookies only
	Salt    string  // "pyramid.session." by default, and "pyramid_session_redis." with that Library; not for encrypted cookies

	CookieName string        // "session" by default
	MaxAge     time.Duration // how long the browser keeps the cookie; by default until it is closed
	Path       string        // "/" by default
	Domain     string        // the host that answers, by default; a host name without scheme and port
	Secure     bool          // only over HTTPS
	HTTPOnly   bool          // not for scripts; turn it on unless Pyramid's side needs it off
	// SameSite is Lax by default; http.SameSiteDefaultMode means no attribute.
	SameSite http.SameSite

	// Timeout is how long a session may be idle: 20 minutes by default, for ever if
	// it is negative.
	Timeout time.Duration
	// ReissueTime is the age at which a session that is only read is written again,
	// so that it does not expire: 0 by default, which is as soon as a second has
	// passed; never if it is negative. It must be less than Timeout.
	ReissueTime time.Duration
	// AbsoluteTimeout is how long a session may live, however busy it is: for ever by
	// default.
	AbsoluteTimeout time.Duration
	// NoSetOnException turns Pyramid's set_on_exception off: a commit with
	// [OnException] then writes nothing. A logout holds all the same.
	NoSetOnException bool

	// Store is the URL of the place where sessions are, if Type is Stored: "memory:",
	// the default, is this factory's own; "sqlite:PATH" the processes of one machine share,
	// "redis://HOST:PORT/DB" (or another form of the README's) all machines.
	Store string
	// CustomStore keeps the sessions, in place of Store; Type is Stored then.
	CustomStore Store
	// StoreTimeout is how long opening or committing may wait for the store, and for
	// other requests of the session: 1 second by default.
	StoreTimeout  time.Duration
	StoreOnError  StoreOnError // FailOnError by default
	StoreMaxBytes int64        // how much "memory:" may take: 256 MiB by default; the sessions that would expire soonest make room
	StorePrefix   string       // what the names of keys in Redis begin with: "khufu:" by default, nothing with another Library
	// RegenerateGrace is how long the old id of a session opens what was there before
	// [Session.RegenerateID]: 10 seconds by default, not at all if it is negative.
	RegenerateGrace time.Duration

	// CustomSerializer writes the data of sessions, in place of Serializer.
	CustomSerializer PayloadSerializer

	// Accept are other formats that are accepted on opening, tried in this order. A
	// session that one of them opens is written again in the format above.
	Accept []Format

	// Settings are options by khufu's own names, as an INI file has them. They are
	// applied in order, after the fields above; an empty value unsets an option.
	Settings []Setting
}

// A Format is a way of writing sessions that is accepted on opening. Its fields mean
// what they mean in [Options].
type Format struct {
	// Name is what [Session.LoadFormat] tells: letters, digits, _ and -.
	Name string

	Secret             string
	SecretHex          string
	PreviousSecrets    []string
	PreviousSecretsHex []string
	Type               Type
	Serializer         Serializer
	Library            Library
	EncryptKey         string
	HashAlg            HashAlg
	Salt               string
}

// A Setting is an option by its name, such as "timeout" or "accept.old.salt".
type Setting struct {
	Name, Value string
}

func (o Options) settings() []Setting {
	list := o.format().settings("")
	add := func(name, value string) {
		if value != "" {
			list = append(list, Setting{name, value})
		}
	}
	unset := func(name string) { list = append(list, Setting{Name: name}) }

	add("cookie_name", o.CookieName)
	add("path", o.Path)
	add("domain", o.Domain)
	if o.MaxAge != 0 {
		add("max_age", seconds(o.MaxAge))
	}
	if o.Secure {
		add("secure", "true")
	}
	if o.HTTPOnly {
		add("httponly", "true")
	}
	switch o.SameSite {
	case 0:
	case http.SameSiteDefaultMode:
		unset("samesite")
	case http.SameSiteLaxMode:
		add("samesite", "Lax")
	case http.SameSiteStrictMode:
		add("samesite", "Strict")
	case http.SameSiteNoneMode:
		add("samesite", "None")
	default:
		add("samesite", strconv.Itoa(int(o.SameSite)))
	}
	idle := func(name string, value time.Duration) {
		switch {
		case value > 0:
			add(name, seconds(value))
		case value < 0:
			unset(name)
		}
	}
	idle("timeout", o.Timeout)
	idle("reissue_time", o.ReissueTime)
	if o.AbsoluteTimeout != 0 {
		add("absolute_timeout", seconds(o.AbsoluteTimeout))
	}
	add("store", o.Store)
	if o.StoreTimeout != 0 {
		add("store_timeout", seconds(o.StoreTimeout))
	}
	add("store_on_error", string(o.StoreOnError))
	if o.StoreMaxBytes != 0 {
		add("store_max_bytes", strconv.FormatInt(o.StoreMaxBytes, 10))
	}
	add("store_prefix", o.StorePrefix)
	switch {
	case o.RegenerateGrace > 0:
		add("regenerate_grace", seconds(o.RegenerateGrace))
	case o.RegenerateGrace < 0:
		add("regenerate_grace", "0")
	}
	if o.NoSetOnException {
		add("set_on_exception", "false")
	}
	for _, format := range o.Accept {
		prefix := "accept." + format.Name + "."
		unset(prefix + "type") // a format without any option is one, too: it lacks its secret
		list = append(list, format.settings(prefix)...)
	}
	return append(list, o.Settings...)
}

func (o Options) format() Format {
	return Format{
		Secret: o.Secret, SecretHex: o.SecretHex,
		PreviousSecrets: o.PreviousSecrets, PreviousSecretsHex: o.PreviousSecretsHex,
		Type: o.Type, Serializer: o.Serializer, Library: o.Library, EncryptKey: o.EncryptKey, HashAlg: o.HashAlg, Salt: o.Salt,
	}
}

func (f Format) settings(prefix string) (list []Setting) {
	add := func(name, value string) {
		if value != "" {
			list = append(list, Setting{prefix + name, value})
		}
	}
	add("type", string(f.Type))
	add("serializer", string(f.Serializer))
	add("format", string(f.Library))
	add("encrypt_key", f.EncryptKey)
	add("hashalg", string(f.HashAlg))
	add("salt", f.Salt)
	add("secret", f.Secret)
	add("secret_hex", f.SecretHex)
	for _, secret := range f.PreviousSecrets {
		add("previous_secret", secret)
	}
	for _, secret := range f.PreviousSecretsHex {
		add("previous_secret_hex", secret)
	}
	return list
}

func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
}
