package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// form is a way in which a page is read.
type form struct {
	name          string
	width, height int64
	dark, print   bool
	noScript      bool
}

var forms = []form{
	{name: "light", width: 1280, height: 900},
	{name: "dark", width: 1280, height: 900, dark: true},
	{name: "phone", width: 360, height: 740},
	{name: "phone-dark", width: 360, height: 740, dark: true},
	{name: "print", width: 695, height: 1017, print: true}, // A4 less its margins
	{name: "noscript", width: 1280, height: 900, noScript: true},
}

// browser is a running Chromium.
type browser struct {
	ctx   context.Context
	close context.CancelFunc
}

func start(ctx context.Context, program string) (*browser, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true))
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	ctx, leave := chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {})) // it may not know all that a newer browser says
	if err := chromedp.Do(ctx); err != nil {
		leave()
		stop()
		return nil, err
	}
	return &browser{ctx, func() { leave(); stop() }}, nil
}

// pageTime is how long a page may take in one form.
const pageTime = time.Minute

// look opens a page in a form, keeps its picture, and returns what is wrong.
func (b *browser) look(file, picture string, f form) []string {
	ctx, leave := chromedp.NewContext(b.ctx)
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	heard := &ears{}
	found, err := f.open(ctx, file, heard)
	if err == nil {
		err = f.keep(ctx, picture)
	}
	faults := append(heard.all(), found...)
	if err != nil {
		faults = append(faults, err.Error())
	}
	return faults
}

// open shows the page and asks it for its faults.
func (f form) open(ctx context.Context, file string, heard *ears) (faults []string, err error) {
	if err := chromedp.Do(ctx, f.set()); err != nil {
		return nil, err
	}
	if err := chromedp.Listen(ctx, heard.hear); err != nil {
		return nil, err
	}
	if err := chromedp.Do(ctx, chromedp.Navigate("file://"+file)); err != nil {
		return nil, err
	}
	return chromedp.Run(ctx, chromedp.Evaluate[[]string](f.ask(), chromedp.EvalAwaitPromise))
}

// set makes the tab what the form is.
func (f form) set() chromedp.Action[chromedp.Void] {
	media := emulation.SetEmulatedMediaParams{Media: "screen", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "light"}}}
	if f.dark || f.print { // paper is light whatever the screen is
		media.Features[0].Value = "dark"
	}
	if f.print {
		media.Media = "print"
	}
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		size := emulation.SetDeviceMetricsOverrideParams{Width: f.width, Height: f.height, DeviceScaleFactor: 1, Mobile: f.width < 500}
		_, err := cdp.Call(ctx, t, emulation.SetDeviceMetricsOverride, size)
		if err == nil {
			_, err = cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: f.noScript})
		}
		if err == nil {
			_, err = cdp.Call(ctx, t, emulation.SetEmulatedMedia, media)
		}
		if err == nil {
			_, err = cdp.Call(ctx, t, log.Enable, cdp.Empty{})
		}
		if err == nil {
			_, err = cdp.Call(ctx, t, network.Enable, network.EnableParams{})
		}
		return err
	})
}

// keep writes the picture, and of paper the PDF too.
func (f form) keep(ctx context.Context, picture string) error {
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(picture, png, 0o600)
	}
	if err != nil || !f.print {
		return err
	}
	pdf, err := chromedp.Run(ctx, chromedp.PrintToPDF(func(p *page.PrintToPDFParams) { p.PreferCSSPageSize = new(bool); *p.PreferCSSPageSize = true }))
	if err != nil {
		return err
	}
	return os.WriteFile(strings.TrimSuffix(picture, ".png")+".pdf", pdf, 0o600)
}

//go:embed look.js
var checks string

// ask is the script that looks for faults and returns them as a list.
func (f form) ask() string {
	words, _ := json.Marshal(map[string]any{"phone": f.width < 500, "print": f.print, "script": !f.noScript})
	return fmt.Sprintf("(async (form) => {%s})(%s)", checks, words)
}

// ears keep what a page complains of, and what it asks the network for.
type ears struct {
	mu    sync.Mutex
	heard []string
}

func (e *ears) hear(event any) {
	switch ev := event.(type) {
	case *runtime.EventExceptionThrown:
		e.add("exception: " + ev.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeWarning {
			e.add(fmt.Sprintf("console %s: %s", ev.Type, ev.Args[0].Value))
		}
	case *log.EventEntryAdded:
		if ev.Entry.Level == log.EntryLevelError || ev.Entry.Level == log.EntryLevelWarning {
			e.add(fmt.Sprintf("log %s: %s", ev.Entry.Level, ev.Entry.Text))
		}
	case *network.EventRequestWillBeSent:
		if url := ev.Request.URL; !strings.HasPrefix(url, "file://") && !strings.HasPrefix(url, "data:") {
			e.add("it asks for " + url)
		}
	}
}

func (e *ears) add(fault string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, fault)
}

func (e *ears) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.heard...)
}
