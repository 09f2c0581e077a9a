#!/bin/sh
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# Installs, with apt-get on Debian 12 or 13, what is missing.
#
#	regress/deps.sh build		what make needs
#	regress/deps.sh demo		what make run needs beside
#	regress/deps.sh check		all that, and what the tests need
#	regress/deps.sh vm-ARCH		what make vm needs; ARCH: amd64, arm64
#	regress/deps.sh list KIND	only prints the packages of the kind
#	regress/deps.sh sendmail DIR	unpacks Sendmail below DIR (it cannot be
#					installed beside Postfix)
# No service is started by an installation. Needs root if anything is missing.

set -u

BUILD="make gcc libc6-dev pkg-config libmilter-dev libspf2-dev libseccomp-dev
libcap-ng-dev libbsd-dev libunbound-dev libevent-dev libidn2-dev"
DEMO="python3"
CHECK="mandoc clang-format pyflakes3 python3-authres python3-yaml python3-dns
python3-spf python3-spf-engine pyspf-milter postfix-policyd-spf-python postfix
opendmarc swaks miltertest nsd unbound clang libclang-rt-dev iproute2 procps
psmisc util-linux strace systemd mksh binutils libcap2-bin spamassassin haproxy
opendkim opendkim-tools python3-dkim git debhelper dh-apparmor apparmor
dpkg-dev fakeroot build-essential lintian debootstrap crun umoci uidmap
golang-github-containers-common"
VM="git dpkg-dev debootstrap e2fsprogs python3"
# to build for arm64 and to run that on another machine
CROSS="gcc-aarch64-linux-gnu qemu-user"
[ "$(dpkg --print-architecture 2>/dev/null)" = arm64 ] || CHECK="$CHECK $CROSS"
SENDMAIL="sendmail-bin sendmail-base sendmail-cf m4 libsasl2-modules"

export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
made_policy=

say()
{
	echo "deps.sh: $*"
}

die()
{
	echo "deps.sh: $*" >&2
	exit 1
}

clean()
{
	if [ -n "$made_policy" ]; then
		rm -f "$policy"
		made_policy=
	fi
}
trap clean EXIT
trap 'exit 1' HUP INT TERM

# Prints those of the arguments that are not installed.
missing()
{
	for p do
		s=$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)
		[ "$s" = installed ] || printf '%s ' "$p"
	done
}

# The index may be older than the archive, or absent: one more look helps.
update()
{
	[ -n "${updated-}" ] && return 0
	say "apt-get update"
	apt-get -q -q update || return 1
	updated=1
}

install()
{
	want=$(missing "$@")
	if [ -z "$want" ]; then
		say "nothing is missing"
		return 0
	fi
	[ "$(id -u)" -eq 0 ] || die "needs root to install: $want"
	command -v apt-get >/dev/null || die "no apt-get here; missing: $want"
	say "installs: $want"
	if [ ! -e "$policy" ]; then
		# Debian's way to say that no service is to be started.
		printf '#!/bin/sh\nexit 101\n' >"$policy" &&
		    chmod 755 "$policy" && made_policy=1
	fi
	case " $want" in
	*" postfix "*)
		if command -v debconf-set-selections >/dev/null; then
			echo "postfix postfix/main_mailer_type select" \
			    "No configuration" | debconf-set-selections
		fi
		;;
	esac
	# shellcheck disable=SC2086
	set -- -q -q -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold \
	    -o Acquire::Retries=3 install --no-install-recommends $want
	if ! apt-get "$@" >"$log" 2>&1; then
		update || die "apt-get update failed"
		if ! apt-get "$@" >"$log" 2>&1; then
			tail -n 20 "$log" >&2
			die "apt-get install failed"
		fi
	fi
	want=$(missing $want)
	[ -z "$want" ] || die "still missing: $want"
	clean
}

sendmail()
{
	dir=$1
	if [ -x "$dir/usr/libexec/sendmail/sendmail" ] ||
	    [ -x "$dir/usr/lib/sm.bin/sendmail" ]; then
		say "Sendmail is in $dir"
		return 0
	fi
	mkdir -p "$dir/deb/partial" || die "cannot make $dir"
	dir=$(cd "$dir" && pwd)
	# All that an installation would add, libraries included. Nothing is
	# installed: Postfix stays.
	set -- -q -q -y -d -o Dir::Cache::archives="$dir/deb" \
	    -o APT::Sandbox::User=root -o Acquire::Retries=3 \
	    install --no-install-recommends $SENDMAIL
	apt-get "$@" >"$log" 2>&1 ||
	    { update && apt-get "$@" >"$log" 2>&1; } ||
	    die "cannot download Sendmail: $(tail -n 3 "$log")"
	# those that are installed here are not among them
	for p in $SENDMAIL; do
		ls "$dir/deb/$p"_*.deb >/dev/null 2>&1 ||
		    (cd "$dir/deb" && apt-get -q -q \
		    -o APT::Sandbox::User=root download "$p") ||
		    die "cannot download $p"
	done
	for f in "$dir"/deb/*.deb; do
		dpkg -x "$f" "$dir" || die "cannot unpack $f"
	done
	say "Sendmail unpacked in $dir"
}

log=$(mktemp) || exit 1
packages()
{
	case $1 in
	build) echo $BUILD ;;
	demo) echo $DEMO ;;
	check) echo $BUILD $DEMO $CHECK ;;
	vm-amd64) echo $VM qemu-system-x86 ;;
	vm-arm64) echo $VM qemu-system-arm qemu-user-static ;;
	sendmail) echo $SENDMAIL ;;
	*) return 1 ;;
	esac
}

case ${1-} in
list)
	packages "${2-}" || die "list what? see $0"
	;;
sendmail)
	[ $# -eq 2 ] || die "sendmail wants a folder"
	sendmail "$2"
	;;
build | demo | check | vm-*)
	all=
	for kind do
		p=$(packages "$kind") || die "what is $kind?"
		all="$all $p"
	done
	install $all
	;;
*)
	sed -n '5,11s/^#//p' "$0" >&2
	rm -f "$log"
	exit 64
	;;
esac
status=$?
rm -f "$log"
exit $status
