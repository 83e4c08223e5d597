#!/bin/sh
# Lists Go files over 600 lines, functions over 60 lines and lines over 100
# columns: sizes to look at, not a gate. Generated files do not count, nor
# sources under testdata, whose comments say what is wanted of their line.
set -eu
cd "$(dirname "$0")/.."
git ls-files -z '*.go' ':!*/testdata/*' | xargs -0 -n 1 awk '
	/^\/\/ Code generated .* DO NOT EDIT\.$/ { generated = 1; exit }
	length($0) > 100 { print FILENAME ":" FNR ": " length($0) " columns" }
	/^func / && !/}$/ { name = $0; start = FNR }
	/^}/ && start {
		n = FNR - start + 1
		if (n > 60) print FILENAME ":" start ": " n " lines: " name
		start = 0
	}
	END { if (!generated && FNR > 600) print FILENAME ": " FNR " lines" }'
