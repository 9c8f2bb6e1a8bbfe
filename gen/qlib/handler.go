package qlib

import (
	"fmt"
	"path"

	"github.com/foldstream/foldstream"
)

// HandlerFile returns a task dict whose handler is the file in dir in which Qlib keeps it once it is built (workflow/task/utils.py,
// replace_task_handler_with_cache): for tasks that run Qlib beside such a folder. A handler that is a text already stays. It builds
// nothing, and the name tells of the arguments alone: whether the data behind them are those of now, the file does not know.
// The dict is not changed. Errors: Invalid: no handler, one without a class.
func HandlerFile(task map[string]any, dir string) (map[string]any, error) {
	t, err := foldstream.TemplateOf(task)
	if err != nil {
		return nil, err
	}
	dict := t.Dict()
	dataset, _ := dict["dataset"].(map[string]any)
	kwargs, _ := dataset["kwargs"].(map[string]any)
	switch handler := kwargs["handler"].(type) {
	case string:
	case map[string]any:
		class, ok := handler["class"].(string)
		if !ok {
			return nil, foldstream.Errorf(foldstream.Invalid, "", "dataset.kwargs.handler.class: %v is not the name of a class", handler["class"])
		}
		hash, err := HashArgs(handler)
		if err != nil {
			return nil, err
		}
		kwargs["handler"] = "file://" + path.Join(dir, fmt.Sprintf("%s.%s.pkl", class, hash[:10]))
	default:
		return nil, foldstream.Errorf(foldstream.Invalid, "", "dataset.kwargs.handler: %v is neither a mapping nor a file", handler)
	}
	return dict, nil
}
