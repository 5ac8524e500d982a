// This program measures requests to net/http servers whose sessions are in Redis: khufu's own
// store, khufu's store over go-redis, and scs with go-redis. Each request opens a session,
// reads two keys, sets one and commits. A few connections send requests in a closed loop.
//
// Each server runs on the first processor alone. Redis and the client run on the others. The
// servers take turns, so that other load on the machine slows all of them.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

var (
	rounds      = flag.Int("rounds", 5, "how many times each server is measured")
	duration    = flag.Duration("duration", 3*time.Second, "how long each measurement takes")
	connections = flag.Int("connections", 16, "how many requests are made at the same time")
	kind        = flag.String("serve", "", "serve with this kind of store; for the program's own use")
	redisSocket = flag.String("redis", "", "the socket of Redis; for the program's own use")
)

func main() {
	flag.Parse()
	if *kind != "" {
		log.Fatal(serve(*kind, *redisSocket))
	}
	if err := compare(); err != nil {
		log.Fatal(err)
	}
}

// A row is one line of the table.
type row struct {
	kind       string
	processors int // GOMAXPROCS
	address    string
	process    int
	rates      []float64
	p99s       []time.Duration
	costs      []time.Duration // the processor time of the server per request
}

func compare() error {
	others := fmt.Sprintf("1-%d", runtime.NumCPU()-1)
	if err := exec.Command("taskset", "-a", "-p", "-c", others, strconv.Itoa(os.Getpid())).Run(); err != nil {
		return fmt.Errorf("keep this program off the first processor: %w", err)
	}
	folder, err := os.MkdirTemp("", "khufu-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	socket := filepath.Join(folder, "redis.sock")
	redis := exec.Command("redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder)
	stop, err := start(redis)
	if err != nil {
		return err
	}
	defer stop()
	for started := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		connection, err := net.Dial("unix", socket)
		if err == nil {
			connection.Close()
			break
		}
		if time.Since(started) > 10*time.Second {
			return err
		}
	}

	var table []*row
	for _, processors := range []int{1, 2} {
		for _, kind := range []string{"khufu", "goredis", "scs"} {
			server := exec.Command("taskset", "-c", "0", os.Args[0], "-serve", kind, "-redis", socket)
			server.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(processors))
			output, err := server.StdoutPipe()
			if err != nil {
				return err
			}
			stop, err := start(server)
			if err != nil {
				return err
			}
			defer stop()
			address, err := bufio.NewReader(output).ReadString('\n')
			if err != nil {
				return err
			}
			table = append(table, &row{
				kind: kind, processors: processors, address: strings.TrimSpace(address), process: server.Process.Pid,
			})
		}
	}
	for range *rounds {
		for _, row := range table {
			if err := row.measure(); err != nil {
				return err
			}
		}
	}
	fmt.Printf("Medians of %d rounds of %v with %d connections\n\n", *rounds, *duration, *connections)
	fmt.Println("GOMAXPROCS  store    requests/s  99th percentile  processor time per request")
	for _, row := range table {
		fmt.Printf("%10d  %-7s  %10.0f  %15v  %26v\n", row.processors, row.kind, median(row.rates),
			median(row.p99s).Round(10*time.Microsecond), median(row.costs).Round(time.Microsecond))
	}
	return nil
}

func start(command *exec.Cmd) (stop func(), err error) {
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		return nil, err
	}
	return func() { command.Process.Kill(); command.Wait() }, nil
}

func median[T float64 | time.Duration](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

// measure sends requests for a while, and notes their rate, the 99th percentile of their times,
// and what they cost.
func (r *row) measure() error {
	var group sync.WaitGroup
	times, errs := make([][]time.Duration, *connections), make([]error, *connections)
	used, err := processorTime(r.process)
	if err != nil {
		return err
	}
	begin := time.Now()
	for i := range *connections {
		group.Add(1)
		go func() {
			defer group.Done()
			times[i], errs[i] = visit(r.address, begin.Add(*duration))
		}()
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("%s: %w", r.kind, err)
		}
	}
	all := slices.Concat(times...)
	slices.Sort(all)
	usedThen, err := processorTime(r.process)
	if err != nil {
		return err
	}
	r.costs = append(r.costs, (usedThen-used)/time.Duration(len(all)))
	r.rates = append(r.rates, float64(len(all))/time.Since(begin).Seconds())
	r.p99s = append(r.p99s, all[len(all)*99/100])
	return nil
}

// processorTime returns how long a process has used processors.
func processorTime(process int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
	if err != nil {
		return 0, err
	}
	_, afterName, _ := strings.Cut(string(text), ") ")
	const user, system, ticksPerSecond = 11, 12, 100
	var ticks int
	for i, field := range strings.Fields(afterName) {
		if i == user || i == system {
			n, err := strconv.Atoi(field)
			if err != nil {
				return 0, err
			}
			ticks += n
		}
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

// visit makes requests over one connection, as one visitor, and returns how long each took.
func visit(address string, until time.Time) (times []time.Duration, err error) {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	reader, cookie := bufio.NewReader(connection), ""
	for requests := 1; ; requests++ {
		begin := time.Now()
		if begin.After(until) {
			return times, nil
		}
		if _, err := fmt.Fprintf(connection, "GET / HTTP/1.1\r\nHost: bench\r\nCookie: %s\r\n\r\n", cookie); err != nil {
			return nil, err
		}
		status, body, err := readResponse(reader, &cookie)
		if err != nil {
			return nil, err
		}
		if visits := strconv.Itoa(requests); body != visits {
			return nil, fmt.Errorf("visit %s was answered with %q and %q", visits, status, body)
		}
		if requests > 1 { // the first request begins the session
			times = append(times, time.Since(begin))
		}
	}
}

// readResponse reads a response, and its cookie if it has one. It reads only what these servers
// send, because the client must take less time than the server.
func readResponse(reader *bufio.Reader, cookie *string) (status, body string, err error) {
	length := 0
	for first := true; ; first = false {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return "", "", err
		}
		name, value, _ := strings.Cut(strings.TrimSpace(string(line)), ": ")
		switch {
		case first:
			status = name
		case name == "Content-Length":
			if length, err = strconv.Atoi(value); err != nil {
				return "", "", err
			}
		case name == "Set-Cookie":
			*cookie, _, _ = strings.Cut(value, ";")
		case name == "":
			content := make([]byte, length)
			_, err := io.ReadFull(reader, content)
			return status, string(content), err
		}
	}
}
