package llvm

// DefaultPasses is what opt runs.
const DefaultPasses = defaultPasses
