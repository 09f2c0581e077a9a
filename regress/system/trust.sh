#!/bin/sh
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# usage: regress/system/trust.sh BUILD
# README's table of who may send what to whom is the one in the code, and its
# captures of spfctl are those that regress/ctl compares with the program.

B=$1
cd "$(dirname "$0")/../.." || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
bad=0

# same TEST: README's part in $tmp/got is $tmp/want
same()
{
	if cmp -s "$tmp/got" "$tmp/want"; then
		echo "ok trust/$1"
	else
		echo "not ok trust/$1 - got <, want >: $(diff "$tmp/got" \
		    "$tmp/want" | grep '^[<>]' | head -n 4 | tr '\n' ';')"
		bad=1
	fi
}

"$B/system/msgtable" | sed 's/^/    /; s/ *$//' >"$tmp/want" || exit 1
awk '/^    message  *from/ { on = 1 } on && !/^    / { exit } on' README |
    sed 's/ *$//' >"$tmp/got"
same "readme-table-is-the-code's"
for f in check lint; do
	sed 's/^/    /; s/ *$//' "regress/ctl/example-$f.txt" >"$tmp/want"
	# the block that begins with its first line, as long as it is
	awk -v n="$(wc -l <"$tmp/want")" -v first="$(head -n 1 "$tmp/want")" \
	    '$0 == first { left = n } left-- > 0' README >"$tmp/got"
	same "readme-capture-$f"
done
exit $bad
