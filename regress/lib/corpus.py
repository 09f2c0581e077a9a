# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Reads hostile.txt, whose head says what its lines mean."""

import os
import re

REPEAT = re.compile(rb'\\R\{(\d+)\}\{([^}]*)\}')
ESCAPE = re.compile(rb'\\(?:x([0-9a-fA-F]{2})|(\\))')


def unescape(data):
    data = REPEAT.sub(lambda m: m.group(2) * int(m.group(1)), data)
    return ESCAPE.sub(lambda m: bytes([int(m.group(1), 16)]) if m.group(1)
                      else b'\\', data)


def hostile():
    """[(kind, group, line number, octets)]"""
    out = []
    with open(os.path.join(os.path.dirname(__file__), 'hostile.txt'),
              'rb') as f:
        for no, line in enumerate(f, 1):
            line = line.rstrip(b'\n')
            if line and not line.startswith(b'#'):
                kind, group, value = line.split(b' ', 2)
                out.append((kind.decode(), group.decode(), no,
                            unescape(value)))
    return out
