package exec

// The roles that this package's test binary plays are told to it in its environment.
func init() { inherited = append(inherited, "EXEC_TEST_*") }
