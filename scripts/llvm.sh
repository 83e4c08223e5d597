#!/bin/sh
# Installs LLVM (opt, llc) where none in the supported range is found: tcc needs it to compile models, what it
# compiles does not need it.
set -eu
for dir in "${TCC_LLVM:-}" /usr/lib/llvm-*/bin /opt/homebrew/opt/llvm*/bin /usr/local/opt/llvm*/bin; do
	[ -n "$dir" ] && [ -x "$dir/opt" ] && [ -x "$dir/llc" ] || continue
	major=$("$dir/opt" --version | sed -n 's/.*LLVM version \([0-9]*\).*/\1/p')
	[ "${major:-0}" -ge 19 ] && exit 0
done
if command -v apt-get >/dev/null; then
	sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
	echo "installing llvm-19" >&2
	$sudo apt-get update -qq
	$sudo apt-get install -y -qq --no-install-recommends llvm-19 >/dev/null
elif command -v brew >/dev/null; then
	brew install llvm
else
	echo "LLVM 19 or newer is missing: install its opt and llc, or set TCC_LLVM to their folder" >&2
	exit 1
fi
