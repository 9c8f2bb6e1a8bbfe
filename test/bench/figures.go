package main

import (
	"fmt"
	"strings"
	"time"
)

// figure is one measured quantity of a point, with its floor.
type figure struct {
	Point   string     `json:"point"`
	What    string     `json:"what"`
	Unit    string     `json:"unit"` // "tasks/s", or "ms"
	Ours    float64    `json:"ours"`
	Floor   float64    `json:"floor"`
	Ratio   float64    `json:"ratio"` // of rates ours to the floor's; of times the other way round: above 1 is faster than the floor
	Rounds  int        `json:"rounds"`
	CPU     [2]float64 `json:"client_cpu_us"` // microseconds of processor time a task, ours and the floor's
	Serving [2]float64 `json:"server_cpu_us"`
	Client  [2]int     `json:"client_mib"` // peaks, ours and the floor's
	Server  [2]int     `json:"server_mib"`
}

// figures collects the rounds of a point.
type figures struct {
	point   point
	names   []string
	rates   map[string]*[2][]float64
	times   map[string]*[2][]time.Duration
	clients map[string]*[2]int64
	cpu     map[string]*[2][]float64 // microseconds a task
	serving map[string]*[2][]float64
	servers [2]int64
}

func newFigures(p point) *figures {
	return &figures{point: p, rates: map[string]*[2][]float64{}, times: map[string]*[2][]time.Duration{}, clients: map[string]*[2]int64{}, cpu: map[string]*[2][]float64{}, serving: map[string]*[2][]float64{}}
}

// side is 0 for the pool and 1 for the floor.
func side(raw bool) int {
	if raw {
		return 1
	}
	return 0
}

func (f *figures) add(j job, r report) {
	at := side(j.Raw)
	if len(r.P50) == 0 {
		f.named(j.Do)
		f.rates[j.Do][at] = append(f.rates[j.Do][at], r.rate())
		f.clients[j.Do][at] = max(f.clients[j.Do][at], r.Peak)
		f.cpu[j.Do][at] = append(f.cpu[j.Do][at], each(r.CPU, r.Done))
		f.serving[j.Do][at] = append(f.serving[j.Do][at], each(r.Server, r.Done))
	}
	for _, what := range []string{"start", "result", "stat", "query"} {
		if d, ok := r.P50[what]; ok {
			f.named(what)
			f.times[what][at] = append(f.times[what][at], d)
			f.clients[what][at] = max(f.clients[what][at], r.Peak)
		}
	}
}

func (f *figures) named(what string) {
	if _, ok := f.clients[what]; ok {
		return
	}
	f.names = append(f.names, what)
	f.rates[what], f.times[what], f.clients[what] = &[2][]float64{}, &[2][]time.Duration{}, &[2]int64{}
	f.cpu[what], f.serving[what] = &[2][]float64{}, &[2][]float64{}
}

// each is microseconds a task.
func each(d time.Duration, tasks int) float64 { return float64(d.Microseconds()) / float64(tasks) }

func (f *figures) server(raw bool, peak int64) {
	f.servers[side(raw)] = max(f.servers[side(raw)], peak)
}

func (f *figures) list(rounds int) []figure {
	all := make([]figure, 0, len(f.names))
	for _, what := range f.names {
		g := figure{Point: f.point.Name, What: what, Unit: "tasks/s", Rounds: rounds, Client: mib(*f.clients[what]), Server: mib(f.servers)}
		if rates := f.rates[what]; len(rates[0]) > 0 {
			g.Ours, g.Floor = median(rates[0]), median(rates[1])
			g.Ratio = g.Ours / g.Floor
			for at := range sides {
				g.CPU[at], g.Serving[at] = median(f.cpu[what][at]), median(f.serving[what][at])
			}
		} else {
			times := f.times[what]
			g.Unit, g.Ours, g.Floor = "ms", ms(median(times[0])), ms(median(times[1]))
			g.Ratio = g.Floor / g.Ours
		}
		all = append(all, g)
	}
	return all
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func mib(bytes [2]int64) [2]int { return [2]int{int(bytes[0] >> 20), int(bytes[1] >> 20)} }

// heading is the first lines of the Markdown table.
const heading = "| case | what | ours | floor | ratio | client µs | server µs | client MiB | server MiB | rounds |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n"

// row is the figure's line of it.
func (g figure) row() string {
	number := func(x float64) string {
		if g.Unit == "ms" {
			return fmt.Sprintf("%.2f ms", x)
		}
		return thousands(int(x)) + "/s"
	}
	server := "in the client"
	if g.Server[0] > 0 {
		server = fmt.Sprintf("%d, %d", g.Server[0], g.Server[1])
	}
	cpu := func(x [2]float64) string {
		if x == [2]float64{} {
			return ""
		}
		return fmt.Sprintf("%.0f, %.0f", x[0], x[1])
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %.2f | %s | %s | %d, %d | %s | %d |\n",
		g.Point, words[g.What], number(g.Ours), number(g.Floor), g.Ratio, cpu(g.CPU), cpu(g.Serving), g.Client[0], g.Client[1], server, g.Rounds)
}

// words say what was measured.
var words = map[string]string{
	"create": "create in bulk", "insert": "create one by one", "drain": "drain", "start": "create to start, p50",
	"result": "create to result visible, p50", "stat": "count by status", "query": "ask for one task, p50",
	"replay": "replay, beside create in bulk",
}

func thousands(n int) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return strings.TrimSpace(text)
}
