#!/bin/sh
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# usage: regress/system/trust.sh BUILD
# The tables in privsep/README, of the processes and of who may send what to
# whom, are those of the code, and the captures of spfctl in README and in
# spfctl(8) are those that regress/ctl compares with the program.

B=$1
cd "$(dirname "$0")/../.." || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
bad=0

# table HEAD: the lines of stdin from the one that HEAD matches, as far as
# they are indented by four
table()
{
	awk -v head="^    $1" '
	    $0 ~ head { on = 1 } on && !/^    / { exit } on' |
	    sed 's/ *$//'
}

# same NAME FILE FILE: the two files are equal
same()
{
	if cmp -s "$2" "$3"; then
		echo "ok trust/$1"
	else
		echo "not ok trust/$1 - want <, got >: $(diff "$2" "$3" |
		    grep '^[<>]' | head -n 4 | tr '\n' ';')"
		bad=1
	fi
}

{ "$B/system/msgtable" && echo && "$B/system/roletable"; } |
    sed 's/^./    &/' >"$tmp/code"
while read -r name head; do
	table "$head" <"$tmp/code" >"$tmp/want"
	table "$head" <privsep/README >"$tmp/have"
	[ -s "$tmp/want" ] || echo "no such table" >"$tmp/want"
	same "readme-$name" "$tmp/want" "$tmp/have"
done <<'EOT'
table-is-the-code's message  *octets
roles-are-the-code's process  *number
limits-are-the-code's process  *nofile
EOT

# The first table of processes has a row for each, and no other
table 'process  *number' <"$tmp/code" | awk '{ print $1 }' >"$tmp/want"
table 'process  *sees' <privsep/README |
    awk '/^    [^ ]/ { print $1 }' >"$tmp/have"
same readme-row-for-each-process "$tmp/want" "$tmp/have"

"$B/system/roletable" messages || bad=1

# capture EXAMPLE INDENT FILE NAME: FILE has the lines of the example
capture()
{
	sed "s/^/$2/; s/ *\$//" "regress/ctl/example-$1.txt" >"$tmp/want"
	awk -v n="$(wc -l <"$tmp/want")" -v first="$(head -n 1 "$tmp/want")" \
	    '$0 == first { left = n } left-- > 0' "$3" | sed 's/ *$//' \
	    >"$tmp/have"
	same "$4" "$tmp/want" "$tmp/have"
}

mandoc -T utf8 man/spfctl.8 >"$tmp/spfctl.8"
capture check '    ' README readme-capture-check
capture lint '     ' "$tmp/spfctl.8" man-capture-lint
exit $bad
