//go:build unix

package exec_test

import (
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/work/exec"
)

func TestAllow(t *testing.T) {
	for name, c := range map[string]struct {
		allow []string
		argv  []any
		want  string // part of the refusal; "" is allowed
	}{
		"none":              {nil, []any{"sh", "-c", "echo '{}'"}, `does not run the command "sh -c echo '{}'": it allows none`},
		"any":               {[]string{"*"}, []any{"sh", "-c", "echo '{}'"}, ""},
		"the program":       {[]string{"sh"}, []any{"sh", "-c", "echo '{}'"}, ""},
		"its beginning":     {[]string{"true", "sh  -c"}, []any{"sh", "-c", "echo '{}'"}, ""},
		"another argument":  {[]string{"sh script.sh"}, []any{"sh", "-c", "echo '{}'"}, "it allows sh script.sh"},
		"another path":      {[]string{"sh"}, []any{"/bin/sh", "-c", "echo '{}'"}, "it allows sh"},
		"a longer word":     {[]string{"s"}, []any{"sh", "-c", "echo '{}'"}, "it allows s"},
		"nothing":           {[]string{""}, []any{"sh", "-c", "echo '{}'"}, "does not run"},
		"words in one":      {[]string{"sh -c"}, []any{"sh -c", "echo '{}'"}, "does not run"},
		"data as it stands": {[]string{"sh <data.script>"}, []any{"sh", "<data.script>"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			script := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(script, []byte("echo '{}'"), 0o600); err != nil {
				t.Fatal(err)
			}
			task := command(c.argv...)
			task.Data = []foldstream.Data{{Name: "script", Path: script}}
			w := exec.Worker{Allow: exec.Only(c.allow...)}
			_, err := w.Work(t.Context(), task, newRecord())
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (!foldstream.IsPermanent(err) || !foldstream.Is(err, foldstream.Denied) || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// Who allows may put a task off as well, and it is not failed by that.
func TestAllowLater(t *testing.T) {
	w := exec.Worker{Allow: func(foldstream.Task) error { return foldstream.Snooze(time.Minute, "somebody else's") }}
	_, err := w.Work(t.Context(), sh("echo '{}'"), newRecord())
	if after, ok := foldstream.IsSnooze(err); !ok || after != time.Minute || foldstream.IsPermanent(err) {
		t.Error(err)
	}
}

// A command has no more of the consumer's environment than is said.
func TestTheEnvironment(t *testing.T) {
	for name, value := range map[string]string{
		"NATS_PASSWORD": "secret", "NATS_URL": "nats://u:secret@h", "NATS_CREDS": "/secret", "AWS_SECRET_ACCESS_KEY": "secret", "FOLDSTREAM_CONFIG": "secret",
		"LC_ALL": "C", "TMPDIR": t.TempDir(), "MY_GPU": "1", "MY_OTHER": "2", "TZ": "UTC", "FOLDSTREAM_OUT": "/etc/passwd",
	} {
		t.Setenv(name, value)
	}
	rec := newRecord()
	script := `env | sed 's/=.*//' | sort | tr '\n' ' ' > names; env > all; printf '{"params": {"names": "%s", "secrets": %d, "tmp": "%s", "dir": "%s"}}' "$(cat names)" "$(grep -c secret all)" "$TMPDIR" "$(pwd)"`
	w := exec.Worker{PassEnv: []string{"MY_GPU", "NO_SUCH_*"}}
	if _, err := w.Work(t.Context(), sh(script), rec); err != nil {
		t.Fatal(err)
	}
	names := slices.DeleteFunc(strings.Fields(rec.params["names"]), func(name string) bool { // the machine's, and the shell's own
		return slices.Contains([]string{"HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "_", "SHLVL", "OLDPWD", "PWD"}, name) || strings.HasPrefix(name, "LC_") && name != "LC_ALL"
	})
	want := []string{"FOLDSTREAM_EVENTS", "FOLDSTREAM_OUT", "FOLDSTREAM_RUN", "FOLDSTREAM_TASK", "LC_ALL", "MY_GPU", "PATH", "TMPDIR", "TZ"}
	if diff := cmp.Diff(want, names); diff != "" || rec.params["secrets"] != "0" || rec.params["tmp"] != rec.params["dir"] {
		t.Errorf("%s\n%v", diff, rec.params)
	}
	if diff := cmp.Diff([]string{"NO_SUCH_*"}, exec.Missing(w.PassEnv)); diff != "" {
		t.Error(diff)
	}
}

// The folder is the command's alone, and goes with all that is in it.
func TestTheFolder(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	rec := newRecord()
	script := `mkdir -p a/b && touch a/b/c && chmod 0 a/b a; printf '{"params": {"mode": "%s"}}' "$(ls -ld . | cut -c1-10)"`
	if _, err := (&exec.Worker{}).Work(t.Context(), sh(script), rec); err != nil || rec.params["mode"] != "drwx------" {
		t.Errorf("%v, %v", err, rec.params)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

func TestTheFolderIsKept(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	w := exec.Worker{Keep: true}
	for script, kept := range map[string]bool{"echo x > y; exit 1": true, "echo '{}'": false, "exit 75": false, "echo no json": true} {
		_, err := w.Work(t.Context(), sh(script), newRecord())
		_, dir, told := strings.Cut(fmt.Sprint(err), "its folder is kept: ")
		if told != kept {
			t.Errorf("%s: %v", script, err)
		}
		if _, err := os.Stat(dir); kept && err != nil {
			t.Errorf("%s: %v", script, err)
		}
	}
}

// What a command leaves is read where it is a plain file in its folder, and never past it.
func TestFilesThatAreNone(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	artifact := func(path string) string {
		return fmt.Sprintf(`; echo '{"artifacts":[{"name":"m","path":"%s"}]}'`, path)
	}
	for name, c := range map[string]struct{ script, want string }{
		"an absolute path":          {"true" + artifact(outside), "is not in the command's folder"},
		"a path out":                {"true" + artifact("../../../../../../../.."+outside), "escapes"},
		"a link out":                {"ln -s " + outside + " m" + artifact("m"), "escapes"},
		"a folder that is one":      {"ln -s " + filepath.Dir(outside) + " d" + artifact("d/secret"), "escapes"},
		"a device":                  {"ln -s /dev/zero m" + artifact("m"), "escapes"},
		"a pipe":                    {"mkfifo m" + artifact("m"), "no plain file"},
		"a folder":                  {"mkdir m" + artifact("m"), "no plain file"},
		"nothing":                   {"true" + artifact("m"), "no such file"},
		"no path":                   {"true" + artifact(""), "artifact"},
		"a result that is a pipe":   {"mkfifo $FOLDSTREAM_OUT", "no plain file"},
		"a result from outside":     {"ln -s " + outside + " $FOLDSTREAM_OUT", "escapes"},
		"a result without end":      {"ln -s /dev/zero $FOLDSTREAM_OUT", "escapes"},
		"a result that is a folder": {"mkdir $FOLDSTREAM_OUT", "no plain file"},
		"a link to itself":          {"ln -s m m" + artifact("m"), "artifact"},
	} {
		t.Run(name, func(t *testing.T) {
			rec := newRecord()
			_, err := (&exec.Worker{}).Work(t.Context(), sh(c.script), rec)
			if !foldstream.IsPermanent(err) || !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			for name, blob := range rec.blobs {
				if strings.Contains(blob, "secret") {
					t.Errorf("%s got out", name)
				}
			}
		})
	}
}

// An absolute path into the folder, and a link inside it, are as good as the file.
func TestFilesInside(t *testing.T) {
	rec := newRecord()
	script := `printf one > a; ln -s a b; printf '{"artifacts":[{"name":"a","path":"%s/a"},{"name":"b","path":"b"}]}' "$(pwd)"`
	if _, err := (&exec.Worker{}).Work(t.Context(), sh(script), rec); err != nil || rec.blobs["a "] != "one" || rec.blobs["b "] != "one" {
		t.Errorf("%v, %v", err, rec.blobs)
	}
}

func TestZeroBytesInACommand(t *testing.T) {
	_, err := (&exec.Worker{}).Work(t.Context(), command("echo", "a\x00b"), newRecord())
	if !foldstream.IsPermanent(err) || !strings.Contains(err.Error(), "exec.command[1]") {
		t.Error(err)
	}
}

// stray plays a command that leaves a child behind which left its group and session.
func stray() {
	cmd := osexec.Command("sh", "-c", "echo $$ > "+os.Getenv("EXEC_TEST_DIR")+"/stray; "+os.Getenv("EXEC_TEST_SCRIPT")+" while :; do sleep 1; done")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	for pid(os.Getenv("EXEC_TEST_DIR"), "stray") == 0 {
		<-time.After(time.Millisecond)
	}
	fmt.Println("{}")
}
