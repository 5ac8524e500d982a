// This program visits a shop in a closed loop: each of eight clients sends its next request when it has the response
// to the one before. It prints how many requests a second were answered.
//
//	measure ADDRESS SECONDS
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const clients = 8

// A step is a request of a visit. Its form is empty if it is a GET.
type step struct {
	path, form string
	status     int
}

var visit = []step{
	{"/", "", 200},
	{"/login", "user=ada", 303},
	{"/", "", 200},
	{"/cart", "sku=A-1&quantity=2", 303},
	{"/", "", 200},
	{"/cart", "sku=B-2&quantity=1", 303},
	{"/", "", 200},
	{"/logout", "confirmed=yes", 303},
}

func main() {
	seconds, err := strconv.ParseFloat(os.Args[2], 64)
	if err != nil {
		log.Fatal(err)
	}
	start := time.Now()
	end := start.Add(time.Duration(seconds * float64(time.Second)))
	requests := make([]int, clients)
	var group sync.WaitGroup
	for i := range requests {
		group.Add(1)
		go func() {
			defer group.Done()
			c := connect(os.Args[1])
			for time.Now().Before(end) {
				c.visit()
				requests[i] += len(visit)
			}
		}()
	}
	group.Wait()
	total := 0
	for _, number := range requests {
		total += number
	}
	fmt.Printf("%.0f\n", float64(total)/time.Since(start).Seconds())
}

// A client has one connection, and the cookie and the CSRF token of its visitor.
type client struct {
	connection net.Conn
	reader     *bufio.Reader
	request    bytes.Buffer
	cookie     string
	token      string
}

func connect(address string) *client {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	return &client{connection: connection, reader: bufio.NewReader(connection)}
}

func (c *client) visit() {
	c.cookie, c.token = "", ""
	for _, step := range visit {
		if err := c.take(step); err != nil {
			log.Fatal(step.path, ": ", err)
		}
	}
}

func (c *client) take(step step) error {
	c.write(step)
	if _, err := c.connection.Write(c.request.Bytes()); err != nil {
		return err
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != step.status {
		return fmt.Errorf("%s: %s", response.Status, body)
	}
	if _, token, found := strings.Cut(string(body), "token "); found {
		c.token = strings.TrimSpace(token)
	}
	for _, header := range response.Header["Set-Cookie"] {
		c.cookie, _, _ = strings.Cut(header, ";")
	}
	return nil
}

func (c *client) write(step step) {
	method := "GET"
	if step.form != "" {
		method = "POST"
	}
	c.request.Reset()
	fmt.Fprintf(&c.request, "%s %s HTTP/1.1\r\nHost: shop\r\n", method, step.path)
	if c.cookie != "" {
		fmt.Fprintf(&c.request, "Cookie: %s\r\n", c.cookie)
	}
	if c.token != "" {
		fmt.Fprintf(&c.request, "X-CSRF-Token: %s\r\n", c.token)
	}
	if step.form != "" {
		fmt.Fprintf(&c.request, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n", len(step.form))
	}
	fmt.Fprintf(&c.request, "\r\n%s", step.form)
}
