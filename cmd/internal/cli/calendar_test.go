package cli_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

func TestCalendarList(t *testing.T) {
	r := command(t, nil, "calendar", "ls")
	for _, want := range []string{"│ XNYS     │ New York Stock Exchange │ 1971-01-01 │ 2028-12-31   │ 2099-12-31   │", "│ XSHG     │ Shanghai Stock Exchange │ 2007-01-01 │ 2026-12-31   │              │"} {
		r.says(t, 0, want)
	}
	if got := command(t, nil, "calendar", "list", "-n").stdout; got != "XNYS\nXSHG\n" {
		t.Errorf("names %q", got)
	}
	var all []map[string]string
	ok(t, json.Unmarshal([]byte(command(t, nil, "calendar", "ls", "--json").stdout), &all))
	if len(all) != 2 || all[1]["code"] != "XSHG" || all[1]["last"] != "2026-12-31" || all[0]["announced"] != "2028-12-31" {
		t.Errorf("got %v", all)
	}
}

func TestCalendarShow(t *testing.T) {
	const week = "calendar show XNYS --from 2025-01-06 --to 2025-01-12"
	command(t, nil, strings.Fields(week)...).says(t, 0, "XNYS, New York Stock Exchange: 4 sessions from 2025-01-06 to 2025-01-10\nversion ")
	command(t, nil, strings.Fields(week)...).says(t, 0, "│ 2025-01-09 │ Thursday │ closed │ mourning for President Carter │")
	if got := command(t, nil, strings.Fields(week+" --text")...).stdout; got != "2025-01-06\n2025-01-07\n2025-01-08\n2025-01-10\n" {
		t.Errorf("sessions %q", got)
	}
	var c struct {
		Sessions    int
		Version     string
		Projected   bool
		Closures    []map[string]string
		EarlyCloses []map[string]string `json:"early_closes"`
	}
	ok(t, json.Unmarshal([]byte(command(t, nil, "calendar", "show", "XNYS", "--from", "2029-11-19", "--to", "2029-11-23", "--json").stdout), &c))
	if c.Sessions != 4 || !c.Projected || len(c.Version) != 64 || len(c.Closures) != 1 || c.Closures[0]["why"] != "Thanksgiving Day" ||
		len(c.EarlyCloses) != 1 || c.EarlyCloses[0]["day"] != "2029-11-23" {
		t.Errorf("got %+v", c)
	}
	command(t, nil, "calendar", "show", "XNYS", "--from", "2029-11-19", "--to", "2029-11-23").says(t, 0, "days after 2028-12-31 are projected by the rules of today\n")
	command(t, nil, "calendar", "show", "XNYS", "--from", "2028-12-01").says(t, 0, "20 sessions from 2028-12-01 to 2028-12-29")
	command(t, nil, "calendar", "show", "XSHG", "--to", "2007-12-31").says(t, 0, "242 sessions from 2007-01-04 to 2007-12-28")
	command(t, nil, "calendar", "show", "XNYS").says(t, 0, "sessions from 20") // this year's
	// The week of Christmas Eve, in order.
	out := command(t, nil, "calendar", "show", "XNYS", "--from", "2024-12-23", "--to", "2024-12-27").stdout
	if eve, day := strings.Index(out, "ends early │ Christmas Eve"), strings.Index(out, "closed     │ Christmas Day"); eve < 0 || day < eve {
		t.Errorf("got\n%s", out)
	}
}

func TestCalendarErrors(t *testing.T) {
	for args, want := range map[string]string{
		"show NYSE":                                   `foldstream: calendar: exchange "NYSE" is not known; there is XNYS and XSHG`,
		"show XSHG --to 2027-01-01":                   "foldstream: calendar: XSHG: 2027-01-01 is out of the calendar",
		"show XNYS --from soon":                       `foldstream: --from: time: "soon" is not a date`,
		"show XNYS --from 2020-01-02 --to 2020-01-01": "foldstream: calendar: XNYS: empty segment",
	} {
		command(t, nil, append([]string{"calendar"}, strings.Fields(args)...)...).says(t, 2, want)
	}
}

// An experiment on an exchange needs no file of sessions, and plans on the version that calendar show tells; a workflow that it
// stands on is filled in from the environment.
func TestPlanOnAnExchange(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "w.yaml"), `qlib_init: {}
task:
  model: {class: M, kwargs: {lr: {{ FOLDSTREAM_TEST_LR }}}}
  dataset: {kwargs: {segments: {train: [2020-01-01, 2020-06-30], test: [2020-07-01, 2020-12-31]}}}
`)
	file := filepath.Join(dir, "e.yaml")
	write(t, file, "worker: w\nfrom: w.yaml\ncalendar: {exchange: XSHG, from: 2020-01-01, to: 2020-12-31, now: 2020-12-01}\n")
	command(t, nil, "plan", file).says(t, 2, "w.yaml:3:34: the variable FOLDSTREAM_TEST_LR is not set in the environment")
	t.Setenv("FOLDSTREAM_TEST_LR", "0.5")
	var plan struct {
		Experiment, Calendar string
		Notes                []string
		Tasks                []struct{ Task map[string]any }
	}
	ok(t, json.Unmarshal([]byte(command(t, nil, "plan", file, "--json").stdout), &plan))
	if lr := plan.Tasks[0].Task["model"].(map[string]any)["kwargs"].(map[string]any)["lr"]; lr != 0.5 || plan.Experiment != "workflow" {
		t.Errorf("learning rate %v of experiment %s", lr, plan.Experiment)
	}
	if notes := strings.Join(plan.Notes, "\n"); !strings.Contains(notes, "filled in from the environment: FOLDSTREAM_TEST_LR") {
		t.Errorf("notes %s", notes)
	}
	command(t, nil, "calendar", "show", "XSHG", "--from", "2020-01-01", "--to", "2020-12-31").says(t, 0, "version "+plan.Calendar)
}
