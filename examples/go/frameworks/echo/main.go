// This program keeps sessions with echo: go run ./echo
package main

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/examples/go/frameworks/site"
)

func main() { site.Run(handler) }

func handler(sessions *khufu.Factory) http.Handler {
	e := echo.New()
	e.Use(middleware.Recover(), echo.WrapMiddleware(sessions.Middleware), echo.WrapMiddleware(khufu.CheckCSRF))
	e.GET("/", show)
	e.POST("/login", logIn)
	e.GET("/ticks", tick)
	return e
}

func show(c echo.Context) error {
	page, err := site.Page(khufu.FromContext(c.Request().Context()))
	if err != nil {
		return err
	}
	return c.HTMLBlob(http.StatusOK, page)
}

func logIn(c echo.Context) error {
	if err := site.LogIn(khufu.FromContext(c.Request().Context()), c.FormValue("user")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/")
}

// tick sends a response in parts. The first one sends the session's cookie, too.
func tick(c echo.Context) error {
	visits, err := khufu.FromContext(c.Request().Context()).Increment("visits", 1)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Response(), "visit %d\n", visits)
	for i := range 3 {
		fmt.Fprintf(c.Response(), "tick %d\n", i+1)
		c.Response().Flush()
	}
	return nil
}
