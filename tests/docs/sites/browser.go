package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
)

// printed is what a program prints: checks, each with its name, what was found and what is wanted, and the defaults of
// the library and of khufu.
var printed struct {
	Checks       [][3]string
	Theirs, Ours map[string]any
}

func check(what, found, wanted string) {
	printed.Checks = append(printed.Checks, [3]string{what, found, wanted})
}

func show() { json.NewEncoder(os.Stdout).Encode(printed) }

// A browser has the values of its cookies, by their names.
type browser map[string]string

// visit returns a page, which is the name of the user.
func (b browser) visit(site http.Handler, path string) string {
	request := httptest.NewRequest("GET", path, nil)
	for name, value := range b {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	response := httptest.NewRecorder()
	site.ServeHTTP(response, request)
	for _, cookie := range response.Result().Cookies() {
		b[cookie.Name] = cookie.Value
		if cookie.MaxAge < 0 {
			delete(b, cookie.Name)
		}
	}
	return response.Body.String()
}

// checkMove takes a visitor from the old site to the new one, and returns their browser.
func checkMove(old, new http.Handler) browser {
	forged := browser{}
	forged.visit(old, "/login")
	for name, value := range forged {
		forged[name] = value[1:] + "A"
	}
	check("a forged old cookie", forged.visit(new, "/"), "")

	early := browser{}
	early.visit(old, "/login")
	check("a logout at the first request", early.visit(new, "/logout")+early.visit(new, "/"), "")

	ada := browser{}
	ada.visit(old, "/login")
	copied := maps.Clone(ada)
	check("the old site knows the visitor", ada.visit(old, "/"), "ada")
	check("the visitor stays logged in", ada.visit(new, "/save"), "ada")
	moved := maps.Clone(ada)
	check("the visitor has one cookie", string(rune('0'+len(ada))), "1")
	check("the next page", ada.visit(new, "/"), "ada")
	check("a request that was on its way", copied.visit(new, "/"), "ada")
	check("a logout", ada.visit(new, "/logout")+ada.visit(new, "/"), "")
	return moved
}

func sameSite(mode http.SameSite) string {
	return map[http.SameSite]string{http.SameSiteLaxMode: "Lax", http.SameSiteNoneMode: "None"}[mode]
}
