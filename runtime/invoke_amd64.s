//go:build !purego

#include "textflag.h"

// The frame is the kernel's stack: 32 KiB, and room to align it. Go's prologue grows the
// goroutine's stack to hold it before the C code runs, which knows nothing of stack checks.
// C keeps BX, BP and R12-R15; Go's ABI0 keeps nothing but SP, and the wrapper into the Go ABI
// restores R14 and X15.

// func invoke(code uintptr, bufs, dims unsafe.Pointer, lo, hi int64, scratch unsafe.Pointer) int32
TEXT ·invoke(SB), 0, $32896-52
	MOVQ code+0(FP), AX
	MOVQ bufs+8(FP), DI
	MOVQ dims+16(FP), SI
	MOVQ lo+24(FP), DX
	MOVQ hi+32(FP), CX
	MOVQ scratch+40(FP), R8
	MOVQ SP, BX
	LEAQ 32831(SP), R9
	ANDQ $~63, R9
	MOVQ R9, SP
	CALL AX
	MOVQ BX, SP
	MOVL AX, ret+48(FP)
	RET
