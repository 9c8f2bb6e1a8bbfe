package report

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
)

//go:embed *.gohtml style.css page.js
var files embed.FS

// style is our own sheet, and script the few lines that a page can do without.
var (
	style  = variables() + looks(func(name string) string { return "var(--" + name + ")" }) + heats() + read("style.css")
	script = read("page.js")
)

// heats are the shades as the grounds of a table's cells.
func heats() string {
	var b strings.Builder
	for i := 1; i <= depths; i++ {
		fmt.Fprintf(&b, "td.u%d{background:var(--u%d)}td.d%d{background:var(--d%d)}\n", i, i, i, i)
	}
	return b.String()
}

func read(name string) string {
	text, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// policy lets a browser take from the page its own sheet and script, by their hashes, and nothing else from anywhere.
var policy = "default-src 'none'; style-src " + hash(style) + "; script-src " + hash(script) + "; img-src data:; base-uri 'none'; form-action 'none'"

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// pages are the templates of this room. Everything they print is escaped by where it stands.
var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"style":  func() template.CSS { return template.CSS(style) },
	"script": func() template.JS { return template.JS(script) },
	"alone":  func() template.CSS { return template.CSS(alone) },
	"policy": func() string { return policy },
	"px":     func(v float64) string { return pos(v, 1) },
	"pc":     func(v float64) string { return pos(v, 2) + "%" },
}).ParseFS(files, "*.gohtml"))
