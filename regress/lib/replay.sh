#!/bin/sh
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# Runs the kept corpora through the fuzz targets that were built below
# BUILD/fuzz, once each, under their sanitizers. RUN: a command to run them by.
# usage: regress/lib/replay.sh BUILD [NAME ...]

here=$(cd "$(dirname "$0")/.." && pwd) || exit 1
b=$1
shift
if [ $# -eq 0 ]; then
	for f in "$here"/fuzz/*.c; do
		[ -f "$f" ] && set -- "$@" "$(basename "$f" .c)"
	done
fi
if [ $# -eq 0 ]; then
	echo "skip fuzz/none - there is no fuzz target"
	exit 0
fi
bad=0
for n do
	if [ ! -x "$b/fuzz/$n" ]; then
		echo "not ok fuzz/$n - was not built"
		bad=1
		continue
	fi
	set -- "$here/fuzz/corpus/$n"/*
	if [ ! -f "$1" ]; then
		echo "not ok fuzz/$n - no kept corpus"
		bad=1
		continue
	fi
	log=$b/fuzz/$n.replay
	if timeout -k 5 120 ${RUN-} "$b/fuzz/$n" -timeout=10 "$@" \
	    >"$log" 2>&1; then
		echo "ok fuzz/$n"
		echo "# $# inputs"
	else
		tail -n 40 "$log"
		echo "not ok fuzz/$n - see $log"
		bad=1
	fi
done
exit $bad
