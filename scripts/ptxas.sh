#!/usr/bin/env bash
# Prints the path of ptxas, NVIDIA's PTX assembler, with which the tests of
# codegen/ptx assemble what it writes: the one that $PTXAS names or that is on
# the PATH, else one from Debian's package, which is fetched once, checked, and
# unpacked into a cache folder without installing it. Use:
#   PTXAS=$(scripts/ptxas.sh) go test ./codegen/ptx
set -euo pipefail

version=12.4.131~12.4.1-2
sum=cd5fe85aee38d108b315f408a688641478f2402622a10c677478eb7a6c4e5319

if [ -n "${PTXAS:-}" ]; then
	echo "$PTXAS"
	exit
fi
if command -v ptxas; then
	exit
fi

cache=${XDG_CACHE_HOME:-$HOME/.cache}/tcc/ptxas
ptxas=$cache/$version/usr/bin/ptxas
if [ -x "$ptxas" ]; then
	echo "$ptxas"
	exit
fi

fail() { echo "ptxas.sh: $*" >&2; exit 1; }
for tool in apt-get dpkg-deb sha256sum; do
	command -v $tool >/dev/null ||
		fail "$tool is missing: install the CUDA toolkit and set PTXAS to its ptxas"
done
[ "$(dpkg --print-architecture)" = amd64 ] || fail "there is a package for amd64 only"

# The mirror that the system's sources name; its lists and cache stay as they are.
mirror=$(sed -nE 's/^(URIs:|deb)[[:space:]]+(\[[^]]*\] )?([a-z+]+:\/\/[^[:space:]]*\/debian)\/?([[:space:]].*)?$/\3/p' \
	/etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -1 || true)
[ -n "$mirror" ] || fail "the system's package sources name no Debian mirror"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/lists/partial" "$tmp/archives/partial" "$tmp/parts"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie non-free" >"$tmp/sources.list"
cat >"$tmp/apt.conf" <<CONF
Dir::Etc::SourceList "$tmp/sources.list";
Dir::Etc::SourceParts "$tmp/parts";
Dir::State::Lists "$tmp/lists";
Dir::Cache "$tmp";
APT::Sandbox::User "root";
CONF
export APT_CONFIG=$tmp/apt.conf
(
	cd "$tmp"
	apt-get -q update
	apt-get -q download "nvidia-cuda-toolkit=$version"
) >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; fail "cannot fetch nvidia-cuda-toolkit $version"; }
deb=$(ls "$tmp"/*.deb)
echo "$sum  $deb" | sha256sum --check --quiet >&2 || fail "the package is not the one expected"
dpkg-deb -x "$deb" "$tmp/root"
[ -x "$tmp/root/usr/bin/ptxas" ] || fail "the package has no usr/bin/ptxas"
mkdir -p "$cache/$version/usr/bin"
cp "$tmp/root/usr/bin/ptxas" "$ptxas.tmp"
mv "$ptxas.tmp" "$ptxas"
echo "$ptxas"
