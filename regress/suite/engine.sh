#!/bin/sh
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# usage: engine.sh BUILD-FOLDER [PREFIX]
# The public suites (of Debian's python3-spf) in the engine alone, with both
# values of Void_Family. RUN: a command to run the program by.
build=${1:?usage: engine.sh BUILD-FOLDER [PREFIX]}
prefix=${2-}
here=$(dirname "$0")
suites=/usr/share/doc/python3-spf
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
status=0
for s in rfc7208:rfc7208-tests.yml rfc4408:rfc4408-tests.yml pyspf:test.yml
do
	name=${s%%:*}
	file=$suites/${s#*:}
	test -f "$file" || file=$file.gz
	if [ ! -f "$file" ]; then
		echo "skip suite/$name - $file is not there"
		continue
	fi
	/usr/bin/python3 "$here/convert.py" "$name" "$file" >"$tmp/$name" ||
	    status=1
	for family in client any
	do
		${RUN-} "$build/suite/engine_suite" $family <"$tmp/$name" \
		    >"$tmp/out" || status=1
		test $family = client && p=$prefix || p=$prefix$family/
		sed -E "s#^(ok|not ok|skip) #\\1 $p#" "$tmp/out"
	done
done
exit $status
