package report_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/foldstream/foldstream/report"
)

// node is an element of a page. Pages are strict XML besides being HTML, so a browser and this parser see the same tree.
type node struct {
	name     string
	attrs    map[string]string
	parent   *node
	children []*node
	text     string // its own, of all its places together
}

func parse(t interface {
	Helper()
	Fatalf(string, ...any)
}, page string) *node {
	t.Helper()
	root := &node{}
	at := root
	for d := xml.NewDecoder(strings.NewReader(page)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return root
		}
		if err != nil {
			line, column := d.InputPos()
			t.Fatalf("line %d, column %d: %v", line, column, err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			n := &node{name: token.Name.Local, attrs: map[string]string{}, parent: at}
			for _, a := range token.Attr {
				n.attrs[a.Name.Local] = a.Value
			}
			at.children = append(at.children, n)
			at = n
		case xml.EndElement:
			at = at.parent
		case xml.CharData:
			at.text += string(token)
		}
	}
}

// all returns the elements of a name, or every element, in the order of the page.
func (n *node) all(name string) (out []*node) {
	for _, c := range n.children {
		if name == "" || c.name == name {
			out = append(out, c)
		}
		out = append(out, c.all(name)...)
	}
	return out
}

// id returns the element of an id; nil where there is none.
func (n *node) id(id string) *node {
	for _, e := range n.all("") {
		if e.attrs["id"] == id {
			return e
		}
	}
	return nil
}

// class returns the elements of a name that have a class.
func (n *node) class(name, class string) (out []*node) {
	for _, e := range n.all(name) {
		if slices.Contains(strings.Fields(e.attrs["class"]), class) {
			out = append(out, e)
		}
	}
	return out
}

// words is all text inside, without idle space.
func (n *node) words() string {
	text := n.text
	for _, c := range n.children {
		text += " " + c.words()
	}
	return strings.Join(strings.Fields(text), " ")
}

func (n *node) inside(name string) *node {
	for p := n.parent; p != nil; p = p.parent {
		if p.name == name {
			return p
		}
	}
	return nil
}

// body is the page without its sheet and its script, which hold words of their own.
func body(page string) string {
	return regexp.MustCompile(`(?s)<(style|script)>.*?</(style|script)>`).ReplaceAllString(page, "")
}

// faultsOf are the ways in which a page is not what every page must be.
func faultsOf(page *node) (faults []string) {
	for _, check := range []func(*node) []string{references, inert, outline, pictures, tables} {
		faults = append(faults, check(page)...)
	}
	return faults
}

// references: every id stands once, and whatever is pointed at is there.
func references(page *node) (faults []string) {
	ids := map[string]int{}
	for _, e := range page.all("") {
		if id, ok := e.attrs["id"]; ok {
			ids[id]++
		}
	}
	for id, n := range ids {
		if n > 1 || id == "" {
			faults = append(faults, fmt.Sprintf("id %q stands %d times", id, n))
		}
	}
	for _, e := range page.all("") {
		wanted := strings.Fields(e.attrs["aria-labelledby"])
		if to, ok := strings.CutPrefix(e.attrs["href"], "#"); ok {
			wanted = append(wanted, to)
		}
		for _, id := range wanted {
			if ids[id] == 0 {
				faults = append(faults, fmt.Sprintf("<%s> points at %q, which is nowhere", e.name, id))
			}
		}
	}
	return faults
}

// inert: nothing is loaded, nothing runs but the page's own script, nothing is styled but by its own sheet.
func inert(page *node) (faults []string) {
	if scripts, sheets := len(page.all("script")), len(page.all("style")); scripts != 1 || sheets != 1 {
		faults = append(faults, fmt.Sprintf("%d scripts, %d sheets", scripts, sheets))
	}
	for _, e := range page.all("") {
		if slices.Contains([]string{"img", "iframe", "object", "embed", "base", "form", "image", "use", "video", "audio"}, e.name) {
			faults = append(faults, "there is a <"+e.name+">")
		}
		for name, value := range e.attrs {
			url := name == "href" && !strings.HasPrefix(value, "#") && value != "data:,"
			if url || name == "src" || name == "style" || name == "srcset" || strings.HasPrefix(name, "on") {
				faults = append(faults, fmt.Sprintf("<%s %s=%q>", e.name, name, value))
			}
		}
	}
	return faults
}

// outline: one h1, and no level of headings is left out.
func outline(page *node) (faults []string) {
	level, tops := 0, 0
	for _, e := range page.all("") {
		n, err := strconv.Atoi(strings.TrimPrefix(e.name, "h"))
		if err != nil || !strings.HasPrefix(e.name, "h") {
			continue
		}
		if n > level+1 {
			faults = append(faults, fmt.Sprintf("<%s> %s follows a heading of level %d", e.name, e.words(), level))
		}
		if level = n; n == 1 {
			tops++
		}
	}
	if tops != 1 {
		faults = append(faults, fmt.Sprintf("%d first headings", tops))
	}
	return faults
}

// pictures: each has a title and a description, or is beside words that say the same; all marks have a paint.
func pictures(page *node) (faults []string) {
	for _, svg := range page.all("svg") {
		switch {
		case svg.attrs["aria-hidden"] == "true" || svg.inside("svg") != nil:
		case svg.attrs["role"] != "img" || len(svg.children) < 2 || svg.children[0].name != "title" || svg.children[0].words() == "" || svg.children[1].name != "desc" || svg.children[1].words() == "":
			faults = append(faults, fmt.Sprintf("a picture without a title or a description: %v", svg.attrs))
		}
	}
	sheet := page.all("style")[0].text
	for _, e := range slices.Concat(page.all("rect"), page.all("line"), page.all("g")) {
		if !painted(sheet, e.attrs["class"]) {
			faults = append(faults, fmt.Sprintf("<%s class=%q> has no paint", e.name, e.attrs["class"]))
		}
	}
	return faults
}

// painted reports whether the sheet gives one of the classes a colour.
func painted(sheet, classes string) bool {
	return slices.ContainsFunc(strings.Fields(classes), func(class string) bool {
		_, rest, _ := strings.Cut(sheet, "\n."+class+"{")
		look, _, _ := strings.Cut(rest, "}")
		return strings.Contains(look, "fill:") || strings.Contains(look, "stroke:")
	})
}

// tables: every row is as wide as the head, heads have a scope, and what scrolls can be reached and has a name.
func tables(page *node) (faults []string) {
	for _, table := range page.all("table") {
		width := -1
		for _, row := range table.all("tr") {
			n := 0
			for _, c := range row.children {
				span, err := strconv.Atoi(c.attrs["colspan"])
				if err != nil {
					span = 1
				}
				n += span
				if c.name == "th" && c.attrs["scope"] == "" {
					faults = append(faults, "a head without a scope: "+c.words())
				}
			}
			if width >= 0 && n != width {
				faults = append(faults, fmt.Sprintf("a row of %d cells in a table of %d: %s", n, width, row.words()))
			}
			width = n
		}
		if box := table.parent; box.attrs["aria-label"] == "" || box.attrs["role"] != "region" || box.attrs["tabindex"] != "0" {
			faults = append(faults, fmt.Sprintf("a table in a box that cannot be reached: %v", box.attrs))
		}
	}
	return faults
}

// What the checks above would say of pages that are not sound.
func TestErrPages(t *testing.T) {
	page := html(t, small())
	for name, broken := range map[string]string{
		"a second id":       strings.Replace(page, `id="results"`, `id="coverage"`, 1),
		"a dead link":       strings.Replace(page, `href="#ic"`, `href="#cc"`, 1),
		"another page":      strings.Replace(page, `href="#ic"`, `href="https://example.com"`, 1),
		"an image":          strings.Replace(page, `<h2 id="notes">`, `<h2 id="notes"><img/>`, 1),
		"a handler":         strings.Replace(page, `<h2 id="notes">`, `<h2 id="notes" onclick="x">`, 1),
		"a style":           strings.Replace(page, `<h2 id="notes">`, `<h2 id="notes" style="x">`, 1),
		"a script":          strings.Replace(page, `<h2 id="notes">`, `<h2 id="notes"><script></script>`, 1),
		"a level left out":  strings.ReplaceAll(strings.ReplaceAll(page, `<h2 `, `<h4 `), `</h2>`, `</h4>`),
		"no description":    regexp.MustCompile(`<desc id="d-curves">.*?</desc>`).ReplaceAllString(page, `<desc id="d-curves"></desc>`),
		"a mark unpainted":  strings.Replace(page, `class="bar"`, `class="baz"`, 1),
		"a cell too many":   strings.Replace(page, `<td class="num">`, `<td></td><td class="num">`, 1),
		"a head of nothing": strings.Replace(page, `<th scope="col"`, `<th`, 1),
		"a box of no name":  strings.Replace(page, `role="region" `, ``, 1),
	} {
		if broken == page {
			t.Errorf("%s: the page has nothing to break", name)
		}
		if len(faultsOf(parse(t, broken))) == 0 {
			t.Errorf("%s: no fault", name)
		}
	}
}

// The policy of the page lets its own sheet and script through, and nothing from anywhere.
func TestPolicy(t *testing.T) {
	page := html(t, small())
	meta := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	if meta == nil {
		t.Fatal("the page has no policy")
	}
	policy := strings.NewReplacer("&#39;", "'", "&#43;", "+").Replace(meta[1])
	hash := func(tag string) string {
		text := regexp.MustCompile(`(?s)<` + tag + `>(.*?)</` + tag + `>`).FindStringSubmatch(page)[1]
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	want := "default-src 'none'; style-src " + hash("style") + "; script-src " + hash("script") + "; img-src data:; base-uri 'none'; form-action 'none'"
	if policy != want {
		t.Errorf("the policy is\n%s, want\n%s", policy, want)
	}
}

// Two makings of an equal collection give pages that differ in the lines of their runs alone.
func TestRunLines(t *testing.T) {
	one, two := sampleReport(), sampleReport()
	one.Absent, two.Absent = breakSome(&one.Collection), breakSome(&two.Collection)
	two.Run = report.Run{Started: one.Run.Started.AddDate(0, 0, 1), Finished: one.Run.Finished.AddDate(0, 0, 2), Working: 1, Attempts: 7, Lost: 1, Workers: []string{"else"}}
	two.Generated = two.Generated.AddDate(1, 0, 0)
	for id, a := range two.Absent {
		a.Attempts, a.Worker = 5, "else"
		two.Absent[id] = a
	}
	without := func(page string) (kept string, dropped int) {
		for line := range strings.Lines(page) {
			if strings.Contains(line, `class="run"`) {
				dropped++
				continue
			}
			kept += line
		}
		return kept, dropped
	}
	a, n := without(html(t, one))
	b, _ := without(html(t, two))
	if a != b {
		t.Error("pages of equal collections differ in more than their runs")
	}
	if n != 1+4+3 {
		t.Errorf("%d lines tell of the run", n)
	}
	two.Collection.Groups[0].Metrics["ic"]++
	if b, _ := without(html(t, two)); a == b {
		t.Error("pages of other collections are equal")
	}
}
