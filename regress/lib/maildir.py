# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""What a mail server delivered into a maildir."""

import glob
import os

from check import wait


class Maildir:
    """For a mail server's class: box is the path."""

    box = None

    def forget(self):
        for path in glob.glob(self.box + '/new/*'):
            os.unlink(path)

    def delivered(self, count, seconds=10):
        """The messages (octets), as soon as there are so many."""
        wait(lambda: len(glob.glob(self.box + '/new/*')) >= count, seconds)
        out = []
        for name in sorted(glob.glob(self.box + '/new/*')):
            with open(name, 'rb') as f:
                out.append(f.read())
        return out
