package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowebpki/jcs"

	"github.com/foldstream/foldstream"
)

// planVersion is that of a plan file's form.
const planVersion = 1

// planFile is what is to be done by an experiment file on a store, as they were when it was made. It is kept as the canonical JSON of RFC 8785.
type planFile struct {
	Version     int                          `json:"version"`
	File        string                       `json:"file"`
	Content     foldstream.Digest            `json:"content"` // of all that the file makes
	Calendar    string                       `json:"calendar"`
	Data        map[string]foldstream.Digest `json:"data"`
	Codes       []string                     `json:"codes"` // that results are wanted of
	Environment string                       `json:"environment"`
	Flags       planFlags                    `json:"flags"`
	Steps       []step                       `json:"steps"`
	Dropped     []foldstream.TaskID          `json:"dropped"`
	SHA256      foldstream.Digest            `json:"sha256"` // of the file without it
}

// planFlags are those of the command that made the plan.
type planFlags struct {
	Code        string `json:"code,omitempty"`
	Environment string `json:"environment,omitempty"`
	NoCache     bool   `json:"no_cache,omitempty"`
	Refresh     bool   `json:"refresh,omitempty"`
	Revise      bool   `json:"revise,omitempty"`
	Works       bool   `json:"works,omitempty"` // it was asked of an embedded store, where this program works the tasks
}

func (f planFlags) wants() wanted {
	return KeyFlags{f.Code, f.Environment}.wants(Reuse{f.NoCache, f.Refresh, f.Revise}, f.Works)
}

// planned writes a plan down.
func planned(p *plan, seen *survey, file string, flags planFlags) (out planFile, err error) {
	w := seen.wanted
	out = planFile{
		Version: planVersion, Calendar: p.calendar.Version(), Data: map[string]foldstream.Digest{}, Codes: codesOf(p.Tasks, w.code),
		Environment: w.environment, Flags: flags, Steps: seen.steps, Dropped: append([]foldstream.TaskID{}, seen.dropped...),
	}
	for _, d := range p.data {
		out.Data[d.Name] = d.Digest
	}
	if out.File, err = filepath.Abs(file); err != nil {
		return out, err
	}
	content := *p
	content.Experiment.Source = "" // as the path was written
	frozen, err := content.frozen()
	out.Content = sha256Of(frozen)
	return out, err
}

// codesOf returns the versions of the code that tasks have, in order.
func codesOf(tasks []foldstream.Task, code func(foldstream.Task) string) []string {
	codes := map[string]bool{}
	for _, t := range tasks {
		codes[code(t)] = true
	}
	return slices.Sorted(maps.Keys(codes))
}

// sealed returns the plan file's bytes.
func (f planFile) sealed() ([]byte, error) {
	f.SHA256 = ""
	text, err := canonicalJSON(f)
	if err != nil {
		return nil, err
	}
	f.SHA256 = sha256Of(text)
	return canonicalJSON(f)
}

func canonicalJSON(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return jcs.Transform(text)
}

// write writes the plan file, whole or not at all.
func (f planFile) write(path string) error {
	text, err := f.sealed()
	if err != nil {
		return err
	}
	return writeFile(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// readPlanFile reads a plan file. Errors: Invalid, also of one that was changed.
func readPlanFile(path string) (f planFile, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return f, fileError("plan", path, err)
	}
	bad := func(why string) error {
		return foldstream.Errorf(foldstream.Invalid, "", "%s is no plan that can be applied: %s", path, why)
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return f, bad(err.Error())
	}
	if f.Version != planVersion {
		return f, bad(fmt.Sprintf("its version is %d, and this program reads version %d", f.Version, planVersion))
	}
	if again, err := f.sealed(); err != nil || string(again) != string(text) {
		return f, bad("it was changed after it was written")
	}
	return f, nil
}

// moved says what is other than it was planned, a line each; none where the plan can be carried out, or what is left of it.
func (f planFile) moved(now planFile) (what []string) {
	differs := func(name, was, is string) {
		if was != is {
			what = append(what, fmt.Sprintf("%s: it was %s, now it is %s", name, was, is))
		}
	}
	differs("calendar", f.Calendar, now.Calendar)
	for _, name := range slices.Sorted(maps.Keys(f.Data)) {
		differs("data "+name, string(f.Data[name]), orNone(string(now.Data[name])))
	}
	differs("code", strings.Join(f.Codes, ", "), strings.Join(now.Codes, ", "))
	differs("environment", f.Environment, now.Environment)
	if len(what) == 0 {
		differs("experiment file", string(f.Content), string(now.Content))
	}
	if len(what) > 0 {
		return what
	}
	for i, s := range f.Steps {
		if !s.leadsTo(now.Steps[i]) {
			what = append(what, fmt.Sprintf("task %s: it was %s, now it is %s", s.Task, s.state(), now.Steps[i].state()))
		}
	}
	if !slices.Equal(f.Dropped, now.Dropped) && len(now.Dropped) > 0 {
		what = append(what, fmt.Sprintf("the stored experiment: %d of its members were dropped, now %d", len(f.Dropped), len(now.Dropped)))
	}
	return what
}

// leadsTo reports whether a task stands as it was planned, or as it does after the plan was begun or carried out, and worked.
func (s step) leadsTo(now step) bool {
	sameFrom := s.From == nil && now.From == nil || s.From != nil && now.From != nil && *s.From == *now.From
	switch {
	case now.Do == "" && s.Do == "" && s.Status.Final():
		return now.Status == s.Status && now.Last == s.Last
	case now.Do == "":
		return s.Do != doCached || now.Status == foldstream.Done
	case s.Do == doChanged && slices.Contains(s.Why, "refresh") && now.Last != s.Last:
		return true
	case s.Do == doChanged && now.Status == foldstream.Removed, s.From != nil && now.Do == doCached: // between the end of one life and that of the next
		return sameFrom
	}
	return now.Do == s.Do && now.Last == s.Last && sameFrom && slices.Equal(now.Why, s.Why)
}

// left returns what is to be done of the plan: all that is as it was planned. What was refreshed is not refreshed again.
func (f planFile) left(now *survey) *survey {
	out := &survey{steps: slices.Clone(now.steps), dropped: now.dropped, wanted: now.wanted}
	for i, s := range f.Steps {
		if one := &out.steps[i]; s.Do == doChanged && one.Do == doChanged && one.Last != s.Last {
			one.Do, one.Why, one.From = "", nil, nil
		}
	}
	return out
}
