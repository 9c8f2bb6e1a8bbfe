package stream

import (
	"fmt"
	"slices"

	"github.com/foldstream/foldstream"
)

// Role is what a user of a server is for. Each may do what its commands need, and no more.
type Role string

// The roles.
const (
	Viewer     Role = "viewer"     // looks at everything
	Producer   Role = "producer"   // makes tasks and experiments
	Consumer   Role = "consumer"   // works tasks
	Aggregator Role = "aggregator" // folds results, and puts back tickets that were lost
	Administer Role = "admin"      // everything: makes the streams, cancels, removes, schedules
)

// Roles are all there are.
var Roles = []Role{Viewer, Producer, Consumer, Aggregator, Administer}

// Grants is the subjects that a user may publish to and subscribe to.
type Grants struct {
	Publish, Subscribe []string
	Responses          bool // it may answer whoever asks it
}

// GrantsOf returns what a role needs under a prefix; "" is "fold". Makers and workers of tasks are held to the pools, where there are any,
// and workers to the stages; no pool is all pools and all stages. The streams must be there: only an admin makes them.
//
// A grant bounds what a user can do to others. It does not keep users of one role apart who share its pools, and everybody may read
// everything. Errors: Invalid (no such role, the name of a pool or stage).
func GrantsOf(prefix string, role Role, pools, stages []string) (Grants, error) {
	lay := newLayout(or(prefix, "fold"))
	for _, name := range slices.Concat(pools, stages) {
		if err := foldstream.ValidName("name", name); err != nil {
			return Grants{}, foldstream.E(foldstream.Invalid, "grants", err)
		}
	}
	g := Grants{Publish: lay.reading(), Subscribe: []string{"_INBOX.>"}}
	switch role {
	case Viewer:
	case Producer:
		g.Publish = append(g.Publish, lay.making(pools)...)
	case Consumer:
		g.Publish = append(g.Publish, lay.working(pools, stages)...)
	case Aggregator:
		g.Publish = append(g.Publish, lay.folding()...)
		g.Subscribe, g.Responses = append(g.Subscribe, lay.index(">"), "$SRV.>"), true // it keeps an index
	case Administer:
		return Grants{Publish: []string{">"}, Subscribe: []string{">"}, Responses: true}, nil
	default:
		return Grants{}, foldstream.Errorf(foldstream.Invalid, "grants", "there is no role %q; there are %q", role, Roles)
	}
	return g, nil
}

// reading is to look at what is there; locks concern only those who take them. Of queues nobody reads by a consumer: that would take tickets and orders away.
func (l layout) reading() []string {
	grants := []string{"$JS.API.INFO", subjectUserInfo, l.index(">"), "$JS.API.CONSUMER.INFO." + l.work() + ".*", "$JS.API.CONSUMER.LIST." + l.work()}
	for _, stream := range l.all() {
		grants = append(grants, "$JS.API.STREAM.INFO."+stream)
		if stream != l.kvStream(foldstream.Locks) {
			grants = append(grants, "$JS.API.STREAM.MSG.GET."+stream)
		}
		if stream != l.work() && stream != l.schedules() && stream != l.kvStream(foldstream.Locks) {
			grants = append(grants, l.scanning(stream)...)
		}
	}
	for _, stream := range []string{l.defs(), l.work(), l.events()} {
		grants = append(grants, "$JS.API.DIRECT.GET."+stream)
	}
	return grants
}

// scanning is to read a stream by a consumer of one's own.
func (l layout) scanning(stream string) []string {
	return []string{"$JS.API.CONSUMER.CREATE." + stream + ".>", "$JS.API.CONSUMER.MSG.NEXT." + stream + ".*", "$JS.API.CONSUMER.DELETE." + stream + ".*"}
}

// locking is to take locks.
func (l layout) locking() []string {
	return []string{l.kvPrefix(foldstream.Locks) + ">", "$JS.API.STREAM.MSG.GET." + l.kvStream(foldstream.Locks)}
}

// ordering is to execute what schedules order.
func (l layout) ordering() []string {
	return []string{
		"$JS.API.CONSUMER.CREATE." + l.schedules() + "." + ordersConsumer + ".>", "$JS.API.CONSUMER.MSG.NEXT." + l.schedules() + "." + ordersConsumer,
		"$JS.ACK." + l.schedules() + "." + ordersConsumer + ".>", l.schedule("*", lastPart),
	}
}

// all are the streams that a store has from its start, and that of the schedules.
func (l layout) all() []string {
	streams := []string{l.defs(), l.work(), l.events(), l.dlq(), l.metrics(), l.objects(), l.schedules()}
	for _, bucket := range []string{foldstream.Collections, foldstream.Experiments, foldstream.Pools, foldstream.Workers, foldstream.Locks} {
		streams = append(streams, l.kvStream(bucket))
	}
	return streams
}

// storing is to put artifacts.
func (l layout) storing() []string {
	return []string{"$O." + l.artifacts() + ".>", "$JS.API.STREAM.PURGE." + l.objects()}
}

// lanes is to make lanes, and to tell of them.
func (l layout) lanes(pool string) []string {
	return []string{"$JS.API.CONSUMER.CREATE." + l.work() + ".*." + l.prefix + ".work." + pool + ".>", l.kvPrefix(foldstream.Pools) + pool + ".>"}
}

func (l layout) making(pools []string) []string {
	grants := append(l.storing(), l.kvPrefix(foldstream.Experiments)+">")
	grants = append(grants, l.ordering()...)
	for _, pool := range anyOf(pools) {
		grants = append(grants, l.prefix+".def."+pool+".*", l.prefix+".work."+pool+".>", l.kvPrefix(foldstream.Pools)+pool)
		grants = append(grants, l.lanes(pool)...)
	}
	return grants
}

func (l layout) working(pools, stages []string) []string {
	grants := append(l.storing(), l.locking()...)
	grants = append(grants, l.scanning(l.kvStream(foldstream.Locks))...) // the places that others have
	grants = append(grants, l.kvPrefix(foldstream.Workers)+">", l.kvPrefix(foldstream.Experiments)+foldstream.PreparedPrefix+"*", l.prefix+".metric.>", "$JS.API.STREAM.MSG.DELETE."+l.work())
	for _, pool := range anyOf(pools) {
		grants = append(grants, l.prefix+".event."+pool+".*", l.prefix+".dlq."+pool+".>", l.prefix+".work."+pool+".>")
		grants = append(grants, l.lanes(pool)...)
	}
	if len(pools) == 0 {
		return append(grants, "$JS.API.CONSUMER.MSG.NEXT."+l.work()+".*", "$JS.ACK."+l.work()+".>")
	}
	for _, pool := range pools {
		for _, stage := range append([]string{""}, stages...) {
			for band := range foldstream.MaxBand + 1 {
				name := laneName{stage, band}.consumer(pool)
				grants = append(grants, "$JS.API.CONSUMER.MSG.NEXT."+l.work()+"."+name, fmt.Sprintf("$JS.ACK.%s.%s.>", l.work(), name))
			}
		}
	}
	return grants
}

func (l layout) folding() []string {
	grants := append(append(l.storing(), l.locking()...), l.kvPrefix(foldstream.Collections)+">", l.prefix+".work.>",
		"$JS.API.STREAM.MSG.DELETE."+l.work(), "$JS.API.CONSUMER.CREATE."+l.work()+".>", l.kvPrefix(foldstream.Pools)+">")
	return append(grants, l.allAside(), "$JS.API.STREAM.MSG.DELETE."+l.defs()) // it sets aside what stands in the place of a task or a ticket
}

// anyOf returns the pools, or the token that stands for all.
func anyOf(pools []string) []string {
	if len(pools) == 0 {
		return []string{"*"}
	}
	return pools
}
