// Package train has what surrounds the step of a training: data sets and
// batches made ahead by other goroutines, a progress line, metrics and curves,
// checkpoints that a run is resumed from to the bit, and a stop by Ctrl-C that
// saves one.
//
// Everything random is a function of a seed and the number of the step, so that
// a checkpoint needs no more than the state and that number.
package train
