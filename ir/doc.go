// Package ir holds tensor graphs: what every front end produces, every pass
// rewrites and every back end compiles. It imports nothing of tcc; package
// ir/interp says what the operations mean.
//
// # Graphs
//
// A [Graph] is a function of tensors. Its [Value]s stand in an order in which
// arguments come before their users; each is the result of an operation
// ([Op]) with arguments, an attribute ([Attr]) and a [Type]. Values do not
// change: a pass builds a new graph ([Graph.Rewrite]). [Graph.New] infers the
// type, refuses what is ill-typed, and returns the same pointer for equal
// operations on equal arguments, so that common subexpressions never arise.
//
// # Glossary
//
//	op table   opTable: one row an operation, its type rule and its meaning
//	dim        an integer expression over symbols, in canonical form: [Dim]
//	symbol     a named extent. A parameter with that extent binds it, or a
//	           bind, nonzero or if does, from a value at run time
//	region     a graph inside of an operation (if, scan, fuse). It is closed:
//	           values come in as parameters; symbols are seen through
//	effect     an operation that may stop the program or binds a symbol; it
//	           stays even if its result is not used
//	move       an operation that copies elements and never looks at them
//	splat      a constant of one element that fills the shape
//	tuple      the type of an operation with several results; get takes one
//
// Conditions of type rules are labelled c1, c2, ... in the op table and in
// errors (c0: what holds for every operation); the invariants of graphs are
// g1, g2, ..., see [Verify].
//
// # Text form
//
// [Print] writes a graph, [Parse] reads it back; the file extension is .tir.
//
//	graph   = "graph" NAME { value } "return" { [ NAME "=" ] VALUE }
//	value   = VALUE "=" OP [ "<" type ">" ] { VALUE } [ attr ] [ "#" pos ]
//	          { FIELD graph }
//	type    = DTYPE shape | "(" type { "," type } ")"
//	shape   = "[" [ dim { "," dim } ] "]"
//	attr    = "{" field { field } "}"
//	field   = [ FIELD "=" ] ( WORD | STRING | NUMBER | dim | list | data )
//	list    = "[" { item [ "," ] } "]"
//	data    = element | "[" { element } "]" | "b64:" BASE64
//	pos     = [ FILE [ ":" LINE ] ] [ "@" NODE ]
//
// One value or graph is on one line; the lines of a region follow those of its
// operation, each region headed by the name of its field. Blanks at the start
// of lines, empty lines and lines that start with # do not count. A field that
// is zero is left out; the name of an attribute's only field too. Elements
// are numbers, true, false, nan, inf; a NaN with other bits than the usual
// ones is nan:0x7fc00001. Words with other characters than letters, digits and
// ._-+:/$ are quoted as in Go. The type may be left out where it follows from
// the operation, which is all but param and const. Dims are written with
// + - * / (floor) %, min(a,b) and max(a,b).
//
// # Example
//
// Half of the rows of x, scaled, then summed; N is any extent:
//
//	graph example
//		v0 = param <f32[N,4]> {x}                    # model.tir:2
//		v1 = slice <f32[((N+1)/2),4]> v0 {start=[0,0] step=[2 1] shape=[((N+1)/2),4]}
//		v2 = const <f32[]> {0.5}                     # @Mul_3
//		v3 = broadcast <f32[((N+1)/2),4]> v2 {shape=[((N+1)/2),4]}
//		v4 = mul <f32[((N+1)/2),4]> v1 v3
//		v5 = sum <f32[4]> v4 {[0]}
//		return total=v5
package ir
