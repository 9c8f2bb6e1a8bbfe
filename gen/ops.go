package gen

// kind says what an operator's first number does.
type kind uint8

const (
	past  kind = iota // a window over the sessions up to the present
	ref               // moves the series: positive back, negative ahead
	delta             // the series less itself moved
)

// rule is the shape of an operator: how many series it takes, and how many numbers after them, the first being its window.
type rule struct {
	kind            kind
	series, numbers int
}

// rules are the operators of qlib/data/ops.py, but for those that change the instrument or the frequency.
var rules = opRules()

func opRules() map[string]rule {
	all := map[string]rule{"Ref": {ref, 1, 1}, "Delta": {delta, 1, 1}, "Quantile": {past, 1, 2}, "If": {past, 3, 0}}
	add := func(r rule, names ...string) {
		for _, name := range names {
			all[name] = r
		}
	}
	add(rule{past, 1, 0}, "Abs", "Sign", "Log", "Not")
	add(rule{past, 2, 0}, "Power", "Add", "Sub", "Mul", "Div", "Greater", "Less", "Gt", "Ge", "Lt", "Le", "Eq", "Ne", "And", "Or")
	add(rule{past, 1, 1}, "Mean", "Sum", "Std", "Var", "Skew", "Kurt", "Max", "IdxMax", "Min", "IdxMin", "Med", "Mad", "Rank", "Count",
		"Slope", "Rsquare", "Resi", "WMA", "EMA")
	add(rule{past, 2, 1}, "Corr", "Cov")
	return all
}
