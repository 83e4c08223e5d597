//go:build !purego

#include "textflag.h"

// The frame is the kernel's stack: 32 KiB, and room to align it. Go's prologue grows the
// goroutine's stack to hold it before the C code runs, which knows nothing of stack checks.
// C keeps R19-R29, so R20 holds SP. Kernels leave R18 alone and R28: the handler of a signal that
// comes while one runs expects g there.

// func invoke(code uintptr, bufs, dims unsafe.Pointer, lo, hi int64, scratch unsafe.Pointer) int32
TEXT ·invoke(SB), 0, $32896-52
	MOVD code+0(FP), R9
	MOVD bufs+8(FP), R0
	MOVD dims+16(FP), R1
	MOVD lo+24(FP), R2
	MOVD hi+32(FP), R3
	MOVD scratch+40(FP), R4
	MOVD RSP, R20
	MOVD $32831, R10
	ADD  R20, R10, R10
	AND  $~63, R10, R10
	MOVD R10, RSP
	CALL (R9)
	MOVD R20, RSP
	MOVW R0, ret+48(FP)
	RET

// flushLines makes the instruction cache see what was written to memory: lines of 16 bytes at
// least, which all CPUs have, up to the end.

// func flushLines(base, end uintptr)
TEXT ·flushLines(SB), NOSPLIT, $0-16
	MOVD base+0(FP), R0
	MOVD end+8(FP), R1
	MOVD R0, R2

data:
	WORD $0xd50b7b22 // dc cvau, x2
	ADD  $16, R2
	CMP  R1, R2
	BLO  data
	WORD $0xd5033b9f // dsb ish
	MOVD R0, R2

code:
	WORD $0xd50b7522 // ic ivau, x2
	ADD  $16, R2
	CMP  R1, R2
	BLO  code
	WORD $0xd5033b9f // dsb ish
	WORD $0xd5033fdf // isb
	RET
