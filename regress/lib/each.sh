#!/bin/sh
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# Runs every unit test program of a folder, with a name before each test.
# RUN: a command to run them by.
# usage: regress/lib/each.sh FOLDER [PREFIX]

folder=$1
prefix=${2-}
bad=0
any=0
export ASAN_OPTIONS="${ASAN_OPTIONS-abort_on_error=0:detect_leaks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS-halt_on_error=1:print_stacktrace=1}"
for p in "$folder"/*; do
	[ -f "$p" ] && [ -x "$p" ] || continue
	any=1
	n=$prefix$(basename "$p")
	out=$(timeout -k 5 120 ${RUN-} "$p" 2>&1)
	status=$?
	printf '%s\n' "$out" |
	    sed -E "s|^(ok\|not ok\|skip) |\\1 $n/|"
	if [ $status -ne 0 ] &&
	    ! printf '%s\n' "$out" | grep -q '^not ok '; then
		echo "not ok $n - exit status $status"
	fi
	[ $status -eq 0 ] || bad=1
done
if [ $any -eq 0 ]; then
	echo "not ok ${prefix}units - nothing was built in $folder"
	bad=1
fi
exit $bad
