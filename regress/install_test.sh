#!/bin/sh
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# usage: regress/install_test.sh BUILD
# make install, uninstall, dist and help.

B=$(cd "${1:?usage: regress/install_test.sh BUILD}" && pwd) || exit 1
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES DESTDIR
work=$B/install-test
conf=etc/pyspf-milter/pyspf-milter.conf
bad=0
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
rm -rf "$work"
mkdir -p "$work/root" || exit 1

# check NAME GOT WANT
check()
{
	if [ "$2" = "$3" ]; then
		echo "ok $1"
	else
		echo "not ok $1 - got \"$2\", want \"$3\""
		bad=1
	fi
}

# runs NAME COMMAND ...: it succeeds; what it prints is kept in $work/log
runs()
{
	test_name=$1
	shift
	"$@" >"$work/log" 2>&1
	status=$?
	[ $status -eq 0 ] || sed 's/^/# /' "$work/log"
	check "$test_name" "exit status $status" "exit status 0"
}

# Files and links, and the folders that are ours.
left()
{
	(cd "$work/root" &&
	    find . ! -type d -o -type d -name '*spf*' |
	    sed 's,^\./,,' | sort | tr '\n' ' ')
}

for how in unchanged changed; do
	runs install/install-$how make B="$B" install DESTDIR="$work/root"
	[ $how = unchanged ] || echo "# ours" >>"$work/root/$conf"
	runs install/again-$how make B="$B" install DESTDIR="$work/root"
	if [ $how = changed ]; then
		check install/keeps-changed \
		    "$(tail -n 1 "$work/root/$conf")" "# ours"
	fi
	runs install/uninstall-$how make B="$B" uninstall DESTDIR="$work/root"
	said=$(sed -n 's/^left as changed: //p' "$work/log")
	if [ $how = unchanged ]; then
		check install/says-$how "$said" ""
		check install/leaves-$how "$(left)" ""
	else
		check install/says-$how "$said" "$work/root/$conf"
		check install/leaves-$how "$(left)" "${conf%/*} $conf "
	fi
done

for t in $(make help | sed -n 's/^make \([a-z-]*\).*/\1/p'); do
	runs "install/help-names-$t" make -n B="$B" "$t"
done

if ! git -c safe.directory='*' rev-parse HEAD >"$work/log" 2>&1; then
	echo "skip dist - not a git repository"
	exit $bad
fi
for n in 1 2; do
	runs dist/make-$n make B="$work/$n" dist
done
tarball=$(cd "$work/1" && echo *.tar.gz)
name=${tarball%.tar.gz}
check dist/name "$name" "pyspf-milter-$(sed -n \
    's/^#define PYSPF_VERSION "\(.*\)"/\1/p' proto/version.h)"
check dist/reproducible "$(sha256sum <"$work/1/$tarball")" \
    "$(sha256sum <"$work/2/$tarball")"
tar -xz -C "$work" -f "$work/1/$tarball"
check dist/tracked-files "$(cd "$work/$name" && find . -type f | wc -l)" \
    "$(git -c safe.directory='*' ls-files | wc -l)"
runs dist/builds-an-object make B=build -C "$work/$name" \
    build/proto/text.o build/fuzz/obj/proto/text.o
runs dist/knows-the-rest make -n B=build -C "$work/$name" \
    all units suites fuzz-build install
runs dist/lint sh "$work/$name/regress/lint.sh" "$work/$name/build" \
    layers includes
exit $bad
