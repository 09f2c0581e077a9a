# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The lines that a test program prints (regress/README): each failure says
what was seen and, for a comparison, what was wanted.

    equal('life/exit', code, 0)     ok life/exit, or
                                    not ok life/exit - got 1, want 0
    begins('x', reply, '550 ')      holds('x', reply, 'part of it')
    below('x', seconds, 5)          above('x', messages, 100)
    empty('x', complaints)          check('x', good, seen): any other
    becomes('x', look, 3)           look() is 3 within some seconds
    skip('x', 'why')                finish() ends the program: 1 on a failure

Checks('demo/') has the same as methods, for names that begin with demo/.
wait(condition) polls for a condition up to a deadline.
"""

import sys
import time


class Checks:
    failures = 0        # of the whole program

    def __init__(self, prefix=''):
        self.prefix = prefix

    def report(self, name, good, *seen):
        """One line of the protocol; True when good."""
        if good:
            print('ok %s%s' % (self.prefix, name), flush=True)
            return True
        Checks.failures += 1
        print('not ok %s%s - %s' % (self.prefix, name, ', '.join(
            seen).replace('\n', ' | ')), flush=True)
        return False

    def check(self, name, good, seen=None):
        return self.report(name, good, 'got %s' % (
            good if seen is None else seen,))

    def equal(self, name, got, want):
        return self.report(name, got == want, 'got %r' % (got,),
                           'want %r' % (want,))

    def begins(self, name, got, start):
        return self.report(name, str(got).startswith(start),
                           'got %r' % (got,), 'want it to begin %r' % (start,))

    def holds(self, name, got, part):
        return self.report(name, part in got, 'got %r' % (got,),
                           'want %r in it' % (part,))

    def below(self, name, got, limit):
        return self.report(name, got < limit, 'got %s' % got,
                           'want less than %s' % limit)

    def above(self, name, got, limit):
        return self.report(name, got > limit, 'got %s' % got,
                           'want more than %s' % limit)

    def empty(self, name, got):
        """got: a list of what was wrong."""
        return self.report(name, not got, 'got %d: %s' % (len(
            got), got[:5] if isinstance(got, list) else got), 'want nothing')

    def becomes(self, name, look, want, seconds=10):
        """look() is polled until it gives what is wanted."""
        got = []

        def good():
            got[:] = [look()]
            return got[0] == want
        wait(good, seconds)
        return self.equal(name, got[0], want)

    def skip(self, name, why):
        print('skip %s%s - %s' % (self.prefix, name, why), flush=True)


_plain = Checks()
check, equal, begins, holds = (_plain.check, _plain.equal, _plain.begins,
                               _plain.holds)
below, above, empty, skip = (_plain.below, _plain.above, _plain.empty,
                             _plain.skip)
becomes = _plain.becomes


def failed():
    """The exit status of the program."""
    return 1 if Checks.failures else 0


def finish():
    sys.exit(failed())


def wait(condition, seconds=10, step=0.02):
    """condition() as soon as it is true, or its last value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(step)
