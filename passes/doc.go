// Package passes turns a tensor graph into one that code generation takes:
// [Run] applies the rows of the pass table (pipeline.go) in order. It stands
// between the front ends, which make graphs, and codegen, which compiles the
// regions that the fuse pass forms.
//
// A pass is a function from graph to graph in a file of its name. It runs on
// the bodies of ifs and scans first, then on the graph around them, and keeps
// no state between calls: what it needs beside the graph is in the [Context].
//
// [PlanMemory] is the last step: it is no pass, as its result is a table
// beside the graph.
package passes
