package test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/foldstream/foldstream"

// mayImport is the import table: each room and the rooms of ours that it may import, its tests not counted.
var mayImport = map[string][]string{
	"":                  {"internal/pack"},
	"calendar":          {""},
	"gen":               {"", "calendar"},
	"gen/qlib":          {"", "calendar", "gen"},
	"metric":            {""},
	"frame":             {""},
	"work":              {"", "internal/clock", "frame", "metric", "work/exec", "work/ridge", "internal/series"},
	"work/exec":         {""},
	"work/ridge":        {"", "metric", "work/cache"},
	"work/cache":        {"", "internal/clock"},
	"internal/clock":    {},
	"internal/heap":     {},
	"internal/pack":     {},
	"internal/wire":     {"", "internal/pack"},
	"internal/series":   {""},
	"internal/archive":  {"", "internal/wire"},
	"record":            {"", "internal/wire", "internal/series"},
	"collect":           {"", "internal/clock", "frame", "metric", "record", "internal/wire"},
	"report":            {"", "metric", "collect"},
	"online":            {"", "calendar", "frame", "collect", "internal/wire"},
	"gc":                {"", "internal/wire"},
	"stream":            {"", "internal/clock", "internal/pack", "internal/wire"},
	"stream/mem":        {""},
	"stream/embed":      {""},
	"stream/streamtest": {"", "stream/embed"},
	"chaos":             {},
	"cmd/internal/cli":  {"", "calendar", "chaos", "gen", "gen/qlib", "frame", "metric", "work", "work/cache", "work/exec", "work/ridge", "record", "collect", "report", "online", "gc", "stream", "internal/archive", "internal/heap"},
	"cmd/producer":      {"cmd/internal/cli"},
	"cmd/consumer":      {"cmd/internal/cli"},
	"cmd/aggregator":    {"cmd/internal/cli"},
	"cmd/foldstream":    {"cmd/internal/cli", "stream/embed", "examples/dow30"},
}

// outsiders are the modules that only the named rooms may import.
var outsiders = map[string][]string{
	"github.com/nats-io/nats-server": {"stream/embed", "stream/streamtest"},
	"github.com/nats-io/nats.go":     {"stream", "stream/embed", "stream/streamtest", "cmd/internal/cli", "cmd/foldstream"},
	"github.com/parquet-go":          {"frame"},
	"github.com/alecthomas/kong":     {"cmd/internal/cli", "cmd/producer", "cmd/consumer", "cmd/aggregator", "cmd/foldstream"},
	"gonum.org/v1/plot":              {"report"},
	"golang.org/x/image":             {"report"},
}

func TestImportsFollowTheTable(t *testing.T) {
	for room, imports := range rooms(t) {
		allowed, known := mayImport[room]
		if strings.HasPrefix(room, "examples/") || room == "test" || strings.HasPrefix(room, "test/") {
			continue // programs of users, and the tests that bring the rooms together
		}
		if !known {
			t.Errorf("room %q is not in the import table", room)
		}
		for _, path := range imports {
			if fault := judge(room, path, allowed); fault != "" {
				t.Error(fault)
			}
		}
	}
}

// judge says what is wrong with a room's importing of path, "" where nothing is.
func judge(room, path string, allowed []string) string {
	if path == module || strings.HasPrefix(path, module+"/") {
		if other := strings.TrimPrefix(strings.TrimPrefix(path, module), "/"); !slices.Contains(allowed, other) {
			return room + " imports our room " + other
		}
		return ""
	}
	if room == "" && strings.Contains(path, ".") {
		return "the root imports " + path + ", which is not of the standard library"
	}
	for outsider, rooms := range outsiders {
		if strings.HasPrefix(path, outsider) && !slices.Contains(rooms, room) {
			return room + " imports " + path
		}
	}
	return ""
}

func TestTheTableForbids(t *testing.T) {
	for _, c := range []struct{ room, path string }{
		{"", module + "/gen"}, {"", "github.com/nats-io/nats.go"}, {"gen", module + "/stream"}, {"stream", module + "/collect"},
		{"record", module + "/collect"}, {"stream", module + "/record"}, {"online", module + "/gen"}, {"online", module + "/stream"}, {"work", module + "/record"}, {"gc", module + "/work/cache"},
		{"stream", "github.com/nats-io/nats-server/v2/server"}, {"collect", "github.com/nats-io/nats.go/jetstream"},
		{"cmd/consumer", module + "/stream/embed"},
	} {
		if judge(c.room, c.path, mayImport[c.room]) == "" {
			t.Errorf("%q may import %s", c.room, c.path)
		}
	}
}

// The three services run beside a server of the user's; none of them has one inside.
func TestServicesDoNotLinkTheServer(t *testing.T) {
	for _, service := range []string{"producer", "consumer", "aggregator"} {
		for _, dep := range strings.Fields(goList(t, "-deps", module+"/cmd/"+service)) {
			if strings.HasPrefix(dep, "github.com/nats-io/nats-server") {
				t.Errorf("cmd/%s links %s", service, dep)
			}
		}
	}
	if !strings.Contains(goList(t, "-deps", module+"/cmd/foldstream"), "github.com/nats-io/nats-server/v2/server") {
		t.Error("cmd/foldstream has lost its embedded server")
	}
}

// rooms lists the module's packages by folder with what their product code imports.
func rooms(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	out := goList(t, "-f", "{{.ImportPath}} {{join .Imports \" \"}}", module+"/...")
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		all[strings.TrimPrefix(strings.TrimPrefix(fields[0], module), "/")] = fields[1:]
	}
	return all
}

func goList(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %v: %v", args, err)
	}
	return string(out)
}
