package passes

// pipeline is the order in which Run applies the passes. It is the only place
// where that order is written.
//
// To add a pass: write it in a file of its name, add its row here with what
// must have run before, and put goldens into testdata/passes/NAME.
var pipeline = []Pass{
	{Name: "dce", Run: dce,
		Doc: "Drop values that no result needs; first, so that nothing is folded in vain."},
	{Name: "functionalize", Run: functionalize, After: []string{"dce"},
		Doc: "Join writes through views to one update and let reads see through them; " +
			"before the rules, which see slices alone."},
	{Name: "expand", Run: expand, After: []string{"functionalize"}, Required: true,
		Doc: "Replace operations without a kernel by others; " +
			"before fold, which computes the parts of constants."},
	{Name: "turn", Run: turnOperands, After: []string{"expand"},
		Doc: "Let products sum over the other axis of a constant that is transposed for them; " +
			"before fold, which would write it out transposed, and panels from that."},
	{Name: "fold", Run: foldConstants, After: []string{"turn"},
		Doc: "Compute what is constant, resolve ifs, unroll short scans; " +
			"before the rules, which match constants."},
	{Name: "sinkconst", Run: sinkConst, After: []string{"fold"},
		Doc: "Put constants into the bodies that use them; " +
			"after fold, which makes them, and before the rules, which match them."},
	{Name: "canon", Run: canon, After: []string{"sinkconst"},
		Doc: "Apply canon.rules, folding what becomes constant, until nothing changes."},
	{Name: "layout", Run: layout, After: []string{"canon"},
		Doc: "Compute convolutions with the channels last; after canon, which has merged their pads."},
	{Name: "late canon", Run: canon, After: []string{"layout"},
		Doc: "Cancel the transposes that layout made and permute weights."},
	{Name: "foldscale", Run: foldScale, After: []string{"late canon"},
		Doc: "Multiply weights by the scale of their channels; " +
			"after late canon, which made the weights constants."},
	{Name: "phases", Run: phases, After: []string{"foldscale"},
		Doc: "Make transposed convolutions plain ones, a channel for each phase; " +
			"after foldscale, which sees their scales."},
	{Name: "last canon", Run: canon, After: []string{"phases"},
		Doc: "Move the interleaving of phases behind the elementwise operations that end the kernel."},
	{Name: "panels", Run: panels, After: []string{"last canon"},
		Doc: "Store constant right operands of products as panels; " +
			"after the last folding, which would unpack them."},
	{Name: "late dce", Run: dce, After: []string{"panels"},
		Doc: "Drop what the rewrites left behind, before regions are formed around it."},
	{Name: "recompute", Run: recompute, After: []string{"late dce"},
		Doc: "Compute again, in later stages, what is elementwise of stored values; " +
			"after the last rules, which would see through barriers, " +
			"and before fuse, which decides what is stored."},
	{Name: "fuse", Run: fuse, After: []string{"recompute"}, Required: true, Makes: Fused,
		Doc: "Partition the graph into regions of one kernel each; late, as it hides the operations."},
	{Name: "attend", Run: attend, After: []string{"fuse"},
		Doc: "Join a product, a softmax of its rows and a product with these to one region; " +
			"after fuse, which has put the elementwise operations between them into one of the three."},
	{Name: "chains", Run: chains, After: []string{"fuse"},
		Doc: "Join a depthwise convolution and the pointwise one that reads it to one region; " +
			"after fuse, which has put what is elementwise behind each into its region."},
	{Name: "order", Run: order, After: []string{"attend", "chains"},
		Doc: "Compute regions earlier where that frees memory; last, as it changes nothing else."},
}
