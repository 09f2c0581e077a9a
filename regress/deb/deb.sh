#!/bin/sh
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# The Debian packages: built, looked at, and put over Debian's Python
# packages in a chroot, by inside.py.
. "$(dirname "$0")/chroot.sh"

for p in dpkg-buildpackage dh dh_apparmor fakeroot lintian apparmor_parser
do
	command -v $p >/dev/null || skip "no $p"
done
able
log=$B/log/deb.out
build=$B/deb
debs=$B/chroot/debs
BINARY="pyspf-milter postfix-policyd-spf-python"

make -s -C "$TOP" B="$B" deb >"$log" 2>&1 ||
    not_ok build "make deb failed" "$log"
rm -rf "$debs"
mkdir -p "$debs/1" "$debs/2"
for p in $BINARY; do
	cp "$build/${p}"_*-1_*.deb "$debs/1" || not_ok build "no $p"
done
ok build

lintian --allow-root --no-tag-display-limit "$build"/*.changes >"$log" 2>&1
status=$?
cat "$log"
echo "lintian: $(grep -c '^E:' "$log") errors," \
    "$(grep -c '^W:' "$log") warnings"
[ $status -eq 0 ] && ! grep -q '^E:' "$log" ||
    not_ok lintian "status $status" "$log"
ok lintian

for p in $BINARY; do
	x=$B/chroot/$p.scripts
	rm -rf "$x"
	dpkg-deb -e "$debs/1/${p}"_*.deb "$x" || not_ok scripts "$p"
	for s in preinst postinst prerm postrm; do
		[ ! -e "$x/$s" ] || sh -n "$x/$s" ||
		    not_ok scripts "sh -n $p.$s"
	done
	rm -rf "$x"
done
ok scripts

for p in "$TOP"/conf/debian/apparmor/*; do
	# -Q, -K: neither the kernel nor a cache is asked
	apparmor_parser -Q -K "$p" >"$log" 2>&1 ||
	    not_ok apparmor "${p##*/}" "$log"
done
ok apparmor

# What the packages hold is enforced.
for p in $BINARY; do
	dpkg-deb --fsys-tarfile "$debs/1/${p}"_*.deb |
	    tar -xO --wildcards './etc/apparmor.d/usr.bin.*'
done >"$log"
[ "$(grep -c '^profile ' "$log")" -eq 3 ] &&
    ! grep '^profile .*flags=' "$log" ||
    not_ok apparmor-enforces "a profile with flags, or not three" "$log"
ok apparmor-enforces

# The next version, from the same objects.
tree=$(echo "$build"/pyspf-milter-*/debian)
{
	sed '1,/^ -- /!d; s/-1)/-2)/; s/^  \* .*/  * Test of an upgrade./
	    /^    /d' "$tree/changelog"
	echo
	cat "$tree/changelog"
} >"$tree/changelog.new" && mv "$tree/changelog.new" "$tree/changelog"
(cd "${tree%/*}" && mkdir ../2 && env -i PATH="$PATH" LANG=C.UTF-8 \
    DEB_BUILD_OPTIONS=noautodbgsym dpkg-buildpackage -us -uc -b -nc) \
    >"$log" 2>&1 || not_ok next-version "dpkg-buildpackage failed" "$log"
for p in $BINARY; do
	mv "$build/${p}"_*-2_*.deb "$debs/2" || not_ok next-version "no $p"
done
rm -f "$build"/*-2_*

new_root
mkdir "$root/debs"
cp -r "$debs/1" "$debs/2" "$root/debs" && rm -r "$debs"
chmod -R a+rX "$root/debs"
ours=$(cd "$root" && printf '/%s ' debs/1/*.deb)
# Later there is no network.
# shellcheck disable=SC2086
{ get -d install $BINARY && get -d install $ours; } >"$log" 2>&1 ||
    not_ok download "apt-get failed" "$log"

unshare -mnpu --fork --kill-child --mount-proc --propagation private \
    /usr/bin/python3 "$TOP/regress/deb/inside.py" "$root"
