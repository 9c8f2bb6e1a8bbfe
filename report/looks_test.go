package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/report"
)

// samples are the reports that a page must serve: whole ones and broken ones, one configuration and very many. Nobody changes them.
var samples = sync.OnceValue(func() map[string]report.Report {
	whole, broken, running := sampleReport(), sampleReport(), sampleReport()
	broken.Absent = breakSome(&broken.Collection)
	running.Absent = breakSome(&running.Collection)
	unsettle(&running.Collection)
	return map[string]report.Report{
		"whole": whole, "broken": broken, "running": running, "one": oneReport(), "plain": plainReport(), "many": manyReport(200, 100), "none": {Title: "Nothing"},
		"leaky": leakyReport(), "hostile": hostileReport(),
	}
})

// oneReport has a single configuration, and no ensemble.
func oneReport() report.Report {
	r := sampleReport()
	r.Tasks = r.Tasks[:sampleWindows]
	r.Collection.Groups, r.Collection.Ensemble, r.Collection.Coverage = r.Collection.Groups[:1], nil, r.Collection.Groups[0].Coverage
	return r
}

// plainReport has no portfolio: predictions are measured, nothing is bought.
func plainReport() report.Report {
	r := sampleReport()
	strip := func(g *collect.Group) {
		g.Daily.Columns = g.Daily.Columns[:2]
		for _, name := range []string{collect.MetricAnnualReturn, collect.MetricInformationRatio, collect.MetricMaxDrawdown, collect.MetricTurnover} {
			delete(g.Metrics, name)
		}
	}
	for i := range r.Collection.Groups {
		strip(&r.Collection.Groups[i])
	}
	strip(r.Collection.Ensemble)
	r.Collection.Spec.Portfolio = foldstream.PortfolioSpec{}
	return r
}

// manyReport has so many configurations and windows.
func manyReport(configurations, windows int) report.Report {
	r := sampleReport()
	days := sessions(windows * 21)
	r.Collection = collect.Collection{Experiment: "many", Certified: true, Settled: true}
	r.Tasks = nil
	for i := range configurations {
		key := foldstream.Key{}.With("leaves", fmt.Sprint(8<<(i/50%4))).With("rate", fmt.Sprint(float64(1+i/10%5)/100)).With("seed", fmt.Sprint(i%10))
		g := walk(key, days, uint64(i+1), 0.01+0.01*float64(i/50%4))
		g.Metrics["turnover"] = 0.2 + float64(i)/1000
		for w := range windows {
			segment := foldstream.Segment{Start: days[w*21], End: days[w*21+20]}
			sum := 0.0
			for _, v := range g.Daily.Column("ic")[w*21 : w*21+21] {
				sum += v / 21
			}
			one := collect.Window{Index: w, Test: segment, Status: foldstream.Done, Task: foldstream.TaskID(fmt.Sprintf("m%04dw%04d", i, w)), Metrics: collect.Metrics{"ic": sum}}
			g.Coverage.Expected++
			if (i*7+w*13)%977 == 0 {
				one.Status, one.Metrics = foldstream.Dead, nil
				g.Coverage.Failed = append(g.Coverage.Failed, one.Task)
			} else {
				g.Coverage.Present++
			}
			g.Windows = append(g.Windows, one)
			if i == 0 {
				r.Tasks = append(r.Tasks, foldstream.Task{Template: foldstream.Template{Key: key, Window: foldstream.Window{Index: w, Of: windows}, Segments: foldstream.Segments{
					"train": {Start: foldstream.TimeOf(segment.Start.Std().AddDate(-3, 0, 0)), End: foldstream.TimeOf(segment.Start.Std().AddDate(0, 0, -5))}, "test": segment,
				}}})
			}
		}
		r.Collection.Coverage.Expected += windows
		r.Collection.Coverage.Present += g.Coverage.Present
		r.Collection.Coverage.Failed = append(r.Collection.Coverage.Failed, g.Coverage.Failed...)
		r.Collection.Groups = append(r.Collection.Groups, g)
	}
	ensemble := walk(nil, days, 99, 0.036)
	ensemble.Coverage = r.Collection.Coverage
	r.Collection.Ensemble = &ensemble
	r.Title = fmt.Sprintf("%d configurations over %d windows", configurations, windows)
	r.Experiment = foldstream.Experiment{Name: "many"}
	return r
}

// leakyReport let tasks through that leak, and fails with long logs.
func leakyReport() report.Report {
	r := sampleReport()
	r.Collection.Certified, r.Experiment.Policy = false, foldstream.Warn
	r.Absent = breakSome(&r.Collection)
	log := ""
	for i := range 60 {
		log += fmt.Sprintf("epoch %d loss %.4f\n", i, math.Exp(-float64(i)/9))
	}
	for id, a := range r.Absent {
		a.Error = "exit status 137: the command was killed\n" + log + "Killed"
		r.Absent[id] = a
	}
	for i := range r.Tasks {
		r.Tasks[i].Leak = foldstream.Certificate{Policy: foldstream.Warn, Faults: []string{"the label's reach is unknown: declare it"}}
	}
	return r
}

// hostileReport has names that try to break out.
func hostileReport() report.Report {
	r := sampleReport()
	r.Title = "<script>document.title='broken'</script> \u202Etxt.exe\u202C & \u200Bhidden"
	r.Experiment.Notes = append(r.Experiment.Notes, "<img src=x onerror=document.title='broken'>", "שלום \u202E abc", "nul \x00 bell \x07")
	for i := range r.Collection.Groups {
		k := r.Collection.Groups[i].Key
		r.Collection.Groups[i].Key = k.With("penalty", k.Get("penalty")+` "><script>document.title="broken"</script>`)
	}
	return r
}

// With FOLDSTREAM_LOOK=DIR the sample pages and plots are written there, for eyes and for browsers.
func TestSamples(t *testing.T) {
	dir := os.Getenv("FOLDSTREAM_LOOK")
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			page := html(t, r)
			if dir != "" {
				write(t, filepath.Join(dir, name+".html"), page)
				writePlots(t, filepath.Join(dir, name), r)
			}
			for _, fault := range faultsOf(parse(t, page)) {
				t.Error(fault)
			}
			if page != html(t, r) {
				t.Error("equal input gave other bytes")
			}
			if limit := map[string]int{"many": 5 << 20}[name]; len(page) > max(limit, 1<<20) {
				t.Errorf("the page has %d bytes", len(page))
			}
			t.Logf("%d bytes", len(page))
		})
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// writePlots writes every picture that the report has.
func writePlots(t *testing.T, base string, r report.Report) {
	t.Helper()
	for _, name := range report.Plots() {
		p, err := r.Plot(name)
		if foldstream.Is(err, foldstream.NotFound) {
			continue
		}
		var svg, png bytes.Buffer
		if err := errors.Join(err, p.WriteSVG(&svg), p.WritePNG(&png)); err != nil {
			t.Fatal(err)
		}
		write(t, base+"-"+name+".svg", svg.String())
		write(t, base+"-"+name+".png", png.String())
	}
}
