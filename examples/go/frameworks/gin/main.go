// This program keeps sessions with gin: go run ./gin
package main

import (
	"fmt"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/examples/go/frameworks/site"
)

func main() { site.Run(handler) }

// handler wraps the whole router, because gin's own middleware cannot replace the writer of
// net/http.
func handler(sessions *khufu.Factory) http.Handler {
	router := gin.Default()
	router.GET("/", show)
	router.POST("/login", logIn)
	router.GET("/ticks", tick)
	return sessions.Middleware(khufu.CheckCSRF(router))
}

func show(c *gin.Context) {
	page, err := site.Page(khufu.FromContext(c.Request.Context()))
	if err != nil {
		c.AbortWithError(http.StatusInternalServerError, err)
		return
	}
	c.Data(http.StatusOK, "text/html; charset=utf-8", page)
}

func logIn(c *gin.Context) {
	if err := site.LogIn(khufu.FromContext(c.Request.Context()), c.PostForm("user")); err != nil {
		c.AbortWithError(http.StatusInternalServerError, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/")
}

// tick sends a response in parts. The first one sends the session's cookie, too.
func tick(c *gin.Context) {
	visits, err := khufu.FromContext(c.Request.Context()).Increment("visits", 1)
	if err != nil {
		c.AbortWithError(http.StatusInternalServerError, err)
		return
	}
	ticks := 0
	fmt.Fprintf(c.Writer, "visit %d\n", visits)
	c.Stream(func(w io.Writer) bool {
		ticks++
		fmt.Fprintf(w, "tick %d\n", ticks)
		return ticks < 3
	})
}
