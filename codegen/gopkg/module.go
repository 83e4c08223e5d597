package gopkg

import "fmt"

// SysModule is the version of golang.org/x/sys that generated code needs, the
// only module beside the standard library.
const (
	SysModule  = "golang.org/x/sys"
	SysVersion = "v0.46.0"

	// The sums are those of this module's go.sum, so that executables build
	// without asking a checksum database.
	sysSum    = "h1:noSf2Fq6F8DBgS+LysIkx7rIExoNHJsxOAtPp4rthXw="
	sysModSum = "h1:4GL1E5IUh+htKOUEOaiffhrAeqysfVGipDYzABqnCmw="
)

// AddModule makes the files a module of their own.
func (f Files) AddModule(path string) {
	f["go.mod"] = fmt.Appendf(nil, "module %s\n\ngo 1.25.0\n\nrequire %s %s\n", path,
		SysModule, SysVersion)
	f["go.sum"] = fmt.Appendf(nil, "%s %s %s\n%s %s/go.mod %s\n", SysModule, SysVersion, sysSum,
		SysModule, SysVersion, sysModSum)
}
