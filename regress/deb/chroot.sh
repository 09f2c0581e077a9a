# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# Read by deb.sh and bare.sh: small Debian systems in folders below $B/chroot.
#
# The first is made by debootstrap and kept as $B/base.tar for a day; each
# test unpacks one of its own. Packages come from where this machine's come
# from, by its own sources and configuration of apt.

NAME=${0##*/}
NAME=${NAME%.sh}
TOP=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
B=${B:-$TOP/build}
mkdir -p "$B/chroot" "$B/log" && B=$(cd "$B" && pwd) || exit 1
SUITE=$(. /etc/os-release && echo "$VERSION_CODENAME")
DEBOOTSTRAP=
root=
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
# of the make and the runner that started us, and not meant for ours
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CFLAGS LDFLAGS DESTDIR TMPDIR

skip()
{
	echo "skip $NAME - $*"
	exit 0
}

# not_ok TEST REASON [LOG]
not_ok()
{
	[ -z "${3-}" ] || tail -n 25 "$3" | sed 's/^/	/'
	echo "not ok $NAME/$1 - $2"
	exit 1
}

ok()
{
	echo "ok $NAME/$1"
}

clean()
{
	[ -z "$root" ] || rm -rf --one-file-system "$root"
	root=
}
trap clean EXIT
trap 'exit 1' HUP INT TERM

# Mounts and processes of a chroot end with the command.
alone()
{
	unshare -mpu --fork --kill-child --propagation private "$@"
}

# in_root COMMAND...: with the network of this machine, as root.
in_root()
{
	# shellcheck disable=SC2016
	alone sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' \
	    "$root" "$@"
}

# The index may be older than the archive: one more look helps.
get()
{
	set -- apt-get -q -y --no-install-recommends "$@"
	in_root "$@" || { in_root apt-get -q update && in_root "$@"; }
}

# What a test needs beyond packages.
able()
{
	[ "$(id -u)" -eq 0 ] || skip "needs root for a chroot"
	alone true 2>/dev/null || skip "no namespaces here"
	command -v debootstrap >/dev/null || skip "no debootstrap"
	n=$(mktemp -d "$B/chroot/node.XXXXXX") || exit 1
	if mknod "$n/null" c 1 3 2>/dev/null &&
	    : 2>/dev/null >"$n/null"; then
		rm -rf "$n"
	else
		rm -rf "$n"
		skip "no devices can be made here"
	fi
}

# As a machine of its own: its root is a mount point, with devices, so that
# the tests can make namespaces.
in_machine()
{
	# shellcheck disable=SC2016
	alone sh -c 'mount --bind "$0" "$0" && cd "$0" &&
	    mount -t proc proc proc && mount --rbind /sys sys &&
	    mount --rbind /dev dev && mkdir -p .old && pivot_root . .old &&
	    cd / && umount -l /.old && exec "$@"' "$root" "$@"
}

# mirror SUITE: the archive that this machine uses itself for its release.
mirror()
{
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' \
	    "Codename: $1" 'Component: main' 2>/dev/null | head -n 1
}

# configure_apt ROOT HOST: as this machine, whose release is HOST.
configure_apt()
{
	rm -f "$1/etc/apt/sources.list"
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources \
	    /etc/apt/apt.conf /etc/apt/apt.conf.d/99* \
	    /etc/apt/apt.conf.d/*proxy* /etc/resolv.conf /etc/hosts \
	    /etc/ssl/certs/ca-certificates.crt; do
		[ ! -s "$f" ] || { mkdir -p "$1${f%/*}" &&
		    cp -L "$f" "$1$f"; } || return 1
	done
	for f in "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*; do
		[ ! -e "$f" ] || sed -i "s/\\b$2\\b/$SUITE/g" "$f"
	done
	# as fast as can be, on a disk that need not survive
	echo force-unsafe-io >"$1/etc/dpkg/dpkg.cfg.d/test"
	# no service starts by itself
	printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
	chmod 755 "$1/usr/sbin/policy-rc.d"
}

# make_system ROOT HOST: a small Debian of release $SUITE; DEBOOTSTRAP has
# more options.
make_system()
{
	# shellcheck disable=SC2046,SC2086
	alone debootstrap --variant=minbase $DEBOOTSTRAP $SUITE "$1" \
	    $(mirror "$2") &&
	    configure_apt "$1" "$2" && in_root apt-get -q update
}

# $B/base.tar, made by whoever comes first.
make_base()
{
	[ -z "$(find "$B/base.tar" -mtime -1 2>/dev/null)" ] || return 0
	dir=$B/chroot/base
	rm -rf --one-file-system "$dir"
	root=$dir
	make_system "$dir" $SUITE >"$B/log/debootstrap" 2>&1 &&
	    tar -C "$dir" -cf "$B/base.tar.new" . &&
	    mv "$B/base.tar.new" "$B/base.tar" || return 1
	clean
}

# Unpacks it: $root.
new_root()
{
	exec 9>"$B/base.lock"
	flock 9
	make_base ||
	    not_ok debootstrap "no system was made" "$B/log/debootstrap"
	exec 9>&-
	root=$B/chroot/$NAME
	rm -rf --one-file-system "$root"
	mkdir "$root" && tar -C "$root" -xf "$B/base.tar" ||
	    not_ok debootstrap "cannot unpack $B/base.tar"
}
