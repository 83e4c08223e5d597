package ir

// opTable is the one place where an operation is declared.
//
// To add an op: add its constant in op.go and its row here, then run
// go test ./...; the totality tests name the satellite tables (interpreter,
// gradients, lowering) that still lack it. Infer is shape function and op
// verifier in one; its errors carry the label (cN) of the condition in Doc.
//
// Conventions. x, y, z are the arguments in order. Unless Doc says otherwise,
// elementwise operations ask for equal types (c1): broadcasting is explicit.
// Floating-point arithmetic is IEEE 754 with round to nearest even; float16
// and bfloat16 compute in float32 and round after each operation. Integers
// wrap around.
var opTable = [numOps]OpInfo{
	OpInvalid: {Name: "invalid"},

	OpParam: {Name: "param", Attr: attrOf[ParamAttr](), Types: Storable | 1<<String,
		Doc: "An argument of the graph. Its type is declared."},
	OpConst: {Name: "const", Attr: attrOf[ConstAttr](), Types: Storable | 1<<String,
		Infer: inferConst, Doc: "A constant tensor of static shape."},
	OpGet: {Name: "get", Args: 1, Attr: attrOf[IndexAttr](), Infer: inferGet,
		Doc: "Result Index of the tuple x. (c1) x is a tuple that has it."},
	OpDims: {Name: "dims", Attr: attrOf[DimsAttr](), Types: 1 << I64, Infer: inferDims,
		Doc: "The i64 vector of the integer expressions Dims."},
	OpBind: {Name: "bind", Args: 1, Attr: attrOf[BindAttr](), Props: Effect, Types: 1 << I64,
		Infer: inferBind,
		Doc: "x, whose value the symbol Sym stands for from here on. (c1) x is i64[]. A negative " +
			"value is an error at run time."},
	OpCheck: {Name: "check", Attr: attrOf[CheckAttr](), Props: Effect, Infer: inferCheck,
		Doc: "Stops with Msg unless X Rel Y; its result is the empty i64[0]. (c1) Rel is == or <=."},
	OpIf: {Name: "if", Args: variadic, Attr: attrOf[IfAttr](), Props: Region, Infer: inferIf,
		Doc: "Then or Else of the arguments after the condition. (c1) x is bool[]. (c2) parameters " +
			"are the arguments. (c3) results agree but for Syms."},
	OpScan: {Name: "scan", Args: variadic, Attr: attrOf[LoopAttr](), Props: Region, Infer: inferScan,
		Doc: "Body Length times, see LoopAttr. (c1) Body's parameters fit the arguments. (c2) carried " +
			"types stay."},
	OpFuse: {Name: "fuse", Args: variadic, Attr: attrOf[FuseAttr](), Props: Region, Infer: inferFuse,
		Doc: "Body of the arguments, as one kernel. (c1) Body's parameters are the arguments."},

	OpNeg:   unary("neg", Numeric, "-x."),
	OpAbs:   unary("abs", Numeric, "|x|. The smallest signed integer stays."),
	OpSign:  unary("sign", Numeric, "-1, 0 or 1; NaN and zeros of either sign stay."),
	OpCeil:  unary("ceil", Floats, "The least integer >= x."),
	OpFloor: unary("floor", Floats, "The greatest integer <= x."),
	OpTrunc: unary("trunc", Floats, "x rounded towards zero."),
	OpRound: unary("round", Floats, "x rounded to the nearest integer, ties to even."),
	OpSqrt:  unary("sqrt", Floats, "Square root; NaN below zero, -0 of -0."),
	OpExp:   unary("exp", Floats, "e**x."),
	OpExpm1: unary("expm1", Floats, "e**x - 1."),
	OpLog:   unary("log", Floats, "Natural logarithm."),
	OpLog1p: unary("log1p", Floats, "log(1+x)."),
	OpSin:   unary("sin", Floats, "Sine; NaN of infinities."),
	OpCos:   unary("cos", Floats, "Cosine."),
	OpTan:   unary("tan", Floats, "Tangent."),
	OpAsin:  unary("asin", Floats, "Arc sine."),
	OpAcos:  unary("acos", Floats, "Arc cosine."),
	OpAtan:  unary("atan", Floats, "Arc tangent."),
	OpSinh:  unary("sinh", Floats, "Hyperbolic sine."),
	OpCosh:  unary("cosh", Floats, "Hyperbolic cosine."),
	OpTanh:  unary("tanh", Floats, "Hyperbolic tangent."),
	OpAsinh: unary("asinh", Floats, "Inverse hyperbolic sine."),
	OpAcosh: unary("acosh", Floats, "Inverse hyperbolic cosine."),
	OpAtanh: unary("atanh", Floats, "Inverse hyperbolic tangent."),
	OpErf:   unary("erf", Floats, "Error function."),
	OpSigmoid: unary("sigmoid", Floats,
		"1/(1+e**-x)."),
	OpNot: unary("not", BoolInts, "Complement: logical for bool, bitwise for integers."),
	OpIsNaN: {Name: "isnan", Args: 1, Props: Elementwise | Compares, Types: Floats,
		Infer: inferToBool, Doc: "Whether x is NaN."},
	OpIsInf: {Name: "isinf", Args: 1, Props: Elementwise | Compares, Types: Floats,
		Infer: inferToBool, Doc: "Whether x is an infinity."},
	OpPopcount: unary("popcount", Ints, "Number of one bits."),
	OpCast: {Name: "cast", Args: 1, Attr: attrOf[DTypeAttr](), Props: Elementwise, Types: Storable,
		Infer: inferCast,
		Doc: "x converted. To float: nearest even. Float to integer: truncated; NaN is 0 and values " +
			"out of range saturate. Integer to integer: low bits. To bool: x != 0. From bool: 0 or 1."},
	OpBitcast: {Name: "bitcast", Args: 1, Attr: attrOf[DTypeAttr](), Props: Elementwise,
		Types: Storable, Infer: inferBitcast,
		Doc: "The bits of x as another type. (c1) of the same size; bool is only bool."},

	OpBarrier: {Name: "barrier", Args: 1, Attr: attrOf[BarrierAttr](), Props: Elementwise | Views,
		Types: Storable, Infer: inferSame,
		Doc: "x. Behind barriers of different ID equal computations are not taken for one, so that " +
			"they are done again; where Stop is set, x is a constant for gradients."},

	OpAdd: binary("add", Commutes, Numeric, "x+y."),
	OpSub: binary("sub", 0, Numeric, "x-y."),
	OpMul: binary("mul", Commutes, Numeric, "x*y."),
	OpDiv: binary("div", 0, Numeric,
		"x/y; integers truncate towards zero, x/0 is 0, the smallest integer / -1 wraps."),
	OpFloorDiv: binary("floordiv", 0, Numeric,
		"floor(x/y) as NumPy's floor_divide; integers x/0 is 0."),
	OpRem: binary("rem", 0, Numeric,
		"x - y*trunc(x/y), with the sign of x (C's fmod); integers x rem 0 is 0."),
	OpMod: binary("mod", 0, Numeric,
		"x - y*floor(x/y), with the sign of y (Python's %); integers x mod 0 is 0."),
	OpPow: binary("pow", 0, Numeric,
		"x**y as IEEE 754 pow; integers wrap, and a negative power of an integer is 0 but for 1 and "+
			"-1."),
	OpAtan2: binary("atan2", 0, Floats, "The angle of (y, x): atan2(x, y) with x the ordinate."),
	OpMax:   binary("max", 0, Numeric, "The larger; NaN if either is; +0 is above -0."),
	OpMin:   binary("min", 0, Numeric, "The smaller; NaN if either is; -0 is below +0."),
	OpAnd:   binary("and", Commutes, BoolInts, "x and y, bitwise for integers."),
	OpOr:    binary("or", Commutes, BoolInts, "x or y, bitwise for integers."),
	OpXor:   binary("xor", Commutes, BoolInts, "x exclusive-or y, bitwise for integers."),
	OpShl: binary("shl", 0, Ints,
		"x << y; 0 for y outside [0, bits)."),
	OpShr: binary("shr", 0, Ints,
		"x >> y, arithmetic for signed types; y outside [0, bits) gives the sign fill."),
	OpEq: compare("eq", "x == y; false with NaN."),
	OpNe: compare("ne", "x != y; true with NaN."),
	OpLt: compare("lt", "x < y; false with NaN."),
	OpLe: compare("le", "x <= y; false with NaN."),
	OpGt: compare("gt", "x > y; false with NaN."),
	OpGe: compare("ge", "x >= y; false with NaN."),
	OpSelect: {Name: "select", Args: 3, Props: Elementwise, Types: Booleans, Infer: inferSelect,
		Doc: "y where x, a bool, else z. (c1) type(y) == type(z). (c2) equal shapes."},
	OpFMA: {Name: "fma", Args: 3, Props: Elementwise, Types: Floats, Infer: inferSame,
		Doc: "x*y+z, rounded once."},

	OpIota: {Name: "iota", Attr: attrOf[IotaAttr](), Types: Numeric, Infer: inferIota,
		Doc: "Element i along Axis is i, converted to DType. (c1) Axis is in range."},
	OpRandomBits: {Name: "randombits", Args: 2, Attr: attrOf[RandomAttr](), Types: 1 << U64,
		Infer: inferRandom,
		Doc: "u32 bits of Philox4x32-10 (Salmon et al. 2011) with key x and first counter y, both " +
			"u64[]; " +
			"element i is word i%4 of block i/4."},

	OpBroadcast: {Name: "broadcast", Args: 1, Attr: attrOf[BroadcastAttr](), Props: Moves,
		Types: Storable, Infer: inferBroadcast,
		Doc: "x with axes added or stretched. (c1) one increasing target for each axis. (c2) each " +
			"extent is 1 or the target's."},
	OpReshape: {Name: "reshape", Args: 1, Attr: attrOf[ShapeAttr](), Props: Moves | Views,
		Types: Storable,
		Infer: inferReshape,
		Doc: "x in row-major order with another shape. (c1) as many elements; where that is not " +
			"decided, a check at run time stands before."},
	OpTranspose: {Name: "transpose", Args: 1, Attr: attrOf[PermAttr](), Props: Moves,
		Types: Storable, Infer: inferTranspose,
		Doc: "x with its axes permuted. (c1) Perm is a permutation."},
	OpSlice: {Name: "slice", Args: 1, Attr: attrOf[SliceAttr](), Props: Moves, Types: Storable,
		Infer: inferSlice,
		Doc: "Part of x, see SliceAttr. (c1) one entry an axis. (c2) steps are not zero. (c3) " +
			"inside x where that is decided."},
	OpUpdateSlice: {Name: "updateslice", Args: 2, Attr: attrOf[SliceAttr](), Props: Moves,
		Types: Storable, Infer: inferUpdateSlice,
		Doc: "x with y in place of the slice. (c1)-(c3) as slice. (c4) y has the slice's type."},
	OpPad: {Name: "pad", Args: 2, Attr: attrOf[PadAttr](), Props: Moves, Types: Storable,
		Infer: inferPad,
		Doc: "x with Lo and Hi elements of the scalar y around it. (c1) one entry an axis. (c2) y " +
			"is a scalar of x's type."},
	OpConcat: {Name: "concat", Args: variadic, Attr: attrOf[AxisAttr](), Props: Moves,
		Types: Storable, Infer: inferConcat,
		Doc: "The arguments one after the other along Axis. (c1) at least one, of one rank and dtype. " +
			"(c2) other extents agree."},
	OpGather: {Name: "gather", Args: 2, Attr: attrOf[AxisAttr](), Props: Moves, Types: Storable,
		Infer: inferGather,
		Doc: "Slices of x along Axis at the integers y, whose shape takes Axis's place. (c1) Axis is " +
			"in range. (c2) y is i32 or i64. " +
			"An index outside [0, extent) is an error at run time."},
	OpTakeAlong: {Name: "takealong", Args: 2, Attr: attrOf[AxisAttr](), Props: Moves,
		Types: Storable, Infer: inferTakeAlong,
		Doc: "Element p of the result is x at p with coordinate Axis replaced by y[p]. (c1) y is i32 " +
			"or i64 of x's rank. " +
			"The result has y's shape. An index outside the extent is an error at run time."},
	OpGatherND: {Name: "gathernd", Args: 2, Attr: attrOf[BatchAttr](), Props: Moves,
		Types: Storable, Infer: inferGatherND,
		Doc: "ONNX GatherND with Batch shared leading axes. (c1) y is i64 with a static last extent " +
			"that fits."},
	OpScatterAlong: {Name: "scatteralong", Args: 3, Attr: attrOf[ScatterAttr](), Props: Moves,
		Types: Computable, Infer: inferScatterAlong,
		Doc: "x with z[p] put (or combined by Reduce) at p with coordinate Axis replaced by y[p], in " +
			"order of p. " +
			"(c1) y and z have one shape, of x's rank. (c2) dtypes fit."},
	OpScatterND: {Name: "scatternd", Args: 3, Attr: attrOf[ScatterAttr](), Props: Moves,
		Types: Computable, Infer: inferScatterND,
		Doc: "ONNX ScatterND: x with the slices z put (or combined) at the index tuples y. (c1) " +
			"shapes fit. Axis is 0."},
	OpDynamicSlice: {Name: "dynamicslice", Args: 2, Attr: attrOf[ShapeAttr](), Props: Moves,
		Types: Storable, Infer: inferDynamicSlice,
		Doc: "The part of x of shape Shape at the start coordinates y, i64[rank], clamped so that it " +
			"lies inside. (c1) ranks fit."},
	OpDynamicUpdate: {Name: "dynamicupdate", Args: 3, Props: Moves, Types: Storable,
		Infer: inferDynamicUpdate,
		Doc: "x with y in place of the part at the start coordinates z, i64[rank], clamped. (c1) " +
			"ranks and dtypes fit."},
	OpNonZero: {Name: "nonzero", Args: 1, Attr: attrOf[DimsAttr](), Types: Computable,
		Infer: inferNonZero,
		Doc: "i64[rank, Dims[0]]: coordinates of the elements that are not zero, in row-major order, " +
			"as ONNX NonZero. " +
			"Dims[0] is their number: a symbol is bound to it, anything else is checked at run time. " +
			"(c1) Dims is one extent."},

	OpSum: reduction("sum", Numeric,
		"Sum over Axes, in float64 for the interpreter; integers wrap."),
	OpProd: reduction("prod", Numeric, "Product over Axes."),
	OpReduceMax: reduction("reducemax", Computable, "Largest over Axes as max; of nothing -Inf, "+
		"the smallest integer, false."),
	OpReduceMin: reduction("reducemin", Computable, "Smallest over Axes as min; of nothing +Inf, "+
		"the largest integer, true."),
	OpArgMax: {Name: "argmax", Args: 1, Attr: attrOf[AxisAttr](), Props: Reduces, Types: Computable,
		Infer: inferArg, Doc: "i64 coordinate of the first largest along Axis; NaN is largest. (c1) " +
			"Axis is in range."},
	OpArgMin: {Name: "argmin", Args: 1, Attr: attrOf[AxisAttr](), Props: Reduces, Types: Computable,
		Infer: inferArg, Doc: "i64 coordinate of the first smallest along Axis; NaN is smallest. (c1) " +
			"Axis is in range."},
	OpCumSum:  cumulative("cumsum", Numeric, "Running sum along Axis."),
	OpCumProd: cumulative("cumprod", Numeric, "Running product along Axis."),
	OpCumMax: cumulative("cummax", Numeric, "Largest so far along Axis as max; of nothing -Inf or "+
		"the smallest integer."),
	OpCumLogSumExp: cumulative("cumlogsumexp", Floats, "Logarithm of the running sum of e**x along "+
		"Axis, which does not overflow on the way; of nothing -Inf."),
	OpArgSort: {Name: "argsort", Args: 1, Attr: attrOf[SortAttr](), Types: Computable,
		Infer: inferArgSort,
		Doc: "i64 coordinates along Axis that sort x stably, increasing or with Desc decreasing; NaN " +
			"is the largest. " +
			"(c1) Axis is in range."},
	OpWindowSum: {Name: "windowsum", Args: 1, Attr: attrOf[WindowAttr](), Props: Reduces,
		Types: Numeric, Infer: inferWindow, Doc: "Sum of each window. (c1) one entry an axis. (c2) " +
			"sizes, strides, dilations are positive."},
	OpWindowMax: {Name: "windowmax", Args: 1, Attr: attrOf[WindowAttr](), Props: Reduces,
		Types: Numeric, Infer: inferWindow, Doc: "Largest of each window as max; padding counts as " +
			"-Inf or the smallest integer. (c1), (c2) as windowsum."},

	OpDot: {Name: "dot", Args: 2, Attr: attrOf[DotAttr](), Types: Numeric, Infer: inferDot,
		Doc: "General product, see DotAttr. (c1) axes in range, each once. (c2) paired extents agree. " +
			"(c3) one dtype."},
	OpConv: {Name: "conv", Args: 2, Attr: attrOf[ConvAttr](), Types: Numeric, Infer: inferConv,
		Doc: "Cross-correlation of input x with weights y, see ConvAttr. (c1) ranks fit. (c2) " +
			"channels fit. (c3) one dtype."},
}

func unary(name string, types DTypes, doc string) OpInfo {
	return OpInfo{Name: name, Args: 1, Props: Elementwise, Types: types, Infer: inferSame, Doc: doc}
}

func binary(name string, props Props, types DTypes, doc string) OpInfo {
	return OpInfo{Name: name, Args: 2, Props: Elementwise | props, Types: types, Infer: inferSame,
		Doc: doc + " (c1) equal types."}
}

func compare(name, doc string) OpInfo {
	return OpInfo{Name: name, Args: 2, Props: Elementwise | Compares, Types: Computable,
		Infer: inferToBool, Doc: doc + " (c1) equal types."}
}

func reduction(name string, types DTypes, doc string) OpInfo {
	return OpInfo{Name: name, Args: 1, Attr: attrOf[AxesAttr](), Props: Reduces, Types: types,
		Infer: inferReduce, Doc: doc + " (c1) Axes increasing, in range."}
}

func cumulative(name string, types DTypes, doc string) OpInfo {
	return OpInfo{Name: name, Args: 1, Attr: attrOf[CumAttr](), Types: types, Infer: inferCum,
		Doc: doc + " (c1) Axis is in range."}
}
