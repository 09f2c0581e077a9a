#!/bin/sh
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# What README tells a newcomer to type, typed on a bare Debian with make, gcc
# and git: it ends with messages being judged. Not "make check", which is
# what runs this.
. "$(dirname "$0")/chroot.sh"

able
new_root
log=$B/log/bare.out
get install make gcc git >"$log" 2>&1 ||
    not_ok packages "apt-get failed" "$log"

# A clone of what is committed; the tree may be somebody else's.
git=$root/gitconfig
printf '[safe]\n\tdirectory = *\n' >"$git"
GIT_CONFIG_GLOBAL=$git git clone -q "$TOP" "$root/src" ||
    not_ok clone "git clone failed"
rm "$git"

steps=$(sed -n '/^Two commands$/,/^Setting it up$/p' "$root/src/README" |
    sed -n 's/^    sudo \(make [a-z]*\) .*/\1/p' | grep -v 'make check')
[ "$steps" = "make run" ] ||
    not_ok readme "README's steps are \"$steps\" now; see $0"
ok readme

in_root sh -c "cd /src && DEMO_ONCE=1 $steps" >"$log" 2>&1 </dev/null
status=$?
grep -v -e '^cc ' -e '^mkdir ' "$log"
[ $status -eq 0 ] || not_ok run "exit status $status"
ok run
grep -q 'spf=pass' "$log" && grep -q '550 5.7.23' "$log" ||
    not_ok judged "no message was judged"
ok judged
(cd "$root/src" && GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory \
    GIT_CONFIG_VALUE_0='*' git status --porcelain) >"$log" 2>&1
[ ! -s "$log" ] || not_ok tree-stays-clean "the build changed the tree" "$log"
ok tree-stays-clean
