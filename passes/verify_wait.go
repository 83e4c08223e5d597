package passes

import "github.com/tensorcc/tcc/ir"

var verify = func(*ir.Graph) error { return nil }
