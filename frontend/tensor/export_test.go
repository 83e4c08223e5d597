package tensor

// PastOf counts the operations that t keeps.
func PastOf(t Tensor) int {
	return len(reach([]*node{t.value()}, func(*node) bool { return false }))
}
