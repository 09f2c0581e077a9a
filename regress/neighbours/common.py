# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""What the tests with neighbours share."""

import os
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
for name in ('lib', 'postfix', 'dmarc'):
    sys.path.insert(0, os.path.join(os.path.dirname(HERE), name))
import daemon       # noqa: E402


def kill_whole(milter):
    """kill -9 of a product.Milter and all its processes."""
    # Some of them may end by themselves as soon as the first is gone.
    for pid in [milter.p.pid] + daemon.children_of(milter.p.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    milter.p.wait()
