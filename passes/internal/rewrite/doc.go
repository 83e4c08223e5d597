// Package rewrite interprets rewrite rules written as text. It is used by the
// rule passes of package passes, which embed a .rules file each.
//
// A rule is a line; a line that begins with white space continues it, and '#'
// starts a comment:
//
//	name class: pattern => replacement if condition, condition
//
//	mul-one   exact: (mul x 1) => x
//	transpose-twice exact: (transpose @p (transpose @q x)) => (transpose @[perm q p] x)
//
// A pattern is a variable, which matches any value and the same value wherever
// it is repeated; a number, which matches a constant all of whose elements are
// that number, through broadcasts (0 does not match -0); or an operation with
// its arguments, where @p names the attribute. The arguments of an operation
// that commutes match in either order.
//
// A replacement is a variable, a number, an operation, or [f x …], which calls
// the named function that makes a value. The attribute of an operation is @p,
// the one that was matched, or @[f x …], which calls the named function that
// makes an attribute. A number has the type of the value that is replaced or,
// as an argument, that of the argument beside it.
//
// Conditions are named predicates on variables, attributes and numbers.
//
// The class says for which floats a rule holds:
//
//	exact  the same bits for every input, NaN and -0 included
//	ulp    as accurate as the operation promises, not the same bits
//	real   true of real numbers; applied only where that is asked for
package rewrite
