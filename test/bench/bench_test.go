package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestMain is the program where it is started as a child of itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-role" {
		main()
		return
	}
	os.Exit(m.Run())
}

// A benchmark that was never run measures nothing when it is needed: each of its jobs does some tasks, on both sides.
func TestMeasure(t *testing.T) {
	small := base
	small.Name, small.Tasks, small.Processes = "small", 60, 2
	single := small
	single.Name, single.Jobs, single.Tasks = "single", []string{"insert"}, 10
	inside := small
	inside.Name, inside.Inside, inside.Jobs = "inside", true, []string{"create", "drain"}
	for _, p := range []point{small, single, inside} {
		figures, err := measure(t.Context(), p, 1)
		if err != nil {
			t.Fatal(err)
		}
		names := []string{}
		for _, f := range figures {
			if names = append(names, f.What); f.Ours <= 0 || f.Floor <= 0 || f.Ratio <= 0 || f.Client[0] == 0 {
				t.Errorf("%s: measured %+v", p.Name, f)
			}
			if row := f.row(); strings.Count(row, "|") != strings.Count(heading, "|")/2 {
				t.Errorf("%s does not fit the table's head", row)
			}
		}
		want := p.Jobs
		if at := slices.Index(want, "look"); at >= 0 {
			want = slices.Replace(slices.Clone(want), at, at+1, "stat", "query")
		}
		if !slices.Equal(names, want) {
			t.Errorf("%s: measured %v, want %v", p.Name, names, want)
		}
	}
}

// TestTasks has the definitions be as large as the floor's messages are: a smaller one would be no fair measure.
func TestTasks(t *testing.T) {
	s := streamtest.Server(t)
	nc, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	p, err := openPool(t.Context(), nc)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.store.Close() }()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range []foldstream.Task{tasks(0, 1)[0], tasks(99_999, 1)[0]} {
		if _, err := p.Create(t.Context(), task); err != nil {
			t.Fatal(err)
		}
		for _, stream := range []string{"FOLD_DEFS", "FOLD_WORK"} {
			m, err := lastOf(t.Context(), js, stream)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(m.Data); n < bodySize || n > bodySize+50 {
				t.Errorf("%s: %d bytes, not %d", m.Subject, n, bodySize)
			}
		}
	}
}

func lastOf(ctx context.Context, js jetstream.JetStream, name string) (*jetstream.RawStreamMsg, error) {
	s, err := js.Stream(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.GetMsg(ctx, s.CachedInfo().State.LastSeq)
}

func TestLoad(t *testing.T) {
	l, err := loadOne(t.Context(), 150)
	if err != nil {
		t.Fatal(err)
	}
	for what, d := range map[string]time.Duration{"fill": l.Fill, "stat": l.Stat, "page": l.Page, "list": l.List, "restart": l.Restart, "recover": l.Recover} {
		if d <= 0 {
			t.Errorf("%s took %v", what, d)
		}
	}
	if l.Create <= 0 || l.Drain <= 0 || min(l.Producer, l.Consumer, l.Aggregator, l.Server) < 1<<20 || l.Stored < 150*bodySize {
		t.Errorf("measured %+v", l)
	}
}

func TestSoak(t *testing.T) {
	roles, err := soakFor(t.Context(), 8*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	done := map[string]int{}
	for _, r := range roles {
		if len(r.samples) == 0 {
			t.Fatalf("the %s said nothing", r.name)
		}
		last := r.samples[len(r.samples)-1]
		done[r.name] += last.Done
		if last.Goroutines == 0 || last.Files == 0 || last.Heap == 0 || last.Resident == 0 {
			t.Errorf("the %s has %+v", r.name, last)
		}
	}
	if done["producer"] < soakTasks || done["consumer"] == 0 {
		t.Errorf("done were %v", done)
	}
}

func TestSlope(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   string
	}{
		{nil, "0.00"}, {[]float64{5}, "0.00"}, {[]float64{1, 1, 1}, "0.00"}, {[]float64{1, 3, 5, 7}, "2.00"}, {[]float64{4, 2, 0}, "-2.00"}, {[]float64{0, 1, 0, 1}, "0.20"},
	} {
		if got := fmt.Sprintf("%.2f", slopeOf(c.values)); got != c.want {
			t.Errorf("the slope of %v is %s, want %s", c.values, got, c.want)
		}
	}
}

func TestBrief(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 1234 * time.Nanosecond: "1µs", 123456 * time.Nanosecond: "123µs", 1234567 * time.Nanosecond: "1.23ms", 12345678 * time.Microsecond: "12.3s",
	} {
		if got := brief(d).String(); got != want {
			t.Errorf("%v in brief is %s, want %s", d, got, want)
		}
	}
}
