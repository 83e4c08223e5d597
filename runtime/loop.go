package runtime

// Loop runs Body Trip times. Before each round it sets the symbol to the
// number of the round, from 0: a late symbol, so that offsets and kernel dims
// that depend on it follow.
type Loop struct {
	Symbol int
	Trip   Int
	Body   []Step
}

func (*Loop) step() {}
