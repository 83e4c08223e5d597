#!/bin/sh
# Runs each fuzz target of the module for a time, a minute unless told otherwise:
# two at once, one worker each, so that a machine of two cores is busy and no more.
#
# usage: scripts/fuzz.sh [TIME]
set -eu
time=${1:-60s}
cd "$(dirname "$0")/.."
grep -rl --include='*_test.go' '^func Fuzz' . | while read -r file; do
	sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file" | while read -r target; do
		echo "$(dirname "$file") $target"
	done
done | xargs -P 2 -L 1 sh -c '
	out=$(go test -run "^$" -fuzz "^$2\$" -fuzztime "$0" -fuzzminimizetime 5s -parallel 1 "$1" 2>&1) || {
		echo "$out"
		echo "fuzz $1 $2 failed"
		exit 255
	}
	echo "fuzz $1 $2 $0: $(echo "$out" | grep -o "execs: [0-9]*" | tail -n 1)"
' "$time"
