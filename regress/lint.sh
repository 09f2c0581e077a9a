#!/bin/sh
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# usage: regress/lint.sh BUILD
# What the tree promises and a compiler does not check: who includes whom,
# who calls what, the man pages, the licence line.

B=$1
cd "$(dirname "$0")/.." || exit 1
bad=0

# result NAME FILE-WITH-FINDINGS
result()
{
	if [ -s "$2" ]; then
		echo "not ok $1 - $(head -n 3 "$2" | tr '\n' ';')"
		bad=1
	else
		echo "ok $1"
	fi
}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# Own includes, each written from the top folder, against regress/layers.
sources=$(find privsep unpriv dns proto conf -name '*.[ch]')
awk '
	FNR == NR {
		if ($0 !~ /^#/ && NF > 0) {
			row = $1; sub(/:$/, "", row); may[row] = " " row " "
			for (i = 2; i <= NF; i++)
				may[row] = may[row] $i " "
		}
		next
	}
	/^#include "/ {
		split($0, q, "\""); to = q[2]; sub(/\/[^\/]*$/, "", to)
		from = FILENAME
		if (!(from in may))
			sub(/\/[^\/]*$/, "", from)
		if (!(from in may))
			print FILENAME ": no row in regress/layers"
		else if (index(may[from], " " to " ") == 0)
			print FILENAME ":" FNR ": " $0
	}' regress/layers $sources >"$tmp/out"
result lint/includes "$tmp/out"

# calls FOLDER FORBIDDEN: undefined symbols of its objects, mains left out
calls()
{
	for o in $(find "$B/$1" -name '*.o'); do
		case $o in *main.o) continue ;; esac
		nm -u "$o" | awk -v o="$o" -v re="^($2)(@.*)?\$" \
		    '{ s = $2; sub(/^__/, "", s); sub(/_chk$/, "", s);
		    sub(/64$/, "", s); if (s ~ re) print o ": " $2 }'
	done >"$tmp/out"
	[ -e "$B/$1" ] || echo "no $B/$1" >"$tmp/out"
	result "lint/calls-$1" "$tmp/out"
}
io='open|openat|creat|fopen|fdopen|read|write|pread|pwrite|readv|writev|close'
io="$io|stat|fstat|lstat|unlink|rename|ioctl|fcntl|mmap|munmap|poll|select"
io="$io|epoll_.*|time|gettimeofday|clock_gettime|sleep|usleep|nanosleep"
io="$io|getpid|getuid|kill|raise|sigaction|signal|printf|puts|fputs|fprintf"
io="$io|perror|recv.*|send.*"
net='socket|socketpair|connect|bind|listen|accept|accept4|fork|vfork|exec.*'
net="$net|posix_spawn.*|getaddrinfo|gethostby.*|getpw.*|getgr.*|syslog"
net="$net|vsyslog|openlog|dlopen|system|popen|ptrace"
calls proto "$io|$net"
calls unpriv "open|openat|creat|fopen|$(echo "$net" |
    sed 's/|bind|listen|accept|accept4//')"

# Only priv_* runs with euid 0; nobody else changes who we are.
for o in $(find "$B"/privsep "$B"/unpriv "$B"/dns "$B"/proto "$B"/conf -name "*.o"); do
	case $o in */privsep/root/*.o) continue ;; esac
	nm -u "$o" | awk -v o="$o" \
	    '$2 ~ /^(set(res|re|e)?[ug]id|setgroups|capset|capng_.*)(@|$)/ {
	    print o ": " $2 }'
done >"$tmp/out"
result lint/identity-only-in-priv "$tmp/out"

grep -L 'ISC licence, see LICENSE' $sources >"$tmp/out"
result lint/licence-line "$tmp/out"

grep -L 'Runs in:' $(echo "$sources" | grep '\.c$') >"$tmp/out"
result lint/runs-in-line "$tmp/out"

if command -v mandoc >/dev/null; then
	# In a tree of their own, where the pages find each other.
	for f in man/*.[158]; do
		d=$tmp/man/man${f##*.}
		mkdir -p "$d" && cp "$f" "$d"
	done
	ln -s pyspf-milter.conf.5 "$tmp/man/man5/policyd-spf.conf.5"
	makewhatis "$tmp/man"
	for f in "$tmp"/man/man?/*.[158]; do
		[ -L "$f" ] || MANPATH=$tmp/man mandoc -Tlint -Wstyle "$f"
	done >"$tmp/out" 2>&1
	result lint/mandoc "$tmp/out"
else
	echo "skip lint/mandoc - mandoc is not installed"
fi
exit $bad
