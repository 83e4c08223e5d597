package runtime

// WorkingBytes returns the working memory that the model holds for calls which are not in flight:
// arenas, scratch and common memory and late blocks. After one Run it is what one call needs.
func (m *Model) WorkingBytes() int64 {
	m.calls.mu.Lock()
	defer m.calls.mu.Unlock()
	n := int64(0)
	for _, c := range m.calls.free {
		n += c.arena.size + c.scratch.size + c.common.size + c.late.total
	}
	return n
}

// RaceEnabled reports whether the race detector watches this build.
const RaceEnabled = raceEnabled
