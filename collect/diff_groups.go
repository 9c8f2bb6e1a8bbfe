package collect

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/foldstream/foldstream"
)

// groups compares the configurations, and the ensembles.
func (d *differ) groups(left, right Collection) {
	others := map[string]Group{}
	for _, g := range right.Groups {
		others[g.Key.String()] = g
	}
	whole := true // every configuration is compared
	for _, g := range left.Groups {
		other, both := others[g.Key.String()]
		delete(others, g.Key.String())
		switch {
		case d.o.Common && (!both || !sameWindows(g, other)):
			whole = false
		case both:
			d.group(DiffPlace{Key: g.Key, Window: -1}, g, other)
		default:
			d.only(&d.Groups.OnlyLeft, &d.OnlyLeft, DiffPlace{Key: g.Key, Window: -1})
		}
	}
	for _, g := range others {
		if whole = whole && !d.o.Common; !d.o.Common {
			d.only(&d.Groups.OnlyRight, &d.OnlyRight, DiffPlace{Key: g.Key, Window: -1})
		}
	}
	at := DiffPlace{Window: -1}
	switch {
	case left.Ensemble == nil && right.Ensemble == nil, d.o.Common && !whole:
	case right.Ensemble == nil:
		d.only(&d.Groups.OnlyLeft, &d.OnlyLeft, at)
	case left.Ensemble == nil:
		d.only(&d.Groups.OnlyRight, &d.OnlyRight, at)
	default:
		d.group(at, *left.Ensemble, *right.Ensemble)
	}
}

// group compares one configuration.
func (d *differ) group(at DiffPlace, left, right Group) {
	same := d.text(at, "windows", presentOf(left.Coverage), presentOf(right.Coverage))
	if d.metrics(at, left.Metrics, right.Metrics) && same {
		d.Groups.Identical++
	} else {
		d.Groups.Changed++
	}
}

func presentOf(c foldstream.Coverage) string { return fmt.Sprintf("%d of %d", c.Present, c.Expected) }

func sameWindows(a, b Group) bool {
	return slices.EqualFunc(a.Windows, b.Windows, func(v, w Window) bool { return v.Index == w.Index })
}

// only counts a place that one side has not.
func (d *differ) only(n *int, places *[]DiffPlace, at DiffPlace) {
	*n++
	*places = append(*places, at)
}

// settingsOf returns what two experiments were told otherwise.
func settingsOf(a, b foldstream.Experiment, left, right Collection) (out []Setting) {
	one := func(name, l, r string) {
		if l != r {
			out = append(out, Setting{name, l, r})
		}
	}
	l, r := left.Spec, right.Spec
	one("calendar", a.Calendar, b.Calendar)
	one("leaks", string(cmp.Or(a.Policy, foldstream.Refuse)), string(cmp.Or(b.Policy, foldstream.Refuse)))
	one("collection.frame", l.Frame, r.Frame)
	one("collection.score", l.Score, r.Score)
	one("collection.label", l.Label, r.Label)
	one("collection.return", l.Return, r.Return)
	one("collection.ensemble", l.Ensemble, r.Ensemble)
	one("collection.weights", weightsText(l), weightsText(r))
	one("collection.portfolio.top_k", strconv.Itoa(l.Portfolio.TopK), strconv.Itoa(r.Portfolio.TopK))
	one("collection.portfolio.n_drop", strconv.Itoa(l.Portfolio.NDrop), strconv.Itoa(r.Portfolio.NDrop))
	one("collection.portfolio.cost", numberText(l.Portfolio.Cost), numberText(r.Portfolio.Cost))
	return out
}

func weightsText(s foldstream.CollectionSpec) string {
	var parts []string
	for _, w := range s.SortedWeights() {
		parts = append(parts, w.Key.String()+": "+numberText(w.Weight))
	}
	return strings.Join(parts, "; ")
}

// codes is the setting of the code that made the results, where it is not the same.
func (d *differ) codes() []Setting {
	var texts [2]string
	for i := range texts {
		texts[i] = strings.Join(slices.Sorted(maps.Keys(d.code[i])), ", ")
	}
	if texts[0] == texts[1] {
		return nil
	}
	return []Setting{{"code", texts[0], texts[1]}}
}

func namesOf[V any](left, right map[string]V) []string {
	names := slices.Collect(maps.Keys(left))
	for name := range right {
		if _, both := left[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func textOf(v float64, there bool) string {
	if !there {
		return ""
	}
	return numberText(v)
}

func numberText(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
