package report_test

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/report"
)

func diffHTML(t *testing.T, d collect.Diff) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.WriteDiff(&b, d, time.Date(2026, 3, 2, 18, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	wellFormed(t, b.String())
	return b.String()
}

func TestDiffPage(t *testing.T) {
	key := foldstream.Key{{Name: "alpha<b>", Value: "\x00\u202e1"}}
	moved := collect.Change{DiffPlace: collect.DiffPlace{Key: key, Window: -1}, What: "annual_return", Left: 0.2, Right: -0.04}
	cell := collect.Change{DiffPlace: collect.DiffPlace{Key: key, Window: 3}, What: "pred.score", Left: math.NaN(), Right: 1, Cells: 7, At: "2020-01-02 A"}
	text := collect.Change{DiffPlace: collect.DiffPlace{Window: -1}, What: "windows", Texts: [2]string{"<script>", "none"}}
	d := collect.Diff{
		Left: "dow30", Right: "dow30-2", Windows: collect.DiffCount{Identical: 479, Changed: 1}, Groups: collect.DiffCount{Identical: 23, Changed: 2},
		Settings: []collect.Setting{{Name: "collection.portfolio.cost", Left: "0.001", Right: "0.002"}},
		Numbers:  []collect.DiffShare{{What: "annual_return", Compared: 25, Changed: 1, Largest: moved}, {What: "ic", Compared: 25}},
		Changes:  []collect.Change{text, cell, moved}, Changed: 5,
		OnlyLeft: []collect.DiffPlace{{Key: key, Window: 4}},
	}
	page := diffHTML(t, d)
	for _, want := range []string{
		"1 window and 2 configurations changed; of the configurations' numbers these moved: annual_return.", "2 smaller changes are left out.", "0.2 → −0.04",
		"window 3, 2020-01-02 A (of 7 values)", "&lt;script&gt;", "Only in dow30<", "2 March 2026",
	} {
		if !strings.Contains(strings.ReplaceAll(page, "&#39;", "'"), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "\u202e") || strings.Contains(page, "<b>") {
		t.Error("a name of the user's reaches the page as it is")
	}
	if page := diffHTML(t, collect.Diff{Left: "a", Right: "b"}); !strings.Contains(page, "Nothing differs") {
		t.Error(page)
	}
}

func TestDiffPageIsBounded(t *testing.T) {
	d := collect.Diff{Left: "a", Right: "b", Changed: 20_000}
	for i := range collect.MaxChanges {
		at := collect.DiffPlace{Window: i}
		d.Changes, d.OnlyRight = append(d.Changes, collect.Change{DiffPlace: at, What: "ic", Right: 1}), append(d.OnlyRight, at)
	}
	page := diffHTML(t, d)
	if n := strings.Count(page, "<tr>"); n != 1002-1 || !strings.Contains(page, "19,000 smaller changes are left out") || !strings.Contains(page, "and 9,000 more") {
		t.Errorf("%d rows", n)
	}
}
