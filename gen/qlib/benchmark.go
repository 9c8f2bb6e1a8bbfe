package qlib

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
)

// ModelList splits a list of models as it is written on a command line, "LightGBM,mlp" or "[mlp, tft]".
func ModelList(text string) []string {
	models := strings.Split(text, ",")
	for i, m := range models {
		models[i] = strings.Trim(m, "[ ]")
	}
	return models
}

// SelectModels returns the folders of a benchmark whose models are named, in any case, or with exclude those whose are not, in the order
// of folders (Qlib: examples/run_all_model.py get_all_folders). Nil models are all of them. Errors: Invalid where a model has no
// folder, which Qlib passes over.
func SelectModels(folders, models []string, exclude bool) ([]string, error) {
	for _, m := range models {
		if !slices.ContainsFunc(folders, func(f string) bool { return strings.EqualFold(f, m) }) {
			return nil, foldstream.Errorf(foldstream.Invalid, "benchmark", "there is no model %q (%s)", m, suggest(m, folders))
		}
	}
	selected := []string{}
	for _, f := range folders {
		named := models == nil || slices.ContainsFunc(models, func(m string) bool { return strings.EqualFold(f, m) })
		if named != exclude {
			selected = append(selected, f)
		}
	}
	return selected, nil
}

// FindWorkflow returns the workflow file of a model's folder for a data set, and a universe where that is not "": the file whose
// name ends in "DATASET.yaml" or "DATASET_UNIVERSE.yaml"; and the first text file in order of name, which lists what the model
// needs (Qlib: examples/run_all_model.py get_all_files). Either is "" where there is none; without a workflow both are.
// Errors: NotFound where there is no such folder; Invalid where two files fit, of which Qlib takes any.
func FindWorkflow(fsys fs.FS, folder, dataset, universe string) (workflow, requirements string, err error) {
	entries, err := fs.ReadDir(fsys, folder)
	if err != nil {
		kind := foldstream.Unavailable
		if errors.Is(err, fs.ErrNotExist) {
			kind = foldstream.NotFound
		}
		return "", "", foldstream.E(kind, "benchmark", err)
	}
	end := dataset + ".yaml"
	if universe != "" {
		end = dataset + "_" + universe + ".yaml"
	}
	for _, e := range entries {
		name := path.Join(folder, e.Name())
		switch {
		case strings.HasSuffix(e.Name(), end) && workflow != "":
			return "", "", foldstream.Errorf(foldstream.Invalid, "benchmark", "%s and %s both end in %s", workflow, name, end)
		case strings.HasSuffix(e.Name(), end):
			workflow = name
		case strings.HasSuffix(e.Name(), ".txt") && requirements == "":
			requirements = name
		}
	}
	if workflow == "" {
		return "", "", nil
	}
	return workflow, requirements, nil
}
