package foldstream

// Generator turns one template into many. It is pure: equal templates give equal lists, and the template is not changed.
type Generator interface {
	// Generate returns the templates in order. Errors: Invalid (naming the field and value), Leak.
	Generate(t Template) ([]Template, error)
}

// GeneratorFunc makes a function a Generator.
type GeneratorFunc func(t Template) ([]Template, error)

// Generate calls f.
func (f GeneratorFunc) Generate(t Template) ([]Template, error) { return f(t) }
