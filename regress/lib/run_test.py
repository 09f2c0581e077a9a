#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The runner itself: what it must count as a failure."""

import os
import subprocess
import sys
import tempfile
import time

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


def case(name, rows, want_code, want_last, *more):
    code, out = run(rows, *more)
    good = code == want_code and out and out[-1] == want_last
    if good:
        print('ok runner/' + name)
    else:
        print('not ok runner/%s - exit %d, last line %r' %
              (name, code, out[-1:]))
    return good


def main():
    good = True
    good &= case('passes', ['a 5 any echo ok a; echo ok b'], 0,
                 '2 passed, 0 failed')
    good &= case('not-ok-line', ['a 5 any echo ok a; echo "not ok b - x"'], 1,
                 '1 passed, 1 failed')
    good &= case('skip-line', ['a 5 any echo ok a; echo "skip b - x"'], 0,
                 '1 passed, 0 failed, 1 skipped')
    good &= case('status-without-line', ['a 5 any echo ok a; exit 3'], 1,
                 '1 passed, 1 failed')
    good &= case('signal', ['a 5 any echo ok a; kill -SEGV $$'], 1,
                 '1 passed, 1 failed')
    good &= case('timeout', ['a 1 any echo ok a; sleep 60'], 1,
                 '1 passed, 1 failed')
    good &= case('silent', ['a 5 any true', 'b 5 any echo ok b'], 1,
                 '1 passed, 1 failed')
    good &= case('nothing-ran', ['a 5 any echo "skip a - x"'], 1,
                 '0 passed, 0 failed, 1 skipped')
    good &= case('no-asan-build', ['a 5 any echo ok $BASAN',
                                   'b 5 any echo ok b'], 0,
                 '1 passed, 0 failed, 1 skipped')
    good &= case('asan-build', ['a 5 any test $BASAN = /x/y && echo ok a'], 0,
                 '1 passed, 0 failed', '/x/y')
    good &= case('both-modes', ['a 5 alone echo ok a', 'b 5 any echo ok b'],
                 0, '2 passed, 0 failed')
    mark = '7%06d' % os.getpid()
    good &= case('orphan-setup',
                 ['a 5 any setsid sleep %s & echo ok a' % mark], 0,
                 '1 passed, 0 failed')
    time.sleep(0.2)
    left = pids_of(mark.encode())
    print('ok runner/orphan-ended' if left == 0 else
          'not ok runner/orphan-ended - %d left' % left)
    return 0 if good and left == 0 else 1


if __name__ == '__main__':
    sys.exit(main())
