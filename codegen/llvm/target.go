package llvm

// Target is a CPU level that kernels are compiled for.
type Target struct {
	Level    string // as in -cpu: x86-64-v3, avx512-vnni, amx, arm64
	Triple   string
	CPU      string // llc's -mcpu
	Features string // llc's -mattr
	Vector   int    // bits of a vector register
	Gather   bool   // has gather and scatter instructions worth using
	// Emulated is the level whose instructions, where this one has not got them,
	// are computed by others: kernels scheduled for it can be tested here.
	Emulated string
}

// Emulate returns t as it compiles kernels that are scheduled for level.
func (t Target) Emulate(level string) Target {
	t.Emulated = level
	return t
}

// Targets lists the levels in order of preference within an architecture.
var Targets = []Target{
	{Level: "amx", Triple: "x86_64-unknown-linux-gnu", CPU: "x86-64-v4",
		Features: "+avx512vnni,+avx512bf16,+amx-tile,+amx-int8,+amx-bf16", Vector: 512, Gather: true},
	{Level: "avx512-bf16", Triple: "x86_64-unknown-linux-gnu", CPU: "x86-64-v4",
		Features: "+avx512vnni,+avx512bf16", Vector: 512, Gather: true},
	{Level: "avx512-vnni", Triple: "x86_64-unknown-linux-gnu", CPU: "x86-64-v4",
		Features: "+avx512vnni", Vector: 512, Gather: true},
	{Level: "x86-64-v4", Triple: "x86_64-unknown-linux-gnu", CPU: "x86-64-v4",
		Vector: 512, Gather: true},
	{Level: "x86-64-v3", Triple: "x86_64-unknown-linux-gnu", CPU: "x86-64-v3", Vector: 256},
	// X18 belongs to the platform on darwin and windows; Go's signal handlers
	// find the goroutine in X28, also where a signal interrupts a kernel.
	{Level: "arm64", Triple: "aarch64-unknown-linux-gnu", CPU: "generic",
		Features: "+reserve-x18,+reserve-x28", Vector: 128},
}

// TargetOf returns the target of a level.
func TargetOf(level string) (Target, bool) {
	for _, t := range Targets {
		if t.Level == level {
			return t, true
		}
	}
	return Target{}, false
}
