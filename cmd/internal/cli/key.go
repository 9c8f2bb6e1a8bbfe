package cli

import (
	"cmp"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/work/exec"
)

// KeyFlags is the flags by which it is declared what results depend on beside their tasks and data.
type KeyFlags struct {
	Code        string `group:"Key" placeholder:"VERSION" help:"Version of the code that does the work; default: this build's, of commands the digest of their program and scripts."`
	Environment string `group:"Key" placeholder:"TEXT" help:"What else results depend on: a container's digest, a driver's version; default: operating system and processor."`
}

// checkKey reports declarations that cannot be kept. Errors: Invalid.
func (k KeyFlags) checkKey() error {
	for name, text := range map[string]string{"--code": k.Code, "--environment": k.Environment} {
		if len(text) > foldstream.MaxCode {
			return foldstream.Errorf(foldstream.Invalid, "", "%s: it has %d bytes, at most %d are kept", name, len(text), foldstream.MaxCode)
		}
	}
	return nil
}

// environment is what is declared of the environment.
func (k KeyFlags) environment() string { return cmp.Or(k.Environment, runtime.GOOS+"/"+runtime.GOARCH) }

// codes returns what tells the version of the code that works a task here; "" is unknown.
func (k KeyFlags) codes() func(foldstream.Task) string {
	commands := &exec.Codes{}
	return func(t foldstream.Task) string {
		switch {
		case k.Code != "":
			return k.Code
		case t.Worker == "exec":
			code, _ := commands.Of(t) // what cannot be told is unknown
			return code
		case buildCode().sure:
			return buildCode().version
		}
		return ""
	}
}

// built is what this program was built from.
type built struct {
	version string
	sure    bool // it is all of it: a revision without changes, or a version of the module
}

var buildCode = sync.OnceValue(func() built {
	info, ok := debug.ReadBuildInfo()
	version := CodeVersion()
	if ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "vcs.modified", Value: "true"}) {
		return built{version + "+modified", false}
	}
	return built{version, ok && version != "" && version != "(devel)"}
})
