package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen/qlib"
)

// plan is an experiment file made ready: everything read, checked and digested, nothing published.
type plan struct {
	qlib.Plan
	calendar *calendar.Calendar
	data     []foldstream.Data
}

// sources is an experiment file and all that it names, read and digested; nothing is generated.
type sources struct {
	file     *qlib.File
	calendar *calendar.Calendar
	data     []foldstream.Data
}

// load reads an experiment file and all that it names. Every fault of the input shows here, before anything is published.
func load(path string) (*plan, error) { return loadBy(path, openNamed) }

// openNamed opens a file by its name.
func openNamed(name string) (io.ReadCloser, error) { return os.Open(name) }

// loadBy is load with a way to open the files that experiments are written in.
func loadBy(path string, open qlib.Opener) (*plan, error) {
	s, err := openSources(path, open)
	if err != nil {
		return nil, err
	}
	p := &plan{calendar: s.calendar, data: s.data}
	p.Plan, err = s.file.Plan(p.calendar, p.data)
	return p, err
}

func openSources(path string, open qlib.Opener) (s sources, err error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return s, fileError("experiment file", path, errFolder)
	}
	s.file, err = qlib.Open(path, open, os.LookupEnv)
	if errors.Is(err, fs.ErrNotExist) {
		return s, fileError("experiment file", path, err)
	} else if err != nil {
		return s, err
	}
	dir := filepath.Dir(path)
	if s.calendar, err = openCalendar(dir, s.file.Calendar); err != nil {
		return s, err
	}
	s.data, err = digestAll(dir, s.file.Data)
	return s, err
}

// upload stores a data file as an artifact unless the store has it, and sees that it is still the file that was digested.
func upload(ctx context.Context, store foldstream.Store, d foldstream.Data) error {
	if !d.Upload {
		return nil
	}
	if size, err := store.Artifacts().Renew(ctx, d.Digest); err == nil && size == d.Size {
		return nil
	}
	f, err := openPlain(d.Path)
	if err != nil {
		return fileError("data "+d.Name, d.Path, err)
	}
	defer f.Close()
	digest, _, err := store.Artifacts().Put(ctx, f)
	if err == nil && digest != d.Digest {
		err = foldstream.Errorf(foldstream.Conflict, "", "data %s: %s changed while it was uploaded", d.Name, d.Path)
	}
	return err
}

// digestAll completes each data source with its absolute path, digest and size.
func digestAll(dir string, sources []foldstream.Data) ([]foldstream.Data, error) {
	out := make([]foldstream.Data, len(sources))
	for i, d := range sources {
		path, err := filepath.Abs(within(dir, d.Path))
		if err != nil {
			return nil, err
		}
		d.Path = path
		if d.Digest, d.Size, err = digest(path); err != nil {
			return nil, fileError("data "+d.Name, path, err)
		}
		out[i] = d
	}
	return out, nil
}

// openPlain opens a file that is to be read to its end, which a device or a pipe may not have.
func openPlain(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errFolder
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no plain file")
	}
	return os.Open(path)
}

var errFolder = errors.New("it is a folder")

func digest(path string) (foldstream.Digest, int64, error) {
	f, err := openPlain(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return foldstream.Digest(hex.EncodeToString(h.Sum(nil))), n, err
}

// openCalendar reads the calendar that an experiment file names.
func openCalendar(dir string, src qlib.CalendarSource) (*calendar.Calendar, error) {
	var cal *calendar.Calendar
	var err error
	path := within(dir, src.Path())
	switch {
	case src.Exchange != "":
		path = src.Exchange
		cal, err = src.OfExchange()
	case src.Qlib != "":
		cal, err = calendar.ReadQlib(os.DirFS(path), src.Freq)
	default:
		cal, err = readCalendarFile(path, src)
	}
	if err != nil {
		return nil, fileError("calendar", path, err)
	}
	if !src.Now.IsOpen() {
		return cal.WithNow(src.Now)
	}
	return cal, nil
}

func readCalendarFile(path string, src qlib.CalendarSource) (*calendar.Calendar, error) {
	f, err := openPlain(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if src.CSV != "" {
		return calendar.ReadCSV(f, src.Column)
	}
	return calendar.Parse(f)
}

// within returns path as seen from dir, absolute paths as they are; a leading ~/ is the user's home folder.
func within(dir, path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// fileError names the file and what it was to be; a file that is not there is bad input.
func fileError(what, path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return foldstream.Errorf(foldstream.Invalid, "", "%s: there is no file %s", what, path)
	case foldstream.KindOf(err) == foldstream.Internal:
		return foldstream.Errorf(foldstream.Invalid, "", "%s %s: %w", what, path, err)
	}
	return foldstream.Errorf(foldstream.KindOf(err), "", "%s %s: %w", what, path, err)
}
