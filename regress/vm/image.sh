#!/bin/sh
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# usage: regress/vm/image.sh SUITE
#
# Makes a machine of Debian SUITE (bookworm, trixie) in $B/vm/SUITE-ARCH: disk
# (ext4, no partitions), vmlinuz and initrd. ARCH is Debian's name of an
# architecture, by default this machine's; programs of another are run by QEMU's
# user emulation while the machine is made.
#
# The system in the folder "root" is made once and kept. Each call copies the
# tree into it as /src, builds the programs in /src/build and the packages in
# /debs, and writes a new disk. In /debs/original are Debian's packages of
# spf-engine.
. "$(dirname "$0")/../deb/chroot.sh"

SUITE=${1:?usage: image.sh SUITE}
ARCH=${ARCH:-$(dpkg --print-architecture)}
# shellcheck disable=SC2034 # read by make_system
DEBOOTSTRAP="--arch=$ARCH"
NAME=image/$SUITE-$ARCH
DISK_SIZE=${DISK_SIZE:-6G}
host=$(. /etc/os-release && echo "$VERSION_CODENAME")
vm=$B/vm/$SUITE-$ARCH
log=$B/log/image-$SUITE-$ARCH.out

MACHINE="systemd-sysv dbus udev kmod procps iproute2 initramfs-tools
linux-image-$ARCH apparmor postfix adduser python3 python3-yaml
python3-spf"
PACKAGING="dpkg-dev build-essential fakeroot debhelper dh-apparmor"
ORIGINAL="pyspf-milter postfix-policyd-spf-python"

WANTED="$MACHINE $PACKAGING $(sh "$TOP/regress/deps.sh" list build) \
$(sh "$TOP/regress/deps.sh" list demo)"

# packages: installs all that the machine will need; it has no network.
packages()
{
	mkdir -p "$root/etc/initramfs-tools/conf.d" "$root/debs/original"
	# only what this machine has: a small initrd starts soon
	echo MODULES=list >"$root/etc/initramfs-tools/conf.d/vm"
	printf '%s\n' virtio_pci virtio_blk ext4 \
	    >"$root/etc/initramfs-tools/modules"
	echo "postfix postfix/main_mailer_type select Local only" |
	    in_root debconf-set-selections || return 1
	# shellcheck disable=SC2086
	get install $WANTED || return 1
	# Their dependencies are installed, they themselves are not.
	# shellcheck disable=SC2086
	get install $ORIGINAL &&
	    in_root sh -c "cd /debs/original && apt-get -q \
	        -o APT::Sandbox::User=root download $ORIGINAL" &&
	    in_root apt-get -q -y purge $ORIGINAL &&
	    in_root apt-get -q clean
}

# foreign: lets this kernel run programs of arm64. An installation of
# qemu-user-static has done so, but where systemd is not running.
foreign()
{
	f=/proc/sys/fs/binfmt_misc
	[ -e $f/register ] || mount -t binfmt_misc none $f || return 1
	[ -e $f/qemu-aarch64 ] ||
	    cat /usr/lib/binfmt.d/qemu-aarch64.conf >$f/register
}

# no_services yes|no: whether policy-rc.d keeps services from starting
no_services()
{
	rm -f "$root/usr/sbin/policy-rc.d"
	[ "$1" = no ] || {
		printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
		chmod 755 "$root/usr/sbin/policy-rc.d"
	}
}

# What is different in a machine that boots.
settings()
{
	echo "/dev/vda / ext4 defaults 0 1" >"$root/etc/fstab"
	echo mx.example.test >"$root/etc/hostname"
	printf '127.0.0.1 localhost mx.example.test mx\n::1 localhost\n' \
	    >"$root/etc/hosts"
	echo "nameserver 127.0.0.1" >"$root/etc/resolv.conf"
	: >"$root/etc/machine-id"
	mkdir -p "$root/var/log/journal" "$root/etc/systemd/journald.conf.d"
	# Lose nothing: the tests look for what was denied.
	printf '[Journal]\nStorage=persistent\nRateLimitBurst=0\n' \
	    >"$root/etc/systemd/journald.conf.d/vm.conf"
	install -m 644 "$TOP/regress/vm/regress.service" \
	    "$root/etc/systemd/system/regress.service" &&
	    mkdir -p "$root/etc/systemd/system/multi-user.target.wants" &&
	    ln -sf ../regress.service \
	    "$root/etc/systemd/system/multi-user.target.wants/regress.service"
}

tree()
{
	mkdir -p "$root/src"
	# What was built stays, so that make builds only what has changed.
	find "$root/src" -mindepth 1 -maxdepth 1 ! -name build \
	    -exec rm -rf {} +
	git -c safe.directory='*' -C "$TOP" ls-files -z >"$vm/files" &&
	    tar -c -C "$TOP" --null -T "$vm/files" -f - |
	    tar -x -C "$root/src"
}

# The tests' programs and the packages, built by the machine's own compiler
# but on this machine, which is faster.
programs()
{
	in_root sh -c 'unset B; cd /src && make -j2 all units suites' &&
	    in_root sh -c 'rm -rf /tmp/deb /debs/*.deb && mkdir -p /tmp/deb/p &&
	        cp -a /src/. /tmp/deb/p && cd /tmp/deb/p && rm -rf build &&
	        mv conf/debian debian && chown -R 0:0 . &&
	        env -i PATH="$PATH" LANG=C.UTF-8 \
	        DEB_BUILD_OPTIONS="noautodbgsym parallel=2" \
	        dpkg-buildpackage -us -uc -b && mv ../*.deb /debs &&
	        rm -rf /tmp/deb'
}

disk()
{
	cp "$root"/boot/vmlinuz-* "$vm/vmlinuz" &&
	    cp "$root"/boot/initrd.img-* "$vm/initrd" &&
	    rm -f "$vm/disk" &&
	    mke2fs -q -t ext4 -F -d "$root" "$vm/disk" "$DISK_SIZE"
}

able
command -v mke2fs >/dev/null || skip "no mke2fs"
[ "$ARCH" != arm64 ] || [ "$(dpkg --print-architecture)" = arm64 ] ||
    foreign || skip "this kernel cannot run programs of $ARCH"
mkdir -p "$vm"
exec 9>"$vm/lock"
flock 9
# A system that lacks a package is made again.
if [ "$(cat "$vm/made" 2>/dev/null)" != "$WANTED" ]; then
	rm -rf --one-file-system "$vm/root"
	root=$vm/root
	{ make_system "$root" "$host" && packages; } >"$log" 2>&1 ||
	    not_ok system "no system was made" "$log"
	echo "$WANTED" >"$vm/made"
fi
# Kept from here on.
trap - EXIT
root=$vm/root
no_services yes
tree >"$log" 2>&1 || not_ok tree "the tree was not copied" "$log"
programs >"$log" 2>&1 || not_ok build "the build failed" "$log"
no_services no
{ settings && disk; } >"$log" 2>&1 || not_ok disk "no disk was made" "$log"
ok made
