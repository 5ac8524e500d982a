package khufu

import (
	"net/http"
	"strconv"
	"time"
)

// A Type says where a session's data is kept, and how its cookie is protected.
type Type string

const (
	// SignedCookie keeps the data in a cookie that users can read but not change, as
	// Pyramid's SignedCookieSessionFactory does.
	SignedCookie Type = "signed_cookie"
	// EncryptedCookie keeps the data in a cookie that users can neither read nor change, as
	// pyramid_nacl_session does.
	EncryptedCookie Type = "encrypted_cookie"
	// Stored keeps the data in a store. The cookie holds only a signed id.
	Stored Type = "store"
)

// A StoreOnError says what opening does if the store fails.
type StoreOnError string

const (
	FailOnError  StoreOnError = "fail"  // Open fails with ErrStore
	EmptyOnError StoreOnError = "empty" // the session is empty, and Commit refuses to save it
)

// A Serializer is the encoding of a session's data.
type Serializer string

const (
	JSON   Serializer = "json"   // Pyramid 2's default
	Pickle Serializer = "pickle" // the default of Pyramid 1 and pyramid_nacl_session; plain data, nothing is executed
)

// A Library is the library whose session format is used.
type Library string

const (
	Khufu                Library = "khufu"                  // Pyramid's own cookies, and khufu's own records
	PyramidSessionRedis  Library = "pyramid_session_redis"  // in Redis
	PyramidRedisSessions Library = "pyramid_redis_sessions" // in Redis
	// Beaker keeps sessions in cookies or Redis. Its cookie is named beaker.session.id by
	// default, so set CookieName to that name.
	Beaker Library = "beaker"
)

// A HashAlg is the hash function of the HMAC that signs a cookie.
type HashAlg string

const (
	SHA512 HashAlg = "sha512"
	SHA384 HashAlg = "sha384"
	SHA256 HashAlg = "sha256"
	SHA224 HashAlg = "sha224"
	SHA1   HashAlg = "sha1"
)

// Options configure a [Factory]. The zero value of a field means Pyramid's default. Only
// the secret is required.
//
// All durations except StoreTimeout must be whole seconds. Printing or logging options
// does not show their secrets.
type Options struct {
	// Secret is the secret as text, the same text as in Pyramid. Set either Secret or
	// SecretHex. [GenerateSecret] makes a secret.
	Secret string
	// SecretHex is a secret of arbitrary bytes, in hexadecimal. For an encrypted cookie,
	// the secret is 64 hexadecimal digits in either field.
	SecretHex string
	// PreviousSecrets can open sessions but do not write them: a session that one of them
	// opens is written again with the current secret. Empty secrets are ignored.
	PreviousSecrets    []string
	PreviousSecretsHex []string

	Type       Type       // SignedCookie by default
	Serializer Serializer // JSON by default; Pickle, the other libraries' default, if Library is not Khufu
	Library    Library    // the library whose session format is used: Khufu by default
	// EncryptKey is Beaker's option of that name, for its encrypted cookies.
	EncryptKey string

	HashAlg HashAlg // SHA512 by default; signed cookies only
	Salt    string  // "pyramid.session." by default, "pyramid_session_redis." for that Library; not for encrypted cookies

	CookieName string        // "session" by default
	MaxAge     time.Duration // how long the browser keeps the cookie; by default until the browser is closed
	Path       string        // "/" by default
	Domain     string        // a host name without scheme or port; the host of the response by default
	Secure     bool          // send the cookie only over HTTPS
	HTTPOnly   bool          // hide the cookie from scripts in the browser; set it in a new application
	// SameSite is Lax by default. http.SameSiteDefaultMode leaves the attribute out.
	SameSite http.SameSite
	// Partitioned makes the browser keep a separate cookie for each top-level site (CHIPS).
	// It needs Secure.
	Partitioned bool

	// Timeout is how long a session may be idle: 20 minutes by default. If negative, idle
	// sessions never expire.
	Timeout time.Duration
	// ReissueTime is how old a cookie may get before reading the session renews it: 0 by
	// default, which renews it every second. If negative, reading never renews it. It must
	// be less than Timeout.
	ReissueTime time.Duration
	// AbsoluteTimeout is how long a session may live even if it is used all the time. No
	// limit by default.
	AbsoluteTimeout time.Duration
	// NoSetOnException turns Pyramid's set_on_exception off: a commit with [OnException]
	// then writes nothing, except that an invalidated session still ends.
	NoSetOnException bool

	// Store is the URL of the store, if Type is Stored. "memory:", the default, belongs to
	// this factory alone. The processes of one machine can share "sqlite:PATH", and several
	// machines "redis://HOST:PORT/DB". The page docs/stores.md lists the other URLs.
	Store string
	// CustomStore keeps the sessions, instead of Store. If it is set, Type is Stored.
	CustomStore Store
	// StoreTimeout is how long opening or committing may wait for the store and for other
	// requests of the same session: 1 second by default.
	StoreTimeout time.Duration
	StoreOnError StoreOnError // FailOnError by default
	// StoreMaxBytes is the memory limit of "memory:", 256 MiB by default. At the limit, the
	// sessions that would expire first are removed.
	StoreMaxBytes int64
	StorePrefix   string // the prefix of all keys in Redis: "khufu:" by default, empty with another Library
	// RegenerateGrace is how long the old id of a session still opens the data from before
	// [Session.RegenerateID]: 10 seconds by default. If negative, it opens nothing.
	RegenerateGrace time.Duration

	// CustomSerializer reads and writes the data of sessions, instead of Serializer.
	CustomSerializer PayloadSerializer

	// Accept lists other formats that can open sessions. They are tried in this order. A
	// session that one of them opens is written again in the format of the fields above.
	Accept []Format

	// OnError is called if [Factory.Middleware] cannot open or commit the session of a request.
	// It should log the error, and may write the response. By default, it only logs the error.
	// If a handler changed the session too late, the error is [ErrSent], and what OnError writes
	// is dropped, because the response was already sent.
	OnError func(w http.ResponseWriter, r *http.Request, err error)

	// Settings are options by their names in an INI file. They are applied in order, after
	// the fields above and what Load added. An empty value unsets an option.
	Settings []Setting

	loaded []iniFile // set by Load
}

// A Format is another session format that can open sessions. Its fields have the same
// meaning as in [Options].
type Format struct {
	// Name is the name that [Session.LoadFormat] returns: letters, digits, _ and -.
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

// A Setting sets an option by its name, such as "timeout" or "accept.old.salt".
type Setting struct {
	Name, Value string
}

// fields returns the options that the fields set.
func (o Options) fields() []Setting {
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
	if o.Partitioned {
		add("partitioned", "true")
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
	addOrUnset := func(name string, value time.Duration) {
		switch {
		case value > 0:
			add(name, seconds(value))
		case value < 0:
			unset(name)
		}
	}
	addOrUnset("timeout", o.Timeout)
	addOrUnset("reissue_time", o.ReissueTime)
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
		unset(prefix + "type") // mentions the format even if it has no options, so that its missing secret is reported
		list = append(list, format.settings(prefix)...)
	}
	return list
}

func (o Options) format() Format {
	return Format{
		Secret: o.Secret, SecretHex: o.SecretHex,
		PreviousSecrets: o.PreviousSecrets, PreviousSecretsHex: o.PreviousSecretsHex,
		Type: o.Type, Serializer: o.Serializer, Library: o.Library, EncryptKey: o.EncryptKey,
		HashAlg: o.HashAlg, Salt: o.Salt,
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
	add("library", string(f.Library))
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
