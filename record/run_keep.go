package record

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
)

// begin says from now on that the run lives, and what it has to say.
func (r *Run) begin() {
	r.beat.Go(func() {
		as := foldstream.Points{Experiment: r.experiment.Name, Recorder: r.id, Run: r.work.Run}
		r.points.Feed(r.life(), r.store.Metrics(), as, func(error) {})
	})
	r.beat.Go(r.keep)
}

// keep stores what there is to say, and that the run lives, until its context ends.
func (r *Run) keep() {
	beat := time.NewTicker(r.lease / 3)
	defer beat.Stop()
	for {
		select {
		case <-r.changed:
		case <-beat.C:
		case <-r.life().Done():
			return
		}
		ctx, cancel := context.WithTimeout(r.life(), r.lease/3)
		err := r.save(ctx)
		cancel()
		if foldstream.Is(err, foldstream.Conflict) {
			r.stop(err)
			return
		}
		if err != nil {
			r.change(func(*work) {}) // again, soon
		}
		select {
		case <-time.After(min(saveEvery, r.lease/3)):
		case <-r.life().Done():
			return
		}
	}
}

// save stores the work. Errors: Conflict (the recorder is another run's, or was deleted), those of the store.
func (r *Run) save(ctx context.Context) error {
	w, err := r.snapshot(ctx)
	if err != nil {
		return err
	}
	return changeDocument(ctx, r.store, r.experiment, r.id, func(d *document) (*document, error) {
		if d == nil || d.Work == nil || d.Work.Run != w.Run {
			return nil, foldstream.Errorf(foldstream.Conflict, "recorder", "recorder %s of experiment %s was deleted, or taken up by somebody else", r.id, r.experiment.Name)
		}
		d.Work = &w
		return d, nil
	})
}

// snapshot returns the work as it is to be stored now: its large params as artifacts.
func (r *Run) snapshot(ctx context.Context) (work, error) {
	r.mu.Lock()
	if r.work.Status == Running {
		r.work.Expires = r.store.Now().Add(r.lease)
	}
	w, params := r.work, maps.Clone(r.params)
	w.Metrics, w.Tags, w.Artifacts = maps.Clone(w.Metrics), maps.Clone(w.Tags), slices.Clone(w.Artifacts)
	r.mu.Unlock()
	w.Metrics = withEnds(w.Metrics, r.points.Ends())
	var err error
	w.Params, w.Large, err = spill(ctx, r.store.Artifacts(), params)
	return w, err
}

// withEnds returns the metrics with what those come to that have steps alone.
func withEnds(metrics, ends map[string]float64) map[string]float64 {
	for name, v := range ends {
		if _, set := metrics[name]; set {
			continue
		}
		if metrics == nil {
			metrics = map[string]float64{}
		}
		metrics[name] = v
	}
	return metrics
}

// change changes the work, and has it stored.
func (r *Run) change(do func(*work)) {
	r.mu.Lock()
	do(&r.work)
	r.mu.Unlock()
	select {
	case r.changed <- struct{}{}:
	default:
	}
}
