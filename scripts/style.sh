#!/bin/sh
# Lists Go files over 600 lines, functions over 60 lines and lines over 100
# characters: sizes to look at, not a gate.
set -eu
cd "$(dirname "$0")/.."
git ls-files -z '*.go' | xargs -0 -n 1 awk '
	length($0) > 100 { long++ }
	/^func .*[{(]$/ { name = $0; start = FNR }
	/^}/ && start { if (FNR - start + 1 > 60) print FILENAME ":" start ": " FNR - start + 1 " lines: " name; start = 0 }
	END {
		if (FNR > 600) print FILENAME ": " FNR " lines"
		if (long) print FILENAME ": " long " lines over 100 characters"
	}'
