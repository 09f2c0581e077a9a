#!/bin/sh
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# The other reference release: Debian 13 on a machine with 12, and 12 on any
# other. Its system is made below $B/chroot once and kept; the tree is copied
# into it, built with -Werror, and the rows of ROWS run there, each result
# under the release's name.
. "$(dirname "$0")/chroot.sh"

ROWS="units engine-suite policy-suite sandbox proc life timeouts postfix-mail
compat-policy compat-milter dns lint man"

host=$(. /etc/os-release && echo "$VERSION_CODENAME")
SUITE=trixie
[ "$host" != trixie ] || SUITE=bookworm
NAME=$SUITE

able
exec 9>"$B/other.lock"
flock 9
log=$B/log/other.out
kept=$B/chroot/kept-$SUITE
if [ ! -e "$kept/made" ]; then
	rm -rf --one-file-system "$kept"
	root=$kept
	make_system "$kept" "$host" >"$log" 2>&1 ||
	    not_ok system "no system was made" "$log"
	touch "$kept/made"
fi
ok system

# Kept from here on. The folders of the run that this is a part of are not
# those in there.
trap - EXIT
unset BASAN TMPDIR
root=$kept
mkdir -p "$root/src"
# Keep the objects, and no file that the tree no longer has.
find "$root/src" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
git -c safe.directory='*' -C "$TOP" ls-files -z >"$root/files" &&
    tar -c -C "$TOP" --null -T "$root/files" -f - | tar -x -C "$root/src" ||
    not_ok copy "the tree was not copied"
# "make dist" asks git for the files.
(cd "$root/src" && git init -q && git add . && git -c user.name=test \
    -c user.email=test@localhost commit -qm copy) >"$log" 2>&1 ||
    not_ok copy "git failed" "$log"
in_machine sh -c 'unset B; cd /src && sh regress/deps.sh check' >"$log" 2>&1 ||
    not_ok packages "regress/deps.sh failed" "$log"
ok packages
in_machine sh -c 'unset B; cd /src && make -j2 CI=true all units suites user' \
    >"$log" 2>&1 || not_ok build "make failed" "$log"
ok build

rm -rf "$root/src/build/log"
# shellcheck disable=SC2086
in_machine sh -c 'unset B TOP; cd /src && regress/run build -- "$@"' sh $ROWS \
    >"$log" 2>&1 </dev/null
bad=0
for row in $ROWS; do
	f=$root/src/build/log/$row.log
	if ! grep -q '^ok \|^not ok ' "$f" 2>/dev/null; then
		echo "not ok $NAME/$row - it did not run"
		bad=1
		continue
	fi
	sed -n "s,^\\(ok\\|not ok\\|skip\\) ,&$NAME/,p" "$f"
	! grep -q '^not ok ' "$f" || bad=1
done
exit $bad
