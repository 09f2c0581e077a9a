# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""What a mail server delivered into a maildir."""

import glob
import os
import time


def forget(box):
    for path in glob.glob(box + '/new/*'):
        os.unlink(path)


def delivered(box, count, seconds=10):
    """The messages in the maildir, as soon as there are so many."""
    end = time.monotonic() + seconds
    while True:
        names = sorted(glob.glob(box + '/new/*'))
        if len(names) >= count or time.monotonic() > end:
            break
        time.sleep(0.02)
    out = []
    for name in names:
        with open(name, 'rb') as f:
            out.append(f.read())
    return out
