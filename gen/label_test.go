package gen_test

import (
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen"
)

func TestLabelReach(t *testing.T) {
	for expr, want := range map[string]int{
		"Ref($close, -2) / Ref($close, -1) - 1":               2,
		"Ref($close, -6)/Ref($close,-1)-1":                    6,
		" ( Ref( $vwap , - 11 ) ) ":                           11,
		"$close":                                              0,
		"Ref($close, 5)":                                      0,
		"Ref($close, 0)":                                      0,
		"Ref(Ref($close, -5), 2)":                             3,
		"Ref(Ref($close, 2), -5)":                             3,
		"Ref(Ref($close, -2), -3) * 2":                        5,
		"Mean(Ref($close, -5), 3) - $close":                   5,
		"Ref(Mean($close, 5), -5)":                            5,
		"EMA($close, 5) - Ref($close, -1)":                    1,
		"Delta($close, -3)":                                   3,
		"Delta(Ref($close, -5), 3)":                           5,
		"Delta($close, 3)":                                    0,
		"If(Ref($close, -1) > $close, 1, 0)":                  1,
		"Corr($close, Ref($volume, -4), 10)":                  4,
		"Quantile(Ref($close, -2), 5, 0.8)":                   2,
		"Greater(Ref($high, -3), -Ref($low, -4))":             4,
		"-1e-3 * Log(Ref($close, -7)) ** 2 >= 1.5":            7,
		"Std(Ref($close, -1) / $close - 1, 0) & ~Not($close)": 1,
		"$a % 2 // 3 | $b == $c != $d <= $e < $f":             0,
		"2 - Ref($x_1, -1) + Ref(5, -9)":                      1,
	} {
		if got := gen.LabelReach(expr); got != foldstream.Ahead(want) {
			t.Errorf("%q: reach %v, want %d", expr, got, want)
		}
	}
}

func TestLabelReachUnknown(t *testing.T) {
	for _, expr := range []string{
		"", "1", "Ref(5, -9)", "close", "$", "Ref($close)", "Ref($close, )", "Ref($close, -2", "Ref($close, -2))", "Ref($close, -2) /",
		"Ref($close, -2.5)", "Ref($close, n)", "Ref($close, 1 - 3)", "Ref(-2, $close)", "Ref($close, -2, 1)", "Mean($close, -5)",
		"Lead($close, 2)", "ChangeInstrument('SH000300', $close)", "P($$roe_q)", "$close $open", "Ref($close, -9999999)",
		"Ref($close, -99999999999999999999)", "Ref(Ref($close, -999999), -999999)", "1.2.3 + $close", "1e + $close", "1e+-3 + $close",
		"return from +1 to +6", strings.Repeat("(", 1000) + "$close" + strings.Repeat(")", 1000), "Ref($close, --2)", "Mean($close, 2.5)",
	} {
		if got := gen.LabelReach(expr); got.Known {
			t.Errorf("%q: reach %v, want unknown", expr, got)
		}
	}
}

func TestReachOf(t *testing.T) {
	label := func(v any) foldstream.Template { return handled(map[string]any{"label": v}, nil) }
	declared := label("Ref($close, -9)")
	declared.Reach = foldstream.Ahead(3)
	alpha := func(class, module string, args map[string]any) foldstream.Template {
		return foldstream.Template{Task: map[string]any{"dataset": map[string]any{"kwargs": map[string]any{
			"handler": map[string]any{"class": class, "module_path": module, "kwargs": args}}}}}
	}
	loader := map[string]any{"data_loader": map[string]any{"kwargs": map[string]any{"config": map[string]any{"label": []any{[]any{"Ref($close, -4)"}, []any{"L"}}}}}}
	const qlib = "qlib.contrib.data.handler"
	for name, c := range map[string]struct {
		template foldstream.Template
		want     string
	}{
		"declared":               {declared, "3"},
		"a text":                 {label("Ref($close, -9)"), "9"},
		"a list":                 {label([]any{"Ref($close, -2)", "Ref($close, -5)"}), "5"},
		"a pair of lists":        {label([]any{[]any{"Ref($close, -2)"}, []any{"LABEL0"}}), "2"},
		"a list with a stranger": {label([]any{"Ref($close, -2)", "?"}), "unknown"},
		"an empty list":          {label([]any{}), "unknown"},
		"a number":               {label(int64(2)), "unknown"},
		"null":                   {label(nil), "unknown"},
		"a loader":               {handled(loader, nil), "4"},
		"no label":               {handled(map[string]any{}, nil), "unknown"},
		"nothing":                {foldstream.Template{}, "unknown"},
		"Alpha158":               {alpha("Alpha158", qlib, map[string]any{}), "2"},
		"Alpha360, no arguments": {alpha("Alpha360", qlib, nil), "2"},
		"Alpha158, own label":    {alpha("Alpha158", qlib, map[string]any{"label": []any{"Ref($close, -7)"}}), "7"},
		"Alpha158 of another":    {alpha("Alpha158", "mine", map[string]any{}), "unknown"},
		"another of Qlib":        {alpha("HighFreqHandler", qlib, map[string]any{}), "unknown"},
	} {
		if got := gen.ReachOf(c.template).String(); got != c.want {
			t.Errorf("%s: reach %s, want %s", name, got, c.want)
		}
	}
}
