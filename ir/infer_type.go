package ir

// InferType returns the type of the result of op for arguments of the given
// types, as [Graph.New] would find it, without a graph.
func InferType(op Op, attr Attr, args ...Type) (Type, error) {
	in, values := make([]*Value, len(args)), make([]Value, len(args))
	for i, t := range args {
		values[i].Type = t
		in[i] = &values[i]
	}
	return inferType(op, attr, in)
}
