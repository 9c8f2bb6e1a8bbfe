package gen

import "github.com/foldstream/foldstream"

// maxReach bounds what is taken for a reach, in either direction: no calendar is that long.
const maxReach = 1_000_000

// ReachOf returns how far t's label looks ahead: the declared t.Reach where it is known, else what LabelOf finds. A declared
// reach that is negative, or longer than any calendar, is unknown.
func ReachOf(t foldstream.Template) foldstream.Reach {
	if t.Reach.Known {
		if t.Reach.Sessions < 0 || t.Reach.Sessions > maxReach {
			return foldstream.Reach{}
		}
		return t.Reach
	}
	return LabelOf(t)
}

// LabelOf returns the reach of the label expressions in t's handler, the furthest of several: handler.kwargs.label, or that of
// its data loader, as a text, a list of texts, or a pair of lists (expressions, names). Qlib's own handlers Alpha158 and
// Alpha360 have a label of two sessions where none is written. Anything else is unknown.
func LabelOf(t foldstream.Template) foldstream.Reach {
	args := t.Handler()
	if label, there := args["label"]; there {
		return labels(label)
	}
	if loader, ok := dig(args, "data_loader", "kwargs", "config").(map[string]any); ok {
		return labels(loader["label"])
	}
	handler, _ := dig(t.Task, "dataset", "kwargs", "handler").(map[string]any)
	if handler["module_path"] == "qlib.contrib.data.handler" && args["data_loader"] == nil {
		switch handler["class"] {
		case "Alpha158", "Alpha360", "Alpha158vwap", "Alpha360vwap":
			return foldstream.Ahead(2)
		}
	}
	return foldstream.Reach{}
}

// dig follows keys into nested mappings; nil where one is missing.
func dig(m map[string]any, keys ...string) any {
	var v any = m
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

// labels is the furthest reach of label expressions as Qlib's configurations spell them.
func labels(v any) foldstream.Reach {
	switch v := v.(type) {
	case string:
		return LabelReach(v)
	case []any:
		if len(v) == 2 {
			if exprs, ok := v[0].([]any); ok {
				return furthest(exprs)
			}
		}
		return furthest(v)
	}
	return foldstream.Reach{}
}

// furthest is the longest reach in a list of expressions; unknown where one is, or the list is empty.
func furthest(exprs []any) foldstream.Reach {
	var most foldstream.Reach
	for _, e := range exprs {
		s, ok := e.(string)
		r := LabelReach(s)
		if !ok || !r.Known {
			return foldstream.Reach{}
		}
		most = foldstream.Ahead(max(most.Sessions, r.Sessions))
	}
	return most
}
