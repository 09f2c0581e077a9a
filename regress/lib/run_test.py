#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The runner itself: what it must count as a failure."""

import os
import subprocess
import tempfile

from check import Checks, finish

HERE = os.path.dirname(os.path.abspath(__file__))
RUN = os.path.join(os.path.dirname(HERE), 'run')


def run(rows, *more):
    with tempfile.TemporaryDirectory() as d:
        table = os.path.join(d, 'tests')
        with open(table, 'w', encoding='utf-8') as f:
            f.write('\n'.join(rows) + '\n')
        p = subprocess.run([RUN, '-t', table, d, *more], text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return p.returncode, p.stdout.splitlines()


def pids_of(mark):
    found = 0
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/cmdline' % pid, 'rb') as f:
                argv = f.read().split(b'\0')
            with open('/proc/%s/stat' % pid, 'rb') as f:
                state = f.read().rsplit(b')', 1)[1].split()[0]
        except OSError:
            continue
        found += argv[:2] == [b'sleep', mark] and state != b'Z'
    return found


# name, rows of the table, exit status, last line, more arguments
CASES = (
    ('passes', ['a 5 any echo ok a; echo ok b'], 0, '2 passed, 0 failed'),
    ('not-ok-line', ['a 5 any echo ok a; echo "not ok b - x"'], 1,
     '1 passed, 1 failed'),
    ('skip-line', ['a 5 any echo ok a; echo "skip b - x"'], 0,
     '1 passed, 0 failed, 1 skipped'),
    ('status-without-line', ['a 5 any echo ok a; exit 3'], 1,
     '1 passed, 1 failed'),
    ('signal', ['a 5 any echo ok a; kill -SEGV $$'], 1,
     '1 passed, 1 failed'),
    ('timeout', ['a 1 any echo ok a; sleep 60'], 1, '1 passed, 1 failed'),
    ('silent', ['a 5 any true', 'b 5 any echo ok b'], 1,
     '1 passed, 1 failed'),
    ('nothing-ran', ['a 5 any echo "skip a - x"'], 1,
     '0 passed, 0 failed, 1 skipped'),
    ('no-asan-build', ['a 5 any echo ok $BASAN', 'b 5 any echo ok b'], 0,
     '1 passed, 0 failed, 1 skipped'),
    ('asan-build', ['a 5 any test $BASAN = /x/y && echo ok a'], 0,
     '1 passed, 0 failed', '/x/y'),
    ('both-modes', ['a 5 alone echo ok a', 'b 5 any echo ok b'], 0,
     '2 passed, 0 failed'),
)


def main():
    report = Checks('runner/')
    mark = '7%06d' % os.getpid()
    orphan = ('orphan-setup',
              ['a 5 any setsid sleep %s & echo ok a' % mark], 0,
              '1 passed, 0 failed')
    for name, rows, status, last, *more in CASES + (orphan,):
        code, out = run(rows, *more)
        report.equal(name, (code, out[-1:]), (status, [last]))
    report.becomes('orphan-ended', lambda: pids_of(mark.encode()), 0, 2)
    # A folder for what programs make, which goes with what was left in it.
    with tempfile.TemporaryDirectory() as d:
        name = os.path.join(d, 'name')
        run(['a 5 any echo $TMPDIR >%s; mktemp; sleep 9 & echo ok a' % name])
        with open(name, encoding='ascii') as f:
            report.equal('tmpdir-removed', os.path.exists(f.read().strip()),
                         False)
    finish()


if __name__ == '__main__':
    main()
