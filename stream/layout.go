package stream

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/foldstream/foldstream"
)

// layout is the names of all subjects, streams and buckets under one prefix.
type layout struct {
	prefix  string // of subjects: "fold"
	streams string // of streams and buckets: "FOLD_"
}

func newLayout(prefix string) layout {
	return layout{prefix, strings.ToUpper(prefix) + "_"}
}

func (l layout) defs() string                { return l.streams + "DEFS" }
func (l layout) work() string                { return l.streams + "WORK" }
func (l layout) events() string              { return l.streams + "EVENTS" }
func (l layout) dlq() string                 { return l.streams + "DLQ" }
func (l layout) metrics() string             { return l.streams + "METRICS" }
func (l layout) artifacts() string           { return l.streams + "ARTIFACTS" }
func (l layout) bucket(name string) string   { return l.streams + name }
func (l layout) kvStream(name string) string { return "KV_" + l.streams + name }
func (l layout) kvPrefix(name string) string { return "$KV." + l.streams + name + "." }

// objects is the stream of an object store, in which chunks are an upload's and object is what is said of a blob (ADR-20).
func (l layout) objects() string         { return "OBJ_" + l.artifacts() }
func (l layout) chunks(id string) string { return "$O." + l.artifacts() + ".C." + id }
func (l layout) object(d foldstream.Digest) string {
	return "$O." + l.artifacts() + ".M." + base64.URLEncoding.EncodeToString([]byte(d))
}

func (l layout) anyObject() string { return "$O." + l.artifacts() + ".M.*" }

func (l layout) def(pool string, id foldstream.TaskID) string {
	return l.prefix + ".def." + pool + "." + string(id)
}

func (l layout) event(pool string, id foldstream.TaskID) string {
	return l.prefix + ".event." + pool + "." + string(id)
}

// metric is the subject of a recorder's points; "" is every recorder of the experiment.
func (l layout) metric(experiment, recorder string) string {
	if recorder == "" {
		recorder = "*"
	}
	return l.prefix + ".metric." + experiment + "." + recorder
}

func (l layout) letter(pool, stage string, id foldstream.TaskID) string {
	return l.prefix + ".dlq." + pool + "." + stageToken(stage) + "." + string(id)
}

// letters is the filter of a task's dead letters, at whatever stage; "*" is every task.
func (l layout) letters(pool string, id foldstream.TaskID) string {
	return l.prefix + ".dlq." + pool + ".*." + string(id)
}

func (l layout) ticket(pool string, ln laneName, id foldstream.TaskID) string {
	return l.prefix + ".work." + pool + "." + stageToken(ln.stage) + "." + strconv.Itoa(ln.band) + "." + string(id)
}

// later is where the schedule of a task's delayed ticket waits.
func (l layout) later(pool string, band int, id foldstream.TaskID) string {
	return l.prefix + ".work." + pool + "." + laterToken + "." + strconv.Itoa(band) + "." + string(id)
}

// anyLater is the filter of a task's schedules, in whatever band.
func (l layout) anyLater(pool string, id foldstream.TaskID) string {
	return l.prefix + ".work." + pool + "." + laterToken + ".*." + string(id)
}

// index is where questions to an index are asked; "" is the root of them all.
func (l layout) index(endpoint string) string {
	if endpoint == "" {
		return l.prefix + ".index"
	}
	return l.prefix + ".index." + endpoint
}

// allTickets is the filter of a pool's tickets and schedules.
func (l layout) allTickets(pool string) string { return l.prefix + ".work." + pool + ".>" }

// allLater is the filter of a pool's schedules.
func (l layout) allLater(pool string) string {
	return l.prefix + ".work." + pool + "." + laterToken + ".>"
}

// anyTicket is the one filter that every compare on a task's tickets uses: with different ones a cluster accepts two.
func (l layout) anyTicket(pool string, id foldstream.TaskID) string {
	return l.prefix + ".work." + pool + ".*.*." + string(id)
}

// laneTickets is what the consumer of a lane takes.
func (l layout) laneTickets(pool string, ln laneName) string {
	return l.prefix + ".work." + pool + "." + stageToken(ln.stage) + "." + strconv.Itoa(ln.band) + ".>"
}

// laneName names a stage's band of a pool: one durable consumer.
type laneName struct {
	stage string
	band  int
}

// consumer is the durable's name. '=' is in no pool's and no stage's name, so no two lanes share one.
func (n laneName) consumer(pool string) string {
	return pool + "=" + stageToken(n.stage) + "=" + strconv.Itoa(n.band)
}

// laterToken stands in the place of the stage in the subjects of schedules.
const laterToken = "later"

// stageToken is a stage in a subject. No name starts with '_', so the two exceptions take nobody's place.
func stageToken(stage string) string {
	switch stage {
	case "":
		return "_"
	case laterToken:
		return "_" + laterToken
	}
	return stage
}

func stageOf(token string) string {
	switch token {
	case "_":
		return ""
	case "_" + laterToken:
		return laterToken
	}
	return token
}

// laneOf reads a lane from its two tokens, which must be as we write them.
func laneOf(stage, band string) (laneName, bool) {
	n, err := strconv.Atoi(band)
	ok := err == nil && n >= 0 && n <= foldstream.MaxBand && band == strconv.Itoa(n)
	name := laneName{stageOf(stage), n}
	ok = ok && (name.stage == "" || foldstream.ValidName("stage", name.stage) == nil)
	return name, ok && (stage == laterToken || stage == stageToken(name.stage))
}

// lastToken returns what stands after the last dot: the id in subjects of tasks.
func lastToken(subject string) string { return subject[strings.LastIndexByte(subject, '.')+1:] }
