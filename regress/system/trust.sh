#!/bin/sh
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# usage: regress/system/trust.sh BUILD
# README's table of who may send what to whom is the one in the code.

B=$1
cd "$(dirname "$0")/../.." || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
"$B/system/msgtable" | sed 's/^/    /; s/ *$//' >"$tmp/code" || exit 1
awk '/^    message  *from/ { on = 1 } on && !/^    / { exit } on' README |
    sed 's/ *$//' >"$tmp/readme"
if cmp -s "$tmp/code" "$tmp/readme"; then
	echo "ok trust/readme-table-is-the-code's"
else
	echo "not ok trust/readme-table-is-the-code's - $(diff "$tmp/code" \
	    "$tmp/readme" | head -n 4 | tr '\n' ';')"
	exit 1
fi
