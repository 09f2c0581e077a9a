#!/bin/sh
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# Builds for arm64 with the cross compiler and -Werror, and runs unit tests,
# suites and fuzz corpora by QEMU's user emulation. Debian's libraries of
# arm64, of this machine's release, are downloaded and unpacked below
# $B/chroot/arm64 and kept; nothing is installed, and nothing needs root.
. "$(dirname "$0")/../deb/chroot.sh"

DIR=$B/chroot/arm64
ROOT=$DIR/root
BUILD=$DIR/build
log=$B/log/arm64.out
# libstdc++ is for libFuzzer.
PACKAGES="$(sh "$TOP/regress/deps.sh" list build | tr ' ' '\n' |
    grep '^lib.*-dev$') libclang-rt-dev libstdc++-$(gcc -dumpversion)-dev"
# A test that the emulator cannot pass, and why.
LEAKS='msg/chan/no-descriptor-leaks'
LEAKS_WHY='QEMU leaks descriptors that a control message has no room for'

# arm64_apt COMMAND...: on lists and a status of its own, where nothing is
# installed; with this machine's sources.
arm64_apt()
{
	apt-get -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
	    -o Dir::State="$DIR/apt" -o Dir::State::status="$DIR/status" \
	    -o Dir::Cache="$DIR/apt" -o APT::Sandbox::User="$(id -un)" \
	    -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

make_root()
{
	rm -rf "$DIR"
	mkdir -p "$DIR/apt/lists/partial" "$DIR/apt/archives/partial" \
	    "$ROOT" && : >"$DIR/status" && arm64_apt update || return 1
	# shellcheck disable=SC2086
	arm64_apt -y -d --no-install-recommends install $PACKAGES || return 1
	for f in "$DIR"/apt/archives/*.deb; do
		dpkg-deb -x "$f" "$ROOT" || return 1
	done
	# base-files, which nothing here needs, has this link from Debian 13 on
	[ -e "$ROOT/lib" ] || ln -s usr/lib "$ROOT/lib" || return 1
	# the linker would follow them to this machine's libraries
	find "$ROOT" -type l -lname '/*' -printf '%p %l\n' |
	    while read -r link to; do
		ln -sfn "$ROOT$to" "$link" || return 1
	done || return 1
	rm -rf "$DIR/apt"
	echo "$PACKAGES" >"$DIR/made"
}

build()
{
	clang=$(clang -print-resource-dir)
	PKG_CONFIG_SYSROOT_DIR=$ROOT PKG_CONFIG_LIBDIR=$(printf '%s:%s' \
	    "$ROOT/usr/lib/aarch64-linux-gnu/pkgconfig" \
	    "$ROOT/usr/share/pkgconfig") \
	    make -C "$TOP" -j2 B="$BUILD" CI=true AR=aarch64-linux-gnu-ar \
	    CC="aarch64-linux-gnu-gcc --sysroot=$ROOT" \
	    FUZZ_CC="clang --target=aarch64-linux-gnu --sysroot=$ROOT \
	    -resource-dir=$ROOT$clang -isystem $clang/include" \
	    all units suites fuzz-build
}

# What the loader and the libraries call until a child has a filter of its own
# is what the parent's filter must allow. The child finds no parent and ends.
loader()
{
	$RUN "$BUILD/system/calltable" parent | sort -u >"$DIR/allowed"
	$RUN -strace "$BUILD/pyspf-milter" -x dns </dev/null 2>&1 |
	    sed -nE 's/^[0-9]+ ([a-z0-9_]+)\(.*/\1/p' | sort -u >"$DIR/called"
	grep -q '^openat$' "$DIR/called" ||
	    not_ok loader "QEMU showed no calls" "$DIR/called"
	denied=$(comm -13 "$DIR/allowed" "$DIR/called" | tr '\n' ' ')
	if [ -z "$denied" ]; then
		ok loader
	else
		echo "not ok $NAME/loader - the parent's filter denies: $denied"
	fi
}

[ "$(dpkg --print-architecture)" != arm64 ] ||
    skip "this machine is one: the other rows test it"
for p in qemu-aarch64 aarch64-linux-gnu-gcc clang apt-get; do
	command -v "$p" >/dev/null || skip "no $p"
done
exec 9>"$B/arm64.lock"
flock 9
[ "$(cat "$DIR/made" 2>/dev/null)" = "$PACKAGES" ] ||
    make_root >"$log" 2>&1 ||
    not_ok libraries "they cannot be had" "$log"
build >"$log" 2>&1 || not_ok build "make failed" "$log"
ok build

export RUN="qemu-aarch64 -L $ROOT"
# LeakSanitizer would trace the process
export ASAN_OPTIONS=detect_leaks=0
{
	sh "$TOP/regress/lib/each.sh" "$BUILD/unit"
	sh "$TOP/regress/suite/engine.sh" "$BUILD"
	sh "$TOP/regress/lib/replay.sh" "$BUILD"
} >"$log" 2>&1
{
	sed -E -e "s,^not ok ($LEAKS) .*,skip \\1 - $LEAKS_WHY," \
	    -e "s,^(ok|not ok|skip) ,&$NAME/," "$log"
	loader
	echo "skip $NAME/sandbox - QEMU's user emulation has neither seccomp" \
	    "nor Landlock; see \"make vm ARCH=arm64\""
} | tee "$DIR/results"
! grep -q '^not ok ' "$DIR/results"
