package runtime

import "embed"

// Source holds the files of this package, which packages that depend on nothing of tcc carry a
// copy of. The copy leaves out this file and tests.
//
//go:embed *.go *.s
var Source embed.FS
