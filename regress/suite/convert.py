#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Turns a YAML suite of SPF cases into lines that the C runner reads.

usage: convert.py SUITE-NAME FILE[.gz]

Lines, fields parted by blanks, octets that are not visible ASCII and the
backslash as \\xHH, an empty field as \\e:
	scenario
	record OWNER TYPE DATA [AUX]	TXT: AUX is the first string's length;
					MX: AUX is the preference
	timeout OWNER TYPE		TYPE "*": all that are not recorded
	case SUITE/NAME HOST HELO MAILFROM RESULT[,RESULT] EXPLANATION|-
	skip SUITE/NAME REASON
"""
import gzip
import sys

import yaml


def field(value):
    if isinstance(value, str):
        value = value.encode('utf-8')
    if not value:
        return '\\e'
    return ''.join(chr(c) if 0x20 < c < 0x7f and c != 0x5c else '\\x%02x' % c
                   for c in value)


def records(owner, entries):
    """The rules of the suites' own driver: where a name has SPF records and
    no TXT entry, its TXT records are the same; NONE says there is none."""
    generate = not any(isinstance(e, dict) and 'TXT' in e for e in entries)
    for entry in entries:
        if entry == 'TIMEOUT':
            yield 'timeout %s *' % field(owner)
            continue
        for rtype, value in entry.items():
            if rtype == 'SPF':
                if not generate:
                    continue
                rtype = 'TXT'
            if value == 'NONE':
                continue
            if value == 'TIMEOUT':
                yield 'timeout %s %s' % (field(owner), rtype)
                continue
            if rtype == 'TXT':
                strings = value if isinstance(value, list) else [value]
                first = strings[0].encode('utf-8') if strings else b''
                yield 'record %s TXT %s %d' % (
                    field(owner), field(''.join(strings)), len(first))
            elif rtype == 'MX':
                yield 'record %s MX %s %d' % (
                    field(owner), field(value[1]), value[0])
            else:
                yield 'record %s %s %s' % (field(owner), rtype, field(value))


def main():
    suite, path = sys.argv[1:]
    opener = gzip.open if path.endswith('.gz') else open
    with opener(path, 'rb') as f:
        scenarios = [s for s in yaml.safe_load_all(f) if s]
    for scenario in scenarios:
        print('scenario')
        for owner, entries in scenario['zonedata'].items():
            print('zone', field(owner))
            for line in records(owner, entries):
                print(line)
        for name, case in scenario['tests'].items():
            name = '%s/%s' % (suite, name)
            result = case['result']
            if isinstance(result, str):
                result = [result]
            if suite == 'pyspf' and 'strict' in case:
                print('skip', name, "pyspf's own modes, not RFC 7208")
                continue
            explanation = case.get('explanation')
            print('case', name, field(case['host']), field(case['helo']),
                  field(case['mailfrom']), ','.join(result),
                  '-' if explanation is None else field(explanation))


if __name__ == '__main__':
    main()
