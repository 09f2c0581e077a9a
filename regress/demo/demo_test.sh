#!/bin/sh
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# make run's demonstration ends well and leaves nothing behind. It needs a
# free loopback only; as root the daemon drops to its own user.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
tmp=${TMPDIR-/tmp}
before=$(ls -d "$tmp"/pyspf-milter-demo.* 2>/dev/null)
out=$(DEMO_ONCE=1 sh "$here/run" 2>&1)
status=$?
if [ $status -eq 0 ]; then
	printf '%s\n' "$out"
	echo "ok demo/once"
else
	printf '%s\n' "$out"
	echo "not ok demo/once - exit status $status"
	exit 1
fi
case $out in
*"spf=pass"*"550 5.7.23"*) echo "ok demo/both-verdicts" ;;
*) echo "not ok demo/both-verdicts - not shown"; exit 1 ;;
esac
if [ "$(ls -d "$tmp"/pyspf-milter-demo.* 2>/dev/null)" = "$before" ]; then
	echo "ok demo/leaves-nothing"
else
	echo "not ok demo/leaves-nothing - a folder is left in $tmp"
	exit 1
fi
