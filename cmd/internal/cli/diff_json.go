package cli

import (
	"math"

	"github.com/foldstream/foldstream/collect"
)

// diffJSON is a difference for machines. Numbers that are none are null.
type diffJSON struct {
	Left           string        `json:"left"`
	Right          string        `json:"right"`
	Same           bool          `json:"same"`
	Settings       []settingJSON `json:"settings"`
	Windows        countsJSON    `json:"windows"`
	Configurations countsJSON    `json:"configurations"` // and the ensemble
	Redefined      int           `json:"redefined"`      // windows whose tasks are not the same
	Numbers        []numberJSON  `json:"numbers"`
	Changed        int           `json:"changed"` // numbers and texts; the largest of them are in changes
	Changes        []changeJSON  `json:"changes"`
	OnlyLeft       []placeJSON   `json:"only_left"`
	OnlyRight      []placeJSON   `json:"only_right"`
}

type settingJSON struct {
	Name  string `json:"name"`
	Left  string `json:"left"`
	Right string `json:"right"`
}

type countsJSON struct {
	Identical int `json:"identical"`
	Changed   int `json:"changed"`
	OnlyLeft  int `json:"only_left"`
	OnlyRight int `json:"only_right"`
}

// placeJSON is a window, a configuration (no window), or the ensemble (no key).
type placeJSON struct {
	Key    map[string]string `json:"key"`
	Window *int              `json:"window"`
}

type numberJSON struct {
	Name     string      `json:"name"`
	Windows  bool        `json:"windows"` // of windows, not of configurations
	Compared int         `json:"compared"`
	Changed  int         `json:"changed"`
	Largest  *changeJSON `json:"largest"`
}

type changeJSON struct {
	placeJSON
	What      string   `json:"what"`
	Left      *float64 `json:"left"`
	Right     *float64 `json:"right"`
	Change    *float64 `json:"change"`
	LeftText  string   `json:"left_text,omitempty"`
	RightText string   `json:"right_text,omitempty"`
	Cells     int      `json:"cells,omitempty"` // of a column: values that are not the same
	At        string   `json:"at,omitempty"`    // of a column: the row of the two that are shown
}

func diffOf(d collect.Diff) diffJSON {
	out := diffJSON{
		Left: d.Left, Right: d.Right, Same: d.Same(), Redefined: d.Redefined, Changed: d.Changed,
		Windows: countsJSON(d.Windows), Configurations: countsJSON(d.Groups),
		Settings: []settingJSON{}, Numbers: []numberJSON{}, Changes: []changeJSON{},
		OnlyLeft: placesOf(d.OnlyLeft), OnlyRight: placesOf(d.OnlyRight),
	}
	for _, s := range d.Settings {
		out.Settings = append(out.Settings, settingJSON(s))
	}
	for _, s := range d.Numbers {
		one := numberJSON{Name: s.What, Windows: s.Window, Compared: s.Compared, Changed: s.Changed}
		if s.Changed > 0 {
			largest := changeOf(s.Largest)
			one.Largest = &largest
		}
		out.Numbers = append(out.Numbers, one)
	}
	for _, c := range d.Changes {
		out.Changes = append(out.Changes, changeOf(c))
	}
	return out
}

func placesOf(places []collect.DiffPlace) []placeJSON {
	out := []placeJSON{}
	for _, p := range places {
		out = append(out, onePlace(p))
	}
	return out
}

func onePlace(p collect.DiffPlace) placeJSON {
	out := placeJSON{Key: keyMap(p.Key)}
	if p.IsWindow() {
		out.Window = &p.Window
	}
	return out
}

func changeOf(c collect.Change) changeJSON {
	out := changeJSON{placeJSON: onePlace(c.DiffPlace), What: c.What, Cells: c.Cells, At: c.At, LeftText: c.Texts[0], RightText: c.Texts[1]}
	if !c.IsText() {
		out.Left, out.Right, out.Change = orNull(c.Left), orNull(c.Right), orNull(c.By())
	}
	return out
}

func orNull(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
