#!/bin/sh
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# usage: regress/system/trust.sh BUILD
# README's table of who may send what to whom is the one in the code, and its
# captures of spfctl are those that regress/ctl compares with the program.

B=$1
cd "$(dirname "$0")/../.." || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
"$B/system/msgtable" | sed 's/^/    /; s/ *$//' >"$tmp/code" || exit 1
awk '/^    message  *from/ { on = 1 } on && !/^    / { exit } on' README |
    sed 's/ *$//' >"$tmp/readme"
bad=0
if cmp -s "$tmp/code" "$tmp/readme"; then
	echo "ok trust/readme-table-is-the-code's"
else
	echo "not ok trust/readme-table-is-the-code's - $(diff "$tmp/code" \
	    "$tmp/readme" | head -n 4 | tr '\n' ';')"
	bad=1
fi

for f in check lint; do
	sed 's/^/    /; s/ *$//' "regress/ctl/example-$f.txt" >"$tmp/want"
	# the block that begins with its first line, as long as it is
	awk -v n="$(wc -l <"$tmp/want")" -v first="$(head -n 1 "$tmp/want")" \
	    '$0 == first { left = n } left-- > 0' README >"$tmp/have"
	if cmp -s "$tmp/want" "$tmp/have"; then
		echo "ok trust/readme-capture-$f"
	else
		echo "not ok trust/readme-capture-$f - $(diff "$tmp/want" \
		    "$tmp/have" | head -n 4 | tr '\n' ';')"
		bad=1
	fi
done
exit $bad
