package cli

import (
	"math"
	"strconv"
	"strings"
)

// valueParser reads the values of an override.
type valueParser struct {
	text  string
	at    int
	depth int
}

// maxDepth is how deep lists and maps of a value may lie in each other.
const maxDepth = 100

func (p *valueParser) fault(format string, args ...any) error {
	return overrideFault(p.text, p.at, format, args...)
}

func (p *valueParser) space() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
}

// take passes over a character, after spaces, and reports whether it was there.
func (p *valueParser) take(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

// sweep reads one value or several.
func (p *valueParser) sweep() (values []any, err error) {
	p.space()
	switch name, _, call := strings.Cut(p.text[p.at:], "("); {
	case call && name == "choice":
		p.at += len("choice(")
		values, err = p.list(')')
	case call && name == "range":
		p.at += len("range(")
		values, err = p.numbers()
	case call && isWord(name):
		return nil, p.fault("%s() is not known here; choice(a,b) and range(from,to,step) are", name)
	default:
		values, err = p.commas()
	}
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.text) {
		return nil, p.fault("%q is too much", p.text[p.at:])
	}
	if len(values) == 0 {
		return nil, p.fault("no value")
	}
	return values, nil
}

func isWord(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && r != '_' {
			return false
		}
	}
	return s != ""
}

// commas reads values up to the end of the text.
func (p *valueParser) commas() (values []any, err error) {
	for {
		v, err := p.value("")
		if err != nil {
			return nil, err
		}
		if values = append(values, v); !p.take(',') {
			return values, nil
		}
	}
}

// list reads values up to a closing bracket.
func (p *valueParser) list(end byte) ([]any, error) {
	values := []any{}
	if p.take(end) {
		return values, nil
	}
	for {
		v, err := p.value(string(end))
		if err != nil {
			return nil, err
		}
		values = append(values, v)
		switch {
		case p.take(end):
			return values, nil
		case !p.take(','):
			return nil, p.fault("a comma or %c is wanted", end)
		}
	}
}

// dict reads pairs up to a closing brace.
func (p *valueParser) dict() (any, error) {
	m := map[string]any{}
	if p.take('}') {
		return m, nil
	}
	for {
		key, err := p.value(":}")
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok || !p.take(':') {
			return nil, p.fault("a key and a colon are wanted")
		}
		if _, twice := m[name]; twice {
			return nil, p.fault("the key %q stands twice", name)
		}
		if m[name], err = p.value("}"); err != nil {
			return nil, err
		}
		switch {
		case p.take('}'):
			return m, nil
		case !p.take(','):
			return nil, p.fault("a comma or } is wanted")
		}
	}
}

// value reads one value; an unquoted text ends at a comma and at the characters of end.
func (p *valueParser) value(end string) (any, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fault("deeper than %d lists and maps", maxDepth)
	}
	defer func() { p.depth-- }()
	switch {
	case p.take('['):
		return p.list(']')
	case p.take('{'):
		return p.dict()
	case p.take('"'):
		return p.quoted('"')
	case p.take('\''):
		return p.quoted('\'')
	}
	p.space()
	from := p.at
	for p.at < len(p.text) && p.text[p.at] != ',' && !strings.ContainsRune(end, rune(p.text[p.at])) {
		if strings.ContainsRune("[]{}\"'", rune(p.text[p.at])) {
			return nil, p.fault("%q needs quotes around its text", p.text[p.at])
		}
		p.at++
	}
	return plainWord(strings.TrimSpace(p.text[from:p.at])), nil
}

// quoted reads up to the closing quote; a backslash takes the next character as it is.
func (p *valueParser) quoted(quote byte) (any, error) {
	var b strings.Builder
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == quote:
			p.at++
			return b.String(), nil
		case c == '\\' && p.at+1 < len(p.text):
			p.at++
			b.WriteByte(p.text[p.at])
		default:
			b.WriteByte(c)
		}
	}
	return nil, p.fault("the closing %c is not there", quote)
}

// plainWord is what an unquoted text means.
func plainWord(word string) any {
	switch strings.ToLower(word) {
	case "null":
		return nil
	case "true":
		return true
	case "false":
		return false
	}
	if word == "" || strings.ContainsAny(word[:1], "xXiInN_") || strings.ContainsAny(word, "xXpP") {
		return word // what Go takes for a number and people do not: hexadecimals, inf, nan
	}
	if n, err := strconv.ParseInt(word, 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(word, 64); err == nil && !strings.ContainsAny(word, "iInN_") {
		return f
	}
	return word
}

// numbers reads the rest of a range: its end, or its start and end, or with a step.
func (p *valueParser) numbers() ([]any, error) {
	args, err := p.list(')')
	if err != nil {
		return nil, err
	}
	from, step := any(int64(0)), any(int64(1))
	var to any
	switch len(args) {
	case 1:
		to = args[0]
	case 2:
		from, to = args[0], args[1]
	case 3:
		from, to, step = args[0], args[1], args[2]
	default:
		return nil, p.fault("range(to), range(from,to) or range(from,to,step), not %d numbers", len(args))
	}
	x, okX := real64(from)
	y, okY := real64(to)
	z, okZ := real64(step)
	const exact = 1 << 53 // up to here numbers of both kinds are exact, and no sum of them overflows
	if !okX || !okY || !okZ || max(math.Abs(x), math.Abs(y), math.Abs(z)) > exact {
		return nil, p.fault("range takes numbers up to ±2^53")
	}
	a, okA := from.(int64)
	b, okB := to.(int64)
	s, okS := step.(int64)
	if okA && okB && okS {
		return rangeOf(p, a, b, s)
	}
	return rangeOf(p, x, y, z)
}

func real64(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// rangeOf lists the numbers from one up to another, which is not in it; each is computed from the first, so that no error adds up.
func rangeOf[N int64 | float64](p *valueParser, from, to, step N) (values []any, err error) {
	if step == 0 {
		return nil, p.fault("a step of 0")
	}
	for i := N(0); ; i++ {
		v := from + i*step
		if step > 0 && v >= to || step < 0 && v <= to {
			return values, nil
		}
		if len(values) == maxSweep {
			return nil, p.fault("more than %d values", maxSweep)
		}
		values = append(values, v)
	}
}
