package khufu_test

import (
	"bytes"
	"errors"
	"html/template"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
)

var form = template.Must(template.New("form").Parse(
	`{{range .Messages}}<p>{{.}}</p>{{end}}{{range .Messages "warning" "other"}}<b>{{.}}</b>{{end}}` +
		`<form>{{.CSRFField}}</form>`))

func TestATemplateShowsMessagesAndTheCSRFField(t *testing.T) {
	session := newSession(t)
	set(t, session, "_csrft_", `"><script>`)
	flash(t, session, "<Saved>")
	flash(t, session, 7)
	flash(t, session, "Full.", khufu.Queue("warning"))
	var page strings.Builder
	if err := form.Execute(&page, session); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "the page", page.String(), `<p>&lt;Saved&gt;</p><p>7</p><b>Full.</b>`+
		`<form><input type="hidden" name="csrf_token" value="&#34;&gt;&lt;script&gt;"></form>`)
	messages, err := session.Messages("", "warning")
	if err != nil || len(messages) != 0 {
		t.Errorf("%v, %v are left", messages, err)
	}
}

// A template that is executed after the response was sent must not show a token that the
// session does not have.
func TestATemplateThatIsTooLateFails(t *testing.T) {
	factory := newFactory(t, khufu.Options{OnError: ignoreError})
	response := serve(factory, get(), func(w http.ResponseWriter, r *http.Request) {
		session := khufu.FromContext(r.Context())
		w.WriteHeader(http.StatusOK)
		wantError(t, form.Execute(w, session), khufu.ErrSent)
	})
	wantEqual(t, "the number of cookies", len(response.Cookies()), 0)
}

func TestCheckCSRF(t *testing.T) {
	const token = "0123456789abcdef"
	factory := newFactory(t, khufu.Options{})
	cookie := beginNow(t, factory, map[string]any{"_csrft_": token}).Header.Get("Cookie")
	handler := factory.Middleware(khufu.CheckCSRF(http.HandlerFunc(teapot)))
	for _, row := range []struct {
		method, header, body, query string
		anonymous                   bool
		wanted                      int
	}{
		{method: "GET", wanted: 418},
		{method: "HEAD", wanted: 418},
		{method: "OPTIONS", wanted: 418},
		{method: "TRACE", wanted: 418},
		{method: "POST", wanted: 403},
		{method: "POST", body: token, wanted: 418},
		{method: "POST", header: token, wanted: 418},
		{method: "POST", header: token, body: "x", wanted: 418},
		{method: "POST", header: "x", body: token, wanted: 403},
		{method: "POST", body: token + "0", wanted: 403},
		{method: "POST", query: token, wanted: 403},
		{method: "POST", body: token, anonymous: true, wanted: 403},
		{method: "PUT", body: token, wanted: 418},
		{method: "PATCH", body: token, wanted: 418},
		{method: "DELETE", wanted: 403},
		{method: "DELETE", body: token, wanted: 403},
		{method: "DELETE", header: token, wanted: 418},
		{method: "get", wanted: 403},
		{method: "PURGE", wanted: 403},
	} {
		body := strings.NewReader(url.Values{"csrf_token": {row.body}}.Encode())
		request := httptest.NewRequest(row.method, "/?csrf_token="+row.query, body)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("X-CSRF-Token", row.header)
		if !row.anonymous {
			request.Header.Set("Cookie", cookie)
		}
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		if recorder.Code != row.wanted {
			t.Errorf("%+v: the status is %d", row, recorder.Code)
		}
	}
}

func TestCheckCSRFReadsAMultipartForm(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	begun := beginNow(t, factory, map[string]any{"_csrft_": "0123456789abcdef"})
	var body bytes.Buffer
	writer := multipart.NewWriter(&body)
	if err := errors.Join(writer.WriteField("csrf_token", "0123456789abcdef"), writer.Close()); err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequest("POST", "/", &body)
	request.Header = http.Header{"Cookie": begun.Header["Cookie"], "Content-Type": {writer.FormDataContentType()}}
	response := serve(factory, request, khufu.CheckCSRF(http.HandlerFunc(teapot)).ServeHTTP)
	wantEqual(t, "the status", response.StatusCode, http.StatusTeapot)
}

// The store is down, not the form too old: the status must say so.
func TestCheckCSRFWithAStoreThatIsDown(t *testing.T) {
	store := new(brokenStore)
	factory := newFactory(t, khufu.Options{CustomStore: store, OnError: ignoreError})
	request := beginNow(t, factory, map[string]any{"_csrft_": "0123456789abcdef"})
	request.Method = "POST"
	request.Header.Set("X-CSRF-Token", "0123456789abcdef")
	store.load = func() error { return errDown }
	response := serve(factory, request, khufu.CheckCSRF(http.HandlerFunc(teapot)).ServeHTTP)
	wantEqual(t, "the status", response.StatusCode, http.StatusServiceUnavailable)
}
