package llvm

import (
	"debug/elf"
	"encoding/binary"
)

// This file has the kinds of relocations that occur in position-independent kernels: all are
// distances from the place that is patched.

// relocForm says how a distance is stored.
type relocForm struct {
	bytes int // patched
	bits  int // of the distance, signed
	shift int // low bits that are not stored and must be 0
	put   func(p []byte, d int64)
}

func (f relocForm) fits(d int64) bool {
	if f.bits == 64 {
		return true
	}
	lim := int64(1) << (f.bits - 1)
	return d&(1<<f.shift-1) == 0 && -lim <= d && d < lim
}

func put16(p []byte, d int64) { binary.LittleEndian.PutUint16(p, uint16(d)) }
func put32(p []byte, d int64) { binary.LittleEndian.PutUint32(p, uint32(d)) }
func put64(p []byte, d int64) { binary.LittleEndian.PutUint64(p, uint64(d)) }

// field returns a put for arm64 instructions: width bits of d>>2 at bit pos.
func field(width, pos int) func(p []byte, d int64) {
	mask := uint32(1)<<width - 1
	return func(p []byte, d int64) {
		w := binary.LittleEndian.Uint32(p) &^ (mask << pos)
		binary.LittleEndian.PutUint32(p, w|(uint32(d>>2)&mask)<<pos)
	}
}

// putADR stores the split immediate of ADR.
func putADR(p []byte, d int64) {
	const lo, hi = 3 << 29, (1<<19 - 1) << 5
	w := binary.LittleEndian.Uint32(p) &^ (lo | hi)
	w |= uint32(d)&3<<29 | uint32(d>>2)&(1<<19-1)<<5
	binary.LittleEndian.PutUint32(p, w)
}

var relocTables = map[elf.Machine]map[uint32]relocForm{
	elf.EM_X86_64: {
		uint32(elf.R_X86_64_PC32):  {4, 32, 0, put32},
		uint32(elf.R_X86_64_PLT32): {4, 32, 0, put32}, // to functions of the module
		uint32(elf.R_X86_64_PC64):  {8, 64, 0, put64},
	},
	elf.EM_AARCH64: {
		uint32(elf.R_AARCH64_PREL16):        {2, 16, 0, put16},
		uint32(elf.R_AARCH64_PREL32):        {4, 32, 0, put32},
		uint32(elf.R_AARCH64_PREL64):        {8, 64, 0, put64},
		uint32(elf.R_AARCH64_ADR_PREL_LO21): {4, 21, 0, putADR},
		uint32(elf.R_AARCH64_LD_PREL_LO19):  {4, 21, 2, field(19, 5)},
		uint32(elf.R_AARCH64_CONDBR19):      {4, 21, 2, field(19, 5)},
		uint32(elf.R_AARCH64_TSTBR14):       {4, 16, 2, field(14, 5)},
		uint32(elf.R_AARCH64_JUMP26):        {4, 28, 2, field(26, 0)},
		uint32(elf.R_AARCH64_CALL26):        {4, 28, 2, field(26, 0)},
	},
}
