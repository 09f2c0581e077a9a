#!/bin/sh
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# usage: regress/lint.sh BUILD [RULE ...]
# Checks what the tree promises and a compiler does not check. The rules' data
# are in regress/layers (includes), regress/calls (functions of libraries),
# regress/prefixes (public names) and regress/exempt (files that need not keep
# a rule). CLANG_FORMAT may name several versions of clang-format: the code has
# to satisfy all of them.

B=${1:?usage: regress/lint.sh BUILD [RULE ...]}
shift
cd "$(dirname "$0")/.." || exit 1
RULES=${*:-layers includes calls names prototypes licence-line runs-in-line
    columns file-length function-length one-struct format python mandoc exempt}
bad=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
export LC_ALL=C

# rows FILE: without comments, continuation lines joined to their row
rows()
{
	sed '/^#/d; /^$/d' "$1" |
	    awk '/^[ \t]/ { printf "%s", $0; next }
		{ printf "%s%s", (NR > 1 ? "\n" : ""), $0 }
		END { print "" }'
}

# files NAME ...: the tree's files whose names match one of the patterns
files()
{
	top=$(pwd)
	out=$(cd "$B" 2>/dev/null && pwd)
	for name do
		find . -path ./.git -prune -o -path './build*' -prune -o \
		    -path "./${out#"$top"/}" -prune -o \
		    -type f -name "$name" -print
	done | sed 's,^\./,,' | sort
}

product()
{
	files "$@" | grep -v '^regress/'
}

# Shell and Python programs whose names do not say so.
scripts()
{
	files '*' | xargs awk 'FNR == 1 && /^#!/ { print FILENAME }' |
	    grep -v '\.\(sh\|py\)$'
}

# result RULE FILE: a finding is "PATH: text" or "PATH:LINE: text".
result()
{
	awk -v rule="$1" -v used="$tmp/used" '
		NR == FNR { if ($1 == rule) free[$2] = 1; next }
		{ path = $0; sub(/:.*/, "", path) }
		path in free { print rule, path >used; next }
		{ print }' "$tmp/exempt" "$2" >"$tmp/found"
	cat "$tmp/used" >>"$tmp/used-all" 2>/dev/null
	rm -f "$tmp/used"
	if [ -s "$tmp/found" ]; then
		sed 's/^/# /; 20q' "$tmp/found"
		echo "not ok lint/$1 - $(head -n 1 "$tmp/found")"
		bad=1
	else
		echo "ok lint/$1"
	fi
}

# Every folder with C has a row, every row is about something that exists,
# and names only rows above itself, so that there is no circle.
check_layers()
{
	product '*.[ch]' | awk '
		NR == FNR {
			row = $1; sub(/:$/, "", row)
			at[row] = FNR
			for (i = 2; i <= NF; i++)
				if (!($i in at))
					print "regress/layers: " row \
					    " may include " $i \
					    ", which is not a row above it"
			next
		}
		{
			there[$0] = 1; sub(/\/[^\/]*$/, ""); there[$0] = 1
			if (!($0 in at))
				lacks[$0] = 1
		}
		END {
			for (f in lacks)
				print "regress/layers: no row for " f
			for (row in at)
				if (!(row in there))
					print "regress/layers: " row \
					    " has no C"
		}' "$tmp/layers" -
}

# Own includes, each written from the top folder.
check_includes()
{
	product '*.[ch]' | xargs awk '
		NR == FNR {
			row = $1; sub(/:$/, "", row); may[row, row] = 1
			is_row[row] = 1
			for (i = 2; i <= NF; i++)
				may[row, $i] = 1
			next
		}
		FNR == 1 {
			from = FILENAME
			if (!(from in is_row))
				sub(/\/[^\/]*$/, "", from)
		}
		/^[ \t]*#[ \t]*include[ \t]*"/ {
			split($0, q, "\""); to = q[2]
			sub(/\/[^\/]*$/, "", to)
			used[from, to] = 1
			folder = FILENAME; sub(/\/[^\/]*$/, "", folder)
			if (!((from, to) in may) && to != folder)
				print FILENAME ":" FNR ": " $0
		}
		END {
			for (k in may) {
				split(k, q, SUBSEP)
				if (q[1] != q[2] && !(k in used))
					print "regress/layers: " q[1] \
					    " does not include " q[2]
			}
		}' "$tmp/layers"
}

# What each object calls outside the product, against regress/calls.
check_calls()
{
	set --
	for f in $(product '*.c'); do
		if [ -e "$B/${f%.c}.o" ]; then
			set -- "$@" "$B/${f%.c}.o"
		else
			echo "$f: not built"
		fi
	done
	nm -A -g "$@" >"$tmp/nm"
	rows regress/calls | awk -v b="$B/" '
	    FILENAME == "-" && $2 == "=" {
		re = $3
		for (i = 4; i <= NF; i++)
			re = re "|" $i
		class[++nclass] = $1; pattern[nclass] = "^(" re ")$"
		next
	    }
	    FILENAME == "-" {
		row = $1; sub(/:$/, "", row); is_row[row] = 1
		for (i = 2; i <= NF; i++)
			may[row, $i] = 1
		next
	    }
	    $2 != "U" && $2 != "w" { own[$3] = 1; next }
	    {
		f = substr($1, length(b) + 1); sub(/\.o:$/, ".c", f)
		call[f, $3] = 1
	    }
	    function class_of(s, i) {
		sub(/@.*/, "", s); sub(/^__(isoc[0-9]+_)?/, "", s)
		sub(/_chk$/, "", s); sub(/64(_time64)?$/, "", s)
		if (s ~ /^(_?GLOBAL_OFFSET_TABLE_|stack_chk_fail.*)$/)
			return "-"
		for (i = 1; i <= nclass; i++)
			if (s ~ pattern[i])
				return class[i]
		return ""
	    }
	    END {
		for (k in call) {
			split(k, q, SUBSEP); f = q[1]; s = q[2]
			if ((c = class_of(s)) == "-" || (c == "" && s in own))
				continue
			row = f
			if (!(row in is_row))
				sub(/\/[^\/]*$/, "", row)
			used[row, c] = 1; seen[row] = 1
			if (c == "")
				print f ": no class of regress/calls has " s
			else if (!((row, c) in may))
				print f ": " s " (" c ")"
		}
		for (row in is_row)
			if (!(row in seen))
				print "regress/calls: " row " calls nothing"
		for (k in may)
			if (!(k in used)) {
				split(k, q, SUBSEP)
				print "regress/calls: " q[1] " has no " q[2]
			}
	    }' - "$tmp/nm"
}

# A public name says where it is defined.
check_names()
{
	for f in $(product '*.c'); do
		[ ! -e "$B/${f%.c}.o" ] || nm -g --defined-only "$B/${f%.c}.o" |
		    awk -v f="$f" '$3 != "main" { print f, $3 }'
	done | awk '
		NR == FNR {
			row = $1; sub(/:$/, "", row)
			for (i = 2; i <= NF; i++)
				may[row, $i] = 1
			next
		}
		function begins(row, s, k, q) {
			for (k in may) {
				split(k, q, SUBSEP)
				if (q[1] == row && index(s, q[2]) == 1) {
					used[k] = 1
					return 1
				}
			}
			return 0
		}
		{
			n = split($1, part, "/"); file = part[n]
			sub(/\.c$/, "", file); word = file; sub(/_.*/, "", word)
			folder = $1; sub(/\/[^\/]*$/, "", folder)
			if (index($2, word) != 1 &&
			    index($2, part[n - 1]) != 1 &&
			    !begins($1, $2) && !begins(folder, $2))
				print $1 ": " $2
		}
		END {
			for (k in may)
				if (!(k in used)) {
					split(k, q, SUBSEP)
					print "regress/prefixes: " q[1] \
					    " does not need " q[2]
				}
		}' "$tmp/prefixes" -
}

# A .c file gets another file's functions by a header: no "extern" in it, and
# no prototype of a function that it does not define.
check_prototypes()
{
	product '*.c' | xargs awk '
		/^extern[ \t]/ || /^[ \t]+extern[ \t]/ {
			print FILENAME ":" FNR ": " $0
			next
		}
		/^[a-z_][a-z_0-9 ]*[ *]+[a-z_0-9]+\(/ && !/^static/ &&
		    !/^(return|else|typedef)/ { open = FNR; text = $0 }
		/[;{]$/ && open {
			if (/;$/)
				print FILENAME ":" open ": " text
			open = 0
		}'
}

check_licence_line()
{
	{ files '*.[ch]' '*.py' '*.sh' '*.mk' Makefile '*.[158]' '*.service' \
	    '*.socket' '*.timer' '*.sysusers' '*.tmpfiles'; scripts; } |
	    xargs grep -L 'ISC licence, see LICENSE' | sed 's/$/: no licence/'
}

check_runs_in_line()
{
	product '*.[ch]' | xargs grep -L '^/\* Runs in: \|^ \* Runs in: ' |
	    sed 's/$/: no "Runs in:"/'
}

# Tabs are 8 wide. Strings, mdoc macros and literal displays are not broken to
# fit.
check_columns()
{
	{ files '*.[ch]' '*.py' '*.sh' '*.mk' Makefile README '*.[158]'
	    scripts; } | xargs awk '
		FILENAME ~ /\.[ch]$/ && /^[ \t]*"/ { next }
		/^\.Bd -literal/, /^\.Ed/ { next }
		FILENAME ~ /\.[158]$/ && /^\./ { next }
		{
			s = $0; gsub(/[\200-\277]/, "", s); w = 0
			n = split(s, part, "\t")
			for (i = 1; i < n; i++) {
				w += length(part[i]); w += 8 - w % 8
			}
			if (w + length(part[n]) > 80)
				print FILENAME ":" FNR ": over 80 columns"
		}'
}

check_file_length()
{
	product '*.[ch]' | xargs awk '
		FNR == 701 { print FILENAME ": over 700 lines" }'
}

check_function_length()
{
	product '*.c' | xargs awk '
		/^[a-z_0-9]+\(/ { name = $0; sub(/\(.*/, "", name) }
		/^\{/ { from = FNR }
		/^\}/ {
			if (from && FNR - from - 1 > 60)
				print FILENAME ":" from ": " name \
				    "() is over 60 lines"
			from = 0
		}'
}

check_one_struct()
{
	product '*.[ch]' | xargs awk '
		match($0, /struct [a-z_0-9]+ \{/) {
			s = substr($0, RSTART + 7, RLENGTH - 9)
			if (s in first)
				print FILENAME ":" FNR ": struct " s \
				    " is also in " first[s]
			else
				first[s] = FILENAME
		}'
}

check_format()
{
	for cf in ${CLANG_FORMAT:-clang-format}; do
		files '*.[ch]' | xargs -n 40 "$cf" --dry-run -Werror 2>&1 |
		    sed -n "s/: error: .*/: $cf differs/p"
	done
}

check_python()
{
	{ files '*.py'
	    scripts | xargs awk 'FNR == 1 && /python/ { print FILENAME }'; } |
	    xargs pyflakes3 2>&1
}

check_mandoc()
{
	# In a tree of their own, where the pages find each other.
	for f in man/*.[158]; do
		d=$tmp/man/man${f##*.}
		mkdir -p "$d" && cp "$f" "$d"
	done
	ln -s pyspf-milter.conf.5 "$tmp/man/man5/policyd-spf.conf.5"
	makewhatis "$tmp/man"
	for f in "$tmp"/man/man?/*.[158]; do
		[ -L "$f" ] || MANPATH=$tmp/man mandoc -Tlint -Wstyle "$f"
	done 2>&1
}

# An exemption of a rule that ran, which no finding needed.
check_exempt()
{
	awk -v ran=" $(echo $RULES) " '
		FILENAME == ARGV[1] { used[$1, $2] = 1; next }
		index(ran, " " $1 " ") && !(($1, $2) in used) {
			print "regress/exempt: not needed: " $1, $2
		}' "$tmp/used-all" "$tmp/exempt"
}

rows regress/layers >"$tmp/layers"
rows regress/exempt >"$tmp/exempt"
rows regress/prefixes >"$tmp/prefixes"
: >"$tmp/used-all"
for rule in $RULES; do
	case $rule in
	format) need=${CLANG_FORMAT:-clang-format} ;;
	mandoc) need=mandoc ;;
	python) need=pyflakes3 ;;
	*) need= ;;
	esac
	for c in $need; do
		command -v "$c" >/dev/null || {
			echo "skip lint/$rule - $c is not installed"
			continue 2
		}
	done
	"check_$(echo "$rule" | tr - _)" >"$tmp/out"
	result "$rule" "$tmp/out"
done
exit $bad
