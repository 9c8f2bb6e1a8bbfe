package gen

import (
	"math"
	"strconv"
	"strings"

	"github.com/foldstream/foldstream"
)

// maxReach bounds what is taken for a reach, in either direction: no calendar is that long.
const maxReach = 1_000_000

// maxDepth bounds how deep an expression may nest.
const maxDepth = 200

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

// LabelReach returns how many sessions ahead an expression in Qlib's language reads: 2 for
// "Ref($close, -2) / Ref($close, -1) - 1", 0 for one that reads the present and the past alone. It understands fields, numbers,
// arithmetic, comparisons, Ref and Delta, and the element-wise and rolling operators of qlib/data/ops.py. An expression with
// anything else in it, or without a field, has an unknown reach.
func LabelReach(expr string) foldstream.Reach {
	p := parser{rest: expr}
	at, ok := p.expr(0)
	if p.space(); !ok || p.rest != "" || at == never {
		return foldstream.Reach{}
	}
	return foldstream.Ahead(max(0, at))
}

// never is the reach of a number: it reads no session at all.
const never = math.MinInt

// parser reads an expression by descent. Each of its methods returns the furthest session read, relative to the present, and
// whether it understood. Precedence does not matter: every binary operator reads what its sides read.
type parser struct {
	rest string
}

// operators are the binary ones, longer before shorter.
var operators = []string{"**", "//", "<=", ">=", "==", "!=", "+", "-", "*", "/", "%", "<", ">", "&", "|"}

func (p *parser) expr(depth int) (int, bool) {
	most, ok := p.operand(depth)
	for ok && p.operator() {
		var at int
		at, ok = p.operand(depth)
		most = max(most, at)
	}
	return most, ok
}

func (p *parser) operator() bool {
	for _, op := range operators {
		if p.take(op) {
			return true
		}
	}
	return false
}

func (p *parser) operand(depth int) (int, bool) {
	for p.take("-") || p.take("+") || p.take("~") { // signs, in any number
	}
	switch {
	case depth > maxDepth:
		return 0, false
	case p.take("("):
		at, ok := p.expr(depth + 1)
		return at, ok && p.take(")")
	case p.take("$"):
		return 0, p.word() != ""
	}
	if word := p.word(); word != "" {
		return p.call(word, depth)
	}
	return never, p.number()
}

// call reads the arguments of an operator and applies its rule.
func (p *parser) call(name string, depth int) (int, bool) {
	rule, known := rules[name]
	if !known || !p.take("(") {
		return 0, false
	}
	most := never
	for i := range rule.series {
		if i > 0 && !p.take(",") {
			return 0, false
		}
		at, ok := p.expr(depth + 1)
		if !ok {
			return 0, false
		}
		most = max(most, at)
	}
	return p.window(rule, most)
}

// window reads the numbers after the series, the first of which is the window, and the closing parenthesis.
func (p *parser) window(rule rule, most int) (int, bool) {
	shift := 0
	for i := range rule.numbers {
		if !p.take(",") {
			return 0, false
		}
		n, whole, ok := p.signed()
		if !ok || i == 0 && !whole {
			return 0, false
		}
		if i == 0 {
			shift = n
		}
	}
	if !p.take(")") {
		return 0, false
	}
	return rule.apply(most, shift)
}

// apply returns the furthest session that the operator reads, given that of its series and its window n.
func (r rule) apply(most, n int) (int, bool) {
	if r.numbers == 0 || most == never {
		return most, true
	}
	switch r.kind {
	case ref:
		most -= n
	case delta:
		most = max(most, most-n)
	default:
		return most, n >= 0 // a window over the past; 0 is all of it
	}
	return most, most <= maxReach && most >= -maxReach
}

// signed reads a number argument: its value where it is whole, and whether it is.
func (p *parser) signed() (n int, whole, ok bool) {
	negative := p.take("-")
	p.space()
	before := p.rest
	if !p.number() {
		return 0, false, false
	}
	n, err := strconv.Atoi(before[:len(before)-len(p.rest)])
	if negative {
		n = -n
	}
	return n, err == nil && n <= maxReach && n >= -maxReach, true
}

// number reads digits with at most one point among them, and an exponent.
func (p *parser) number() bool {
	p.space()
	i, digits := 0, 0
	for ; i < len(p.rest) && (isDigit(p.rest[i]) || p.rest[i] == '.'); i++ {
		if isDigit(p.rest[i]) {
			digits++
		}
	}
	if digits == 0 || i-digits > 1 {
		return false
	}
	p.rest = p.rest[i:]
	return p.exponent()
}

// exponent reads e, a sign and digits where an e stands.
func (p *parser) exponent() bool {
	if p.rest == "" || p.rest[0] != 'e' && p.rest[0] != 'E' {
		return true
	}
	rest := strings.TrimLeft(p.rest[1:], "+-")
	digits := strings.TrimLeft(rest, "0123456789")
	ok := len(digits) < len(rest) && len(p.rest)-1-len(rest) <= 1
	p.rest = digits
	return ok
}

// word reads a name: letters, digits and underscores, not starting with a digit.
func (p *parser) word() string {
	p.space()
	i := 0
	for i < len(p.rest) && (isLetter(p.rest[i]) || i > 0 && isDigit(p.rest[i])) {
		i++
	}
	word := p.rest[:i]
	p.rest = p.rest[i:]
	return word
}

func (p *parser) take(token string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, token)
	p.rest = rest
	return ok
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func isDigit(b byte) bool  { return b >= '0' && b <= '9' }
func isLetter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_' }
