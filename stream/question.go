package stream

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/foldstream/foldstream"
)

// serviceVersion is that of questions and answers: younger questions are refused. pageSize is how many tasks are in an answer.
const (
	serviceVersion = 1
	pageSize       = 500
)

// question is the body of every request; an empty one is the zero question.
type question struct {
	Version  int                 `json:"version,omitempty"` // 0 is 1
	Pool     string              `json:"pool,omitempty"`    // of stat: "" is all
	Statuses []foldstream.Status `json:"statuses,omitempty"`
	After    foldstream.TaskID   `json:"after,omitempty"` // tasks created after this one
	Past     uint64              `json:"past,omitempty"`  // instead: tasks whose definition has a later sequence
	Limit    int                 `json:"limit,omitempty"` // 0 is pageSize, which also is the most
}

// statReply is the answer of stat.
type statReply struct {
	Version int                          `json:"version"`
	Pools   map[string]foldstream.Counts `json:"pools"`
}

// pageReply is the answer of tasks.
type pageReply struct {
	Version int   `json:"version"`
	Tasks   []row `json:"tasks"`
	More    bool  `json:"more"`
}

// row is where a task stands. What it is stands in DEFS.
type row struct {
	ID        foldstream.TaskID `json:"id"`
	Def       uint64            `json:"def"`             // sequence of the definition
	Event     uint64            `json:"event,omitempty"` // sequence of the last event; 0 is none
	Status    foldstream.Status `json:"status"`
	Stage     string            `json:"stage,omitempty"`
	Attempt   int               `json:"attempt,omitempty"`
	Worker    string            `json:"worker,omitempty"`
	Crashes   int               `json:"crashes,omitempty"`
	Moved     int               `json:"moved,omitempty"` // as in link
	Updated   time.Time         `json:"updated,omitzero"`
	NotBefore time.Time         `json:"not_before,omitzero"`
	Trouble   bool              `json:"trouble,omitempty"` // the last event tells the error of an attempt
}

// readQuestion reads a request. A field that this program does not know may change the answer. Errors: Invalid.
func readQuestion(body []byte) (q question, err error) {
	if len(body) > 0 {
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.DisallowUnknownFields()
		if err = dec.Decode(&q); err == nil && dec.Decode(&struct{}{}) != io.EOF {
			err = errors.New("there is something behind the question")
		}
	}
	_, known := wanting(q.Statuses)
	switch {
	case err != nil:
	case q.Version < 0 || q.Version > serviceVersion:
		return q, foldstream.Errorf(foldstream.Invalid, "index", "a question of version %d; this program answers version %d", q.Version, serviceVersion)
	case q.Pool != "" && foldstream.ValidName("pool", q.Pool) != nil:
		err = foldstream.ValidName("pool", q.Pool)
	case !known:
		return q, foldstream.Errorf(foldstream.Invalid, "index", "statuses %q: one of them is none", q.Statuses)
	case q.Limit < 0:
		return q, foldstream.Errorf(foldstream.Invalid, "index", "a limit of %d is below 0", q.Limit)
	}
	return q, foldstream.E(foldstream.Invalid, "index", err)
}

// row is an entry as it is told. The caller holds mu.
func (x *index) row(e entry) row {
	r := row{
		ID: e.key.id(), Def: e.def, Event: e.event, Status: statusRow[e.status], Stage: x.names.text(e.stage), Attempt: int(e.attempt),
		Worker: x.names.text(e.worker), Crashes: int(e.crashes), Moved: int(e.moved), Trouble: e.trouble,
	}
	if e.event > 0 {
		r.Updated = time.Unix(0, e.updated).UTC()
	}
	if e.until != 0 {
		r.NotBefore = time.Unix(0, e.until).UTC()
	}
	return r
}
