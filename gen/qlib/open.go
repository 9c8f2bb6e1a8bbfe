package qlib

// Open reads an experiment file and the workflow file that it takes its template from, whose template marks are filled in from
// env. Paths of files that a file names are relative to its folder; open gets them joined to the folder of name, with slashes. Errors: those of open for name itself;
// Invalid, as Read and ReadWorkflow, also where a named file is missing.
func Open(name string, open Opener, env Environment) (*File, error) {
	r, err := open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := Read(name, r)
	if err != nil || f.From == "" {
		return f, err
	}
	w, err := f.openFrom(open, env)
	if err != nil {
		return nil, err
	}
	return f, f.Import(w)
}

func (f *File) openFrom(open Opener, env Environment) (*Workflow, error) {
	r, err := openBeside(f.from, f.From, open)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return ReadWorkflow(beside(f.Source, f.From), r, open, env)
}
