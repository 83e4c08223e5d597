package llvm

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// This file cuts kernels out of an ELF object. A linker would make one image of all; here each
// kernel becomes a blob of its own, with only the sections that it refers to, directly or through
// them. What it refers to is inside the blob, so every relocation is resolved, or is an error.

// maxStack is what the runtime's trampoline has for a kernel (32 KiB), less a reserve for return
// addresses, the red zone and alignment, which LLVM does not count.
const maxStack = 32<<10 - 512

// blobAlign is the alignment of a blob, and thus the largest that its constants can have.
const blobAlign = 64

// object is an ELF object with what is needed of its sections.
type object struct {
	file   *elf.File
	syms   []elf.Symbol
	relocs map[int][]reloc // by index of the section they are applied to
	stack  map[int]int     // stack use by index of the function's section
	pools  map[pool]piece  // of sections that are not merged
	funcs  []int           // sections of functions in the order in which LLVM numbers these
	// crowded is set where constants of several functions could not be told apart.
	crowded bool
}

type reloc struct {
	at     uint64
	kind   uint32
	sym    int // index into syms, plus 1 as ELF counts
	addend int64
}

// cut returns the blobs of the named functions of an object.
func cut(data []byte, names []string) ([]Func, error) {
	o, err := readObject(data)
	if err != nil {
		return nil, fmt.Errorf("object: %w", err)
	}
	funcs := make([]Func, len(names))
	for i, name := range names {
		if funcs[i], err = o.cutFunc(name); err != nil {
			return nil, fmt.Errorf("kernel %s: %w", name, err)
		}
	}
	return funcs, nil
}

func readObject(data []byte) (*object, error) {
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if f.Class != elf.ELFCLASS64 || f.Data != elf.ELFDATA2LSB {
		return nil, fmt.Errorf("%v %v, wanted 64-bit little-endian", f.Class, f.Data)
	}
	o := &object{file: f, relocs: map[int][]reloc{}, stack: map[int]int{}}
	if o.syms, err = f.Symbols(); err != nil {
		return nil, err
	}
	for _, s := range f.Sections {
		switch {
		case s.Type == elf.SHT_RELA:
			err = o.readRelocs(s)
		case s.Type == elf.SHT_REL:
			err = fmt.Errorf("section %s: relocations without addends", s.Name)
		}
		if err != nil {
			return nil, err
		}
	}
	o.readPools()
	for i, s := range f.Sections {
		if s.Name == ".stack_sizes" {
			if err := o.readStack(i, s); err != nil {
				return nil, err
			}
		}
	}
	return o, nil
}

func (o *object) readRelocs(s *elf.Section) error {
	data, err := s.Data()
	if err != nil {
		return err
	}
	const size = 24 // Elf64_Rela
	for ; len(data) >= size; data = data[size:] {
		info := binary.LittleEndian.Uint64(data[8:])
		o.relocs[int(s.Info)] = append(o.relocs[int(s.Info)], reloc{
			at: binary.LittleEndian.Uint64(data), kind: uint32(info), sym: int(info >> 32),
			addend: int64(binary.LittleEndian.Uint64(data[16:]))})
	}
	return nil
}

// readStack reads sizes of frames: for each function an address, which a relocation gives, and the
// size in LEB128. (The section's link says the function's section, but not where that function has
// a jump table: LLVM 19 then names the table's.)
func (o *object) readStack(section int, s *elf.Section) error {
	data, err := s.Data()
	if err != nil {
		return err
	}
	const address = 8
	for at := 0; at+address < len(data); {
		size, n := binary.Uvarint(data[at+address:])
		if n <= 0 {
			return fmt.Errorf("section %s: bad size", s.Name)
		}
		for _, r := range o.relocs[section] {
			if r.at != uint64(at) {
				continue
			}
			to, err := o.target(r)
			if err != nil {
				return err
			}
			o.stack[int(to.Section)] = max(o.stack[int(to.Section)], int(size))
		}
		at += address + n
	}
	return nil
}

// piece is what a blob takes of an object: a section or, of a section of constants that functions
// share, the constant at an offset. A kernel's blob thus does not depend on what else is in its
// module.
type piece struct {
	section int
	offset  uint64
	size    uint64
	pool    bool // all constants of a function in a section: see readPools
}

// pieceOf is the piece that holds what a relocation of the function in section from refers to: the
// symbol s.
func (o *object) pieceOf(from int, r reloc, s *elf.Symbol) (piece, error) {
	sec := o.file.Sections[s.Section]
	if p, ok := o.pools[pool{int(s.Section), slices.Index(o.funcs, from)}]; ok {
		// On x86 the addend counts from the end of the instruction, which is 4 to 8 bytes on.
		if at := s.Value + uint64(r.addend) + 8; at < p.offset || at > p.offset+p.size+4 {
			return piece{}, fmt.Errorf("refers to a constant of another function in section %s", sec.Name)
		}
		return p, nil
	}
	if sec.Flags&elf.SHF_MERGE == 0 {
		o.crowded = o.crowded || len(o.funcs) > 1 && sec.Name == ".rodata"
		return piece{section: int(s.Section), size: sec.Size}, nil
	}
	at, known := s.Value, true
	if elf.ST_TYPE(s.Info) == elf.STT_SECTION {
		// The addend says which constant; on x86 it counts from the end of the instruction.
		at, known = at+uint64(r.addend), o.file.Machine == elf.EM_AARCH64
	}
	n := sec.Entsize
	if !known || n == 0 || sec.Flags&elf.SHF_STRINGS != 0 || len(o.relocs[int(s.Section)]) > 0 {
		return piece{}, fmt.Errorf("refers to section %s, whose constants cannot be told apart", sec.Name)
	}
	return piece{section: int(s.Section), offset: at / n * n, size: n}, nil
}

// layout is a blob in the making.
type layout struct {
	o     *object
	code  []byte
	at    map[piece]uint64 // offsets of the pieces in code
	order []piece          // pieces in code
}

func (o *object) cutFunc(name string) (Func, error) {
	section := -1
	for _, s := range o.syms {
		if s.Name == name && elf.ST_TYPE(s.Info) == elf.STT_FUNC && s.Section < elf.SHN_LORESERVE {
			if section = int(s.Section); s.Value != 0 {
				return Func{}, fmt.Errorf("shares its section with other functions")
			}
		}
	}
	if section <= 0 {
		return Func{}, fmt.Errorf("the module does not define it")
	}
	stack, ok := o.stack[section]
	if !ok {
		return Func{}, fmt.Errorf("its use of stack is not known: its size must not be dynamic")
	}
	if stack > maxStack {
		return Func{}, fmt.Errorf("uses %d bytes of stack, at most %d are there: "+
			"keep large temporaries in scratch memory", stack, maxStack)
	}
	o.crowded = false
	l := &layout{o: o, at: map[piece]uint64{}}
	if err := l.add(piece{section: section, size: o.file.Sections[section].Size}); err != nil {
		return Func{}, err
	}
	// order grows while pieces are found to refer to further ones.
	for i := 0; i < len(l.order); i++ {
		for _, r := range o.relocs[l.order[i].section] {
			to, err := o.target(r)
			if err != nil {
				return Func{}, err
			}
			p, err := o.pieceOf(section, r, to)
			if err != nil {
				return Func{}, err
			}
			if err := l.add(p); err != nil {
				return Func{}, err
			}
		}
	}
	for _, s := range l.order {
		if err := l.resolve(section, s); err != nil {
			return Func{}, err
		}
	}
	return Func{Name: name, Code: l.code, Stack: stack, crowded: o.crowded}, nil
}

// target returns the symbol that a relocation refers to, which must be in the object.
func (o *object) target(r reloc) (*elf.Symbol, error) {
	if r.sym < 1 || r.sym > len(o.syms) {
		return nil, fmt.Errorf("relocation without a symbol")
	}
	s := &o.syms[r.sym-1]
	if s.Section == elf.SHN_UNDEF || s.Section >= elf.SHN_LORESERVE {
		return nil, fmt.Errorf("refers to %s, which is not in the module: "+
			"kernels call nothing outside themselves", s.Name)
	}
	return s, nil
}

// add appends a piece to the blob, if it is not in it.
func (l *layout) add(p piece) error {
	if _, ok := l.at[p]; ok {
		return nil
	}
	s := l.o.file.Sections[p.section]
	if s.Flags&elf.SHF_ALLOC == 0 || s.Flags&elf.SHF_WRITE != 0 && !isRelRO(s) ||
		s.Type != elf.SHT_PROGBITS {
		return fmt.Errorf("refers to section %s, which is not code or constants", s.Name)
	}
	if s.Addralign > blobAlign {
		return fmt.Errorf("section %s is aligned to %d, wanted at most %d", s.Name, s.Addralign,
			blobAlign)
	}
	data, err := s.Data()
	if err != nil {
		return err
	}
	align := int(s.Addralign)
	if s.Flags&elf.SHF_MERGE != 0 {
		align = max(align, int(s.Entsize)) // the section's is that of what happens to be in it
	}
	l.pad(max(align, 1))
	if p.offset+p.size > uint64(len(data)) {
		return fmt.Errorf("refers to what lies outside of section %s", s.Name)
	}
	l.at[p] = uint64(len(l.code))
	l.order = append(l.order, p)
	l.code = append(l.code, data[p.offset:p.offset+p.size]...)
	if p.pool { // where the next function's begin, too
		l.pad(blobAlign)
	}
	return nil
}

// pad fills up to a multiple of align.
func (l *layout) pad(align int) {
	for len(l.code)%align != 0 {
		l.code = append(l.code, 0)
	}
}

// isRelRO reports whether a section holds constants that LLVM thinks need relocations at load
// time; those within a blob are resolved here, others are refused by kind.
func isRelRO(s *elf.Section) bool { return strings.HasPrefix(s.Name, ".data.rel.ro") }

// resolve patches a piece of the function in section fn.
func (l *layout) resolve(fn int, from piece) error {
	table := relocTables[l.o.file.Machine]
	base := l.at[from]
	for _, r := range l.o.relocs[from.section] {
		how, ok := table[r.kind]
		if !ok {
			return fmt.Errorf("relocation kind %d of %v cannot be resolved in a "+
				"position-independent blob", r.kind, l.o.file.Machine)
		}
		to, err := l.o.target(r)
		if err != nil {
			return err
		}
		place := base + r.at
		if place+uint64(how.bytes) > uint64(len(l.code)) {
			return fmt.Errorf("relocation outside its section")
		}
		p, err := l.o.pieceOf(fn, r, to)
		if err != nil {
			return err
		}
		d := int64(l.at[p]+to.Value-p.offset) + r.addend - int64(place)
		if !how.fits(d) {
			return fmt.Errorf("distance %d to %s is too far for relocation kind %d", d, to.Name,
				r.kind)
		}
		how.put(l.code[place:], d)
	}
	return nil
}
