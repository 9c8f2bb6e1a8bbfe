package online

import (
	"errors"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// version is of the stored state: it changes when a name or a meaning below does.
const version = 1

// The body of a stored state, in msgpack. Equal states have equal bytes.
type (
	wireState struct {
		Pool     string       `msgpack:"pool"`
		Spec     wire.Spec    `msgpack:"spec"`
		Begin    string       `msgpack:"begin"`
		Session  string       `msgpack:"session"`
		Calendar string       `msgpack:"calendar"`
		Switches []wireSwitch `msgpack:"switches"`
		Signals  []wirePart   `msgpack:"signals"`
	}
	wireSwitch struct {
		From   string    `msgpack:"from"`
		Key    []string  `msgpack:"key"`
		Window [2]int    `msgpack:"window"`
		Test   [2]string `msgpack:"test"`
		Task   string    `msgpack:"task"`
	}
	wirePart struct {
		Month    string    `msgpack:"month"`
		Sessions int       `msgpack:"sessions"`
		Rows     int       `msgpack:"rows"`
		Span     [2]string `msgpack:"span"`
		Frame    string    `msgpack:"frame"`
	}
)

func (s State) encode() ([]byte, error) {
	w := wireState{
		Pool: s.Pool, Spec: wire.SpecOf(s.Spec), Begin: s.Begin.String(), Session: s.Session.String(), Calendar: s.Calendar,
		Switches: wire.Each(s.Switches, packSwitch), Signals: wire.Each(s.Signals, packPart),
	}
	return wire.Encode(version, &w)
}

// decode reads what encode wrote. Errors: Invalid.
func decode(what string, data []byte) (s State, err error) {
	var w wireState
	if err := wire.Decode(what, version, data, &w); err != nil {
		return s, err
	}
	s = State{Pool: w.Pool, Spec: w.Spec.Spec(), Calendar: w.Calendar}
	err = errors.Join(s.Begin.UnmarshalText([]byte(w.Begin)), s.Session.UnmarshalText([]byte(w.Session)))
	var bad error
	s.Switches, bad = wire.TryEach(w.Switches, unpackSwitch)
	err = errors.Join(err, bad)
	s.Signals, bad = wire.TryEach(w.Signals, unpackPart)
	if err = errors.Join(err, bad); err != nil {
		return s, foldstream.Errorf(foldstream.Invalid, "online", "%s: %w", what, err)
	}
	return s, nil
}

func packSwitch(s Switch) wireSwitch {
	m := s.Model
	return wireSwitch{s.From.String(), wire.Key(m.Key), [2]int{m.Window.Index, m.Window.Of}, wire.Segment(m.Test), string(m.Task)}
}

func unpackSwitch(w wireSwitch) (s Switch, err error) {
	s.Model = foldstream.Expectation{
		Key: wire.KeyOf(w.Key), Window: foldstream.Window{Index: w.Window[0], Of: w.Window[1]}, Task: foldstream.TaskID(w.Task),
	}
	s.Model.Test, err = wire.SegmentOf(w.Test)
	return s, errors.Join(err, s.From.UnmarshalText([]byte(w.From)))
}

func packPart(p Part) wirePart {
	return wirePart{p.Month, p.Sessions, p.Rows, wire.Segment(p.Span), string(p.Frame)}
}

func unpackPart(w wirePart) (p Part, err error) {
	p = Part{Month: w.Month, Sessions: w.Sessions, Rows: w.Rows, Frame: foldstream.Digest(w.Frame)}
	p.Span, err = wire.SegmentOf(w.Span)
	return p, err
}
