#!/bin/sh
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# usage: regress/lint_test.sh BUILD
# Breaks each rule of "make lint" in a copy of the tree and looks whether
# regress/lint.sh says so.

B=$(cd "${1:?usage: regress/lint_test.sh BUILD}" && pwd) || exit 1
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
copy=$B/lint-test
keep=$B/lint-test.keep
bad=0
rm -rf "$copy" "$keep"
trap 'rm -rf "$copy" "$keep"' EXIT
trap 'exit 1' HUP INT TERM

mkdir -p "$copy/build" "$keep"
tar -c --exclude=./.git --exclude='./build*' --exclude=__pycache__ . |
    tar -x -C "$copy"
(cd "$B" && find proto conf dns privsep unpriv -name '*.[od]' |
    tar -c -T -) | tar -x -C "$copy/build"
cd "$copy" || exit 1

# try NAME RULE "FILE ..." WANT COMMAND: with the files changed by the command,
# the (last) rule must fail, and one of its findings must begin with WANT.
try()
{
	rule=${2##* }
	name=lint-test/$rule-$1
	for f in $3; do
		[ ! -e "$f" ] || cp -p --parents "$f" "$keep"
	done
	eval "$5" >build/log 2>&1 || cat build/log
	out=$(sh regress/lint.sh build $2 2>&1)
	if [ "${out#skip}" != "$out" ]; then
		echo "skip $name - ${out##* - }"
	elif printf '%s\n' "$out" | grep -q "^not ok lint/$rule - " &&
	    printf '%s\n' "$out" | grep -qF "# $4"; then
		echo "ok $name"
	else
		printf '%s\n' "$out" | sed 's/^/# /'
		echo "not ok $name - want a finding \"$4\""
		bad=1
	fi
	rm -rf $3
	cp -rp "$keep/." . && rm -rf "$keep" && mkdir "$keep"
}

# calls NAME FILE CALL: as above, with a call compiled into a file
calls()
{
	try "$1" calls "$2 build/${2%.c}.o build/${2%.c}.d" "$2: " '
		echo "int probe(void) { return '"$3"'; }" >>'"$2"'
		make -s B=build CI= WARN=-w build/'"${2%.c}"'.o'
}

append()
{
	printf "$2\n" >>"$1"
}

sh regress/lint.sh build >build/log 2>&1
if grep '^not ok' build/log | sed 's/^/# /' | grep .; then
	echo "not ok lint-test/unbroken - the tree breaks rules already"
	exit 1
fi
echo "ok lint-test/unbroken"

try no-row layers unpriv/new 'regress/layers: no row for unpriv/new' '
	mkdir unpriv/new && touch unpriv/new/new.c'
try no-folder layers regress/layers 'regress/layers: unpriv/new has no C' '
	append regress/layers "unpriv/new:"'
try circle layers regress/layers 'regress/layers: proto may include conf' '
	sed -i "s/^proto:/proto: conf/" regress/layers'
try upwards includes proto/text.c 'proto/text.c:' '
	append proto/text.c "#include \"privsep/base/log.h\""'
try by-header includes proto/text.h 'proto/text.h:' '
	append proto/text.h "#include \"conf/conf.h\""'
try not-from-top includes proto/addr.c 'proto/addr.c:' '
	append proto/addr.c "#include \"text.h\""'
try of-a-main includes unpriv/shadow/shadow.c 'unpriv/shadow/shadow.c:' '
	append unpriv/shadow/shadow.c "#include \"privsep/root/priv_drop.h\""'
try not-needed includes regress/layers 'regress/layers: dns does not inc' '
	sed -i "s/^dns:/dns: privsep\/root/" regress/layers'

calls read-in-proto proto/addr.c 'read(0, 0, 0)'
calls time-in-engine unpriv/spf/eval.c 'time(0)'
calls print-in-judge unpriv/judge/decision.c 'puts(0)'
calls file-in-conf conf/lists.c 'open(0, 0)'
calls file-in-worker unpriv/worker/conn.c 'openat(0, 0, 0)'
calls connect-in-worker unpriv/worker/worker.c 'connect(0, 0, 0)'
calls program-in-main unpriv/spfctl/main.c 'execve(0, 0, 0)'
calls socket-in-dns dns/dns_main.c 'socket(1, 1, 0)'
calls fork-in-shadow unpriv/shadow/shadow.c 'fork()'
calls thread-in-dns dns/resolver.c 'pthread_create(0, 0, 0, 0)'
calls identity-in-parent privsep/parent/parent.c 'setuid(0)'
calls identity-in-start privsep/start/spawn.c 'capng_apply(0)'
calls unknown privsep/root/priv_drop.c 'sync_file_range(0, 0, 0, 0)'
try not-needed calls regress/calls 'regress/calls: unpriv/spf has no files' '
	sed -i "s,^unpriv/spf:,& files," regress/calls'
try not-built calls build/proto/text.o 'proto/text.c: not built' '
	rm build/proto/text.o'

public()
{
	try "$1" names "$2 build/${2%.c}.o build/${2%.c}.d" "$2: $3" '
		echo "int '"$3"'; void '"$3"'_f(void) { }" >>'"$2"'
		make -s B=build CI= WARN=-w build/'"${2%.c}"'.o'
}
public other-module proto/addr.c text_probe
public no-prefix unpriv/spf/eval.c probe
public other-folder unpriv/worker/conn.c shadow_probe
try not-needed names regress/prefixes 'regress/prefixes: conf does not need' '
	append regress/prefixes "conf: probe"'

try local prototypes proto/addr.c 'proto/addr.c:' '
	append proto/addr.c "int text_probe(const char *,\n    int);"'
try extern prototypes dns/decode.c 'dns/decode.c:' '
	append dns/decode.c "extern int text_probe;"'
try in-a-function prototypes dns/decode.c 'dns/decode.c:' '
	append dns/decode.c "{\n\textern int text_probe(int);\n}"'

for f in unpriv/spf/eval.c proto/text.h regress/lib/dnsd.py regress/run \
    regress/lib/each.sh Makefile man/spfctl.8 systemd/pyspf-milter.service; do
	try "$f" licence-line "$f" "$f: " 'sed -i /ISC.licence/d '"$f"
done
for f in unpriv/spf/eval.c dns/decode.h privsep/sandbox/landlock.h; do
	try "$f" runs-in-line "$f" "$f: " 'sed -i "s/Runs in://" '"$f"
done
long=$(printf '%073d' 0)
for f in dns/dns_main.c proto/text.h; do
	try "$f" columns "$f" "$f:" 'append '"$f"' "\tx /* '"$long"' */"'
done
for f in regress/lib/dnsd.py regress/lib/each.sh Makefile man/spfctl.8; do
	try "$f" columns "$f" "$f:" 'append '"$f"' "# \t'"$long"'"'
done
try long file-length proto/dname.c 'proto/dname.c:' '
	yes "" | head -n 700 >>proto/dname.c'
try long function-length dns/decode.c 'dns/decode.c:' '
	{ echo "probe(void)"; echo "{"; yes ";" | head -n 61; echo "}"; } \
	    >>dns/decode.c'
try twice one-struct "conf/lists.c dns/decode.c" 'dns/decode.c:' '
	append conf/lists.c "struct probe {\n\tint x;\n};"
	append dns/decode.c "struct probe {\n\tint x;\n};"'
for f in proto/addr.c dns/decode.h regress/unit/addr.c; do
	try "$f" format "$f" "$f:" 'append '"$f"' "int   probe;"'
done
try undefined python regress/lib/dnsd.py 'regress/lib/dnsd.py:' '
	append regress/lib/dnsd.py "probe(1)"'
try macro mandoc man/spfctl.8 'mandoc: ' 'append man/spfctl.8 ".Nosuch"'
try not-needed "columns exempt" regress/exempt \
    'regress/exempt: not needed: columns' '
	append regress/exempt "columns proto/addr.c none"'
exit $bad
