package qlib_test

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen/qlib"
)

func TestSelectModels(t *testing.T) {
	folders := []string{"LightGBM", "MLP", "TFT"}
	for _, c := range []struct {
		models  []string
		exclude bool
		want    []string
	}{
		{nil, false, folders}, {nil, true, nil}, {[]string{}, false, nil}, {[]string{}, true, folders},
		{qlib.ModelList("[tft, lightgbm]"), false, []string{"LightGBM", "TFT"}}, {qlib.ModelList("tft"), true, []string{"LightGBM", "MLP"}},
	} {
		got, err := qlib.SelectModels(folders, c.models, c.exclude)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, %v; want %q", c.models, got, err, c.want)
		}
	}
	_, err := qlib.SelectModels(folders, []string{"lihgtgbm"}, true)
	if !foldstream.Is(err, foldstream.Invalid) || err.Error() != `benchmark: there is no model "lihgtgbm" (did you mean "LightGBM"?)` {
		t.Errorf("got %v", err)
	}
}

func TestFindWorkflow(t *testing.T) {
	fsys := fstest.MapFS{"b/GRU/gru_A.yaml": {}, "b/GRU/gru_A_500.yaml": {}, "b/GRU/old_A_500.yaml": {}, "b/GRU/b.txt": {}, "b/GRU/a.txt": {}}
	workflow, needs, err := qlib.FindWorkflow(fsys, "b/GRU", "A", "")
	if err != nil || workflow != "b/GRU/gru_A.yaml" || needs != "b/GRU/a.txt" {
		t.Errorf("got %q, %q, %v", workflow, needs, err)
	}
	if workflow, needs, err = qlib.FindWorkflow(fsys, "b/GRU", "B", ""); err != nil || workflow != "" || needs != "" {
		t.Errorf("no such data set: %q, %q, %v", workflow, needs, err)
	}
	if _, _, err = qlib.FindWorkflow(fsys, "b/GRU", "A", "500"); !foldstream.Is(err, foldstream.Invalid) {
		t.Errorf("two files: %v", err)
	}
	if _, _, err = qlib.FindWorkflow(fsys, "b/none", "A", ""); !foldstream.Is(err, foldstream.NotFound) {
		t.Errorf("no such folder: %v", err)
	}
}
