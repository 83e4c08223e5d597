#!/bin/sh
# Makes executables and Go packages of real models and tests them as their users
# would: without LLVM on PATH, without cgo, with the race detector, cross-built,
# and under qemu-user (apt-get install qemu-user) for arm64 and riscv64.
#
# usage: scripts/packages.sh [MODELS [NAME…]]
#
# MODELS has NAME/model.onnx with test data; it is ../shared/corpora/models if
# left out. Figures go to standard output; the first failure ends the script.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
models=${1:-$root/../shared/corpora/models}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- silero-vad-v5 ocr-rec-v4 yolox-nano
[ -d "$models" ] || { echo "packages.sh: no models in $models" >&2; exit 2; }
models=$(cd "$models" && pwd)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/mod"
(cd "$root" && go build -o "$work/tcc" ./cmd/tcc)

# The users' PATH: Go alone.
ln -s "$(command -v go)" "$work/bin/go"
users_go() { env -u TCC_LLVM PATH="$work/bin" CGO_ENABLED=0 "$@"; }

say() { printf '%-16s %s\n' "$name" "$*"; }
# quietly runs a command and shows what it printed only when it fails.
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }; }
size() { wc -c <"$1" | tr -d ' '; }

cd "$work/mod"
go mod init example.com/packages 2>/dev/null
sys=$(sed -n 's/.*SysVersion = "\(.*\)"/\1/p' "$root/codegen/gopkg/module.go")
go get "golang.org/x/sys@$sys" 2>/dev/null

for name; do
	model=$models/$name/model.onnx
	pkg=$(echo "$name" | tr -d -)
	"$work/tcc" gen -model "$model" -pkg "$pkg" -o "$pkg" 2>/dev/null
	cp -r "$pkg" "$work/first"
	"$work/tcc" gen -model "$model" -pkg "$pkg" -o "$pkg" 2>/dev/null
	diff -r "$work/first" "$pkg"
	say "package: two generations are equal"
	rm -rf "$work/first"

	users_go go vet "./$pkg/..."
	quietly users_go go test "./$pkg"
	say "package: tests pass without cgo and LLVM"
	quietly users_go go test -run xxx -bench . "./$pkg"
	grep ^Benchmark "$work/log" | while read -r line; do say "package: $line"; done
	if command -v cc >/dev/null; then
		quietly env CGO_ENABLED=1 go test -race "./$pkg"
		say "package: tests pass with the race detector"
	else
		say "package: race detector not tried: no C compiler"
	fi
	for t in linux/arm64 windows/amd64 darwin/arm64 linux/riscv64; do
		users_go GOOS=${t%/*} GOARCH=${t#*/} go test -c -o "$work/cross" "./$pkg"
		users_go GOOS=${t%/*} GOARCH=${t#*/} go vet "./$pkg"
		say "package: builds for $t"
	done
	for arch in arm64 riscv64; do
		qemu=$(command -v qemu-$(echo $arch | sed s/arm64/aarch64/) || true)
		if [ -z "$qemu" ]; then
			say "package: $arch not run: no qemu-user"
		elif [ $arch = arm64 ] || [ "$name" = silero-vad-v5 ]; then
			quietly users_go GOARCH=$arch go test -timeout 60m -exec "$qemu" "./$pkg"
			say "package: tests pass on $arch (qemu-user)"
		fi
	done

	"$work/tcc" build "$model" -o "$work/exe"
	"$work/tcc" build "$model" -o "$work/exe2"
	cmp "$work/exe" "$work/exe2"
	say "executable: two builds are equal"
	ldd "$work/exe" 2>&1 | grep -q "not a dynamic executable"
	say "executable: static, $(size "$work/exe") bytes"
	"$work/exe" -describe >/dev/null
	say "executable: runs"
	for t in linux/arm64 windows/amd64 darwin/arm64 linux/riscv64; do
		GOOS=${t%/*} GOARCH=${t#*/} "$work/tcc" build "$model" -o "$work/exe-$pkg"
		say "executable: $t, $(size "$work/exe-$pkg") bytes"
	done
done
