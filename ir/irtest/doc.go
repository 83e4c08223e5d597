// Package irtest has what tests of several packages share: random well-typed
// graphs with inputs ([Generate]), comparison of results within bounds that
// follow from the graph ([Case.Compare]), a shrinker for failing graphs
// ([Shrink]), shuffled orders of values ([Shuffle]) and the runner of the
// operation files in testdata/ops ([RunOps]). Only tests import it; it imports
// ir alone, and is given evaluators as functions.
package irtest
