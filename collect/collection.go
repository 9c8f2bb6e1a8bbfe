package collect

import (
	"github.com/foldstream/foldstream"
)

// Collection is what an experiment's results fold into: a group for each configuration and, where the experiment asks for one,
// their ensemble. Equal sets of winning results give equal stored bytes: nothing in it tells of times, workers, attempts
// or the experiment's name.
type Collection struct {
	Experiment string // the name it was loaded by; not in the stored bytes
	Spec       foldstream.CollectionSpec
	Certified  bool                // no task was let through with a leak
	Settled    bool                // every expected member is present or given up: nothing will change unless somebody asks for it
	Coverage   foldstream.Coverage // the sum of the groups'; Failed and Missing have one entry a member
	Groups     []Group             // in key order, see CompareKeys
	Ensemble   *Group              // of the groups' frames; nil until the collection is settled, or where the spec names none
}

// Group is the fold of one configuration: its windows as one series, and what the series is worth.
type Group struct {
	Key      foldstream.Key // nil for the ensemble
	Coverage foldstream.Coverage
	Windows  []Window // one a member, by index; nil for the ensemble
	// Metrics has the names below and only those that could be computed; a metric may be NaN.
	Metrics Metrics
	// Daily has a row a session and the columns "ic" and "rank_ic" and, with a portfolio, "return" (after costs), "gross",
	// "turnover", "cumulative" and "drawdown". NaN where a session has no value.
	Daily foldstream.Frame
	// Frame is the merged series, see LoadFrame. It is empty until every member of the group is present or given up.
	Frame Blob
	// Faults say in words what could not be computed and why; nil is none.
	Faults []string
}

// Metrics are numbers by name.
type Metrics map[string]float64

// The metrics of a group. The portfolio's are after costs.
const (
	MetricIC               = "ic"                // mean of the daily information coefficients
	MetricICIR             = "icir"              // their mean over their sample deviation
	MetricRankIC           = "rank_ic"           // the same of ranks
	MetricRankICIR         = "rank_icir"         //
	MetricAnnualReturn     = "annual_return"     // of the portfolio
	MetricInformationRatio = "information_ratio" // of the portfolio
	MetricMaxDrawdown      = "max_drawdown"      // of the portfolio; negative
	MetricTurnover         = "turnover"          // mean value traded a session, per unit of capital
)

// Window is one member of a group.
type Window struct {
	Index  int
	Test   foldstream.Segment
	Task   foldstream.TaskID
	Status foldstream.Status // Done, Dead, Withdrawn or Removed; Waiting for all that is not final
	// Metrics are those of the winning result, as its worker recorded them; nil where there is no result.
	Metrics Metrics
	// Fault says why a result there is could not be folded; its task counts as failed. "" is none.
	Fault string
	// Code is the version of the code that made the winning result, as its consumer declared it. "" is not declared.
	Code string
}

// Blob is some bytes: small ones in place, large ones as an artifact. At most one of the fields is set.
type Blob struct {
	Inline []byte
	Digest foldstream.Digest
}

// IsEmpty reports whether there are no bytes.
func (b Blob) IsEmpty() bool { return len(b.Inline) == 0 && b.Digest == "" }

// Summary is a collection in counts: what Watch tells while it grows.
type Summary struct {
	Members   foldstream.Digest // the list of members that it counts, see foldstream.Experiment
	Round     int               // of the experiment
	Spec      foldstream.CollectionSpec
	Certified bool
	Settled   bool
	Expected  int
	Present   int
	Failed    int
	Groups    []GroupSummary // in key order
	Ensemble  bool           // there is one

	// How many runs of sessions are missing or doubled, see foldstream.Coverage, and what code made the results.
	Gaps, Overlaps, Duplicates int
	Codes                      Codes
}

// GroupSummary is one group in counts.
type GroupSummary struct {
	Key      foldstream.Key
	Expected int
	Present  int
	Failed   int
}

// Complete reports whether every expected member is present and no session is missing or doubled.
func (s Summary) Complete() bool {
	return s.Present == s.Expected && s.Gaps+s.Overlaps+s.Duplicates == 0
}
