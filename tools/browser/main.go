// Command browser looks at reports as their readers do: it makes the sample pages and the demo's, opens each in a headless Chromium
// in light, dark, on a phone, on paper and without script, and fails on what a page must not do. Screenshots stay in a folder.
//
// It is a module of its own, so that neither the product nor the other tools need what drives a browser. Without a browser it says
// so in a line and succeeds.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	out := flag.String("out", "", "folder for pages and screenshots; default: a temporary one that is kept")
	root := flag.String("root", "../..", "folder of the project")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *root, *out, flag.Args(), os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		os.Exit(1)
	}
}

// run makes the pages, unless some are named, and looks at each.
func run(ctx context.Context, root, out string, pages []string, w io.Writer) error {
	program := find("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
	if program == "" {
		_, err := fmt.Fprintln(w, "browser: there is none (chromium, google-chrome): no page was looked at")
		return err
	}
	out, err := folder(out)
	if err != nil {
		return err
	}
	if len(pages) == 0 {
		if pages, err = makePages(ctx, root, out); err != nil {
			return err
		}
	}
	b, err := start(ctx, program)
	if err != nil {
		return err
	}
	defer b.close()
	bad := 0
	for _, page := range pages {
		for _, f := range forms {
			faults := b.look(page, filepath.Join(out, name(page)+"-"+f.name+".png"), f)
			for _, fault := range faults {
				fmt.Fprintf(w, "%s, %s: %s\n", name(page), f.name, fault)
			}
			bad += len(faults)
		}
	}
	fmt.Fprintf(w, "browser: %d pages in %d forms, %d faults; see %s\n", len(pages), len(forms), bad, out)
	if bad > 0 {
		return fmt.Errorf("%d faults", bad)
	}
	return nil
}

// find returns the first program that is installed.
func find(names ...string) string {
	for _, n := range names {
		if path, err := exec.LookPath(n); err == nil {
			return path
		}
	}
	return ""
}

func folder(out string) (string, error) {
	if out == "" {
		return os.MkdirTemp("", "foldstream-browser-")
	}
	out, err := filepath.Abs(out)
	if err != nil {
		return "", err
	}
	return out, os.MkdirAll(out, 0o700)
}

// makePages writes the samples of the report's tests, and the demo's report.
func makePages(ctx context.Context, root, out string) ([]string, error) {
	for _, args := range [][]string{
		{"test", "-count=1", "-run", "^TestSamples$", "./report"},
		{"run", "./cmd/foldstream", "demo", "--out", filepath.Join(out, "demo")},
	} {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir, cmd.Stderr = root, os.Stderr
		cmd.Env = append(os.Environ(), "FOLDSTREAM_LOOK="+out)
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
		}
	}
	pages, err := filepath.Glob(filepath.Join(out, "*.html"))
	slices.Sort(pages)
	return append(pages, filepath.Join(out, "demo", "report.html")), err
}

// name is what a page's screenshots are called by.
func name(page string) string {
	base := strings.TrimSuffix(filepath.Base(page), ".html")
	if base == "report" {
		return filepath.Base(filepath.Dir(page))
	}
	return base
}
