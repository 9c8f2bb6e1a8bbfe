package gen

import (
	"math"
	"strconv"
	"strings"

	"github.com/foldstream/foldstream"
)

// maxDepth bounds how deep an expression may nest: the parser recurses, and text comes from anywhere.
const maxDepth = 200

// LabelReach returns how many sessions ahead an expression in Qlib's language reads: 2 for
// "Ref($close, -2) / Ref($close, -1) - 1", 0 for one that reads the present and the past alone. It understands fields, numbers,
// arithmetic, comparisons, Ref and Delta, and the element-wise and rolling operators of qlib/data/ops.py, nested in any way:
// offsets add up, so that Ref(Ref($close, -5), 2) reads 3 ahead. An expression with anything else in it, or without a field,
// has an unknown reach: a guess that is too short would let a leak through.
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

// expr reads operands joined by operators.
func (p *parser) expr(depth int) (int, bool) {
	most, ok := p.operand(depth)
	for ok && p.operator() {
		var at int
		at, ok = p.operand(depth)
		most = max(most, at)
	}
	return most, ok
}

// operator takes a binary operator where one stands.
func (p *parser) operator() bool {
	for _, op := range operators {
		if p.take(op) {
			return true
		}
	}
	return false
}

// operand reads signs and then a parenthesis, a field, the call of an operator or a number. A field reads the present: 0.
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

// take removes a token where it stands.
func (p *parser) take(token string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, token)
	p.rest = rest
	return ok
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func isDigit(b byte) bool  { return b >= '0' && b <= '9' }
func isLetter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_' }
