#!/bin/sh
# Kernels that are bound by memory, as shares of the bandwidth of a copy in the
# same run, and elementary functions beside Go's: at each level of this machine
# that has vectors of its own, on one thread and on two.
#
#	bench/memory.sh [PATTERN]    e.g. bench/memory.sh 'Traffic/x86-64-v4/softmax'
set -eu
cd "$(dirname "$0")/.."
exec go test -run '^$' -bench "${1:-Traffic|Elementary}" -benchtime 0.3s ./codegen
