# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""spfctl's side of the control socket, for tests.

    c = Control()
    c.stats()   -> {'CONN_MILTER': 3, ...}, histograms as lists of buckets
    c.ask('CTL_STATUS') -> ([('DAEMON', {'pid': 12, ...}), ...], exit status)
Text that is sent is a str in that list. Messages, counters and rows are read
from the tables in proto/, so that they cannot be stale.
"""

import os
import re
import socket
import struct

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
SOCKET = '/run/pyspf-milter/control.sock'
HEADER = struct.Struct('>IIII')     # type, length of the whole, peer id, pid


def table(path, name):
    """The rows X(...) of a table of macros, as lists of their arguments."""
    with open(os.path.join(TOP, path), encoding='ascii') as f:
        text = f.read()
    body = re.search(r'#define %s\(X\)(.*?)\n\n' % name, text, re.S).group(1)
    return [[a.strip('"') for a in re.findall(r'"[^"]*"|\w+', row)]
            for row in re.findall(r'\bX\(([^)]*)\)', body)]


def first(path, name):
    return [row[0] for row in table(path, name)]


def number(path, name):
    with open(os.path.join(TOP, path), encoding='ascii') as f:
        return int(re.search(r'#define %s\s+(\d+)' % name, f.read()).group(1))


TYPES = {n: i + 1 for i, n in enumerate(first('proto/msg.h', 'MSG_TABLE'))}
NAMES = {i: n for n, i in TYPES.items()}
COUNTERS = first('proto/stats.h', 'STAT_TABLE')
BUCKETS = number('proto/stats.h', 'STAT_BUCKETS')
RESULTS = number('proto/stats.h', 'STAT_RESULTS')
HISTOGRAMS = ['HIST_' + n for n in first('proto/stats.h', 'STAT_HIST_TABLE')]
KINDS = first('proto/status.h', 'STATUS_KIND_TABLE')
FIELDS = table('proto/status.h', 'STATUS_FIELD_TABLE')
FIELD_TYPES = first('proto/status.h', 'STATUS_TYPE_TABLE')
WORDS = [row[1] for row in table('proto/status.h', 'STATUS_WORD_TABLE')]


def encode(kind, *values):
    """The payload of CTL_ROW: values are numbers, words or, for text,
    octets."""
    out = bytes([KINDS.index(kind) + 1, len(values)])
    types = [f[3] for f in FIELDS if f[0] == kind]
    for t, v in zip(types, values):
        out += bytes([FIELD_TYPES.index(t) + 1])
        if t == 'TEXT':
            out += struct.pack('>H', len(v)) + v
        else:
            out += struct.pack('>Q', WORDS.index(v) if t == 'WORD' else v)
    return out


def decode(row):
    """(kind, {name of a field: value}) of such a payload."""
    kind, at, out = KINDS[row[0] - 1], 2, {}
    for f in FIELDS:
        if f[0] != kind:
            continue
        if FIELD_TYPES[row[at] - 1] == 'TEXT':
            end = at + 3 + struct.unpack_from('>H', row, at + 1)[0]
            out[f[2]] = row[at + 3:end].decode()
        else:
            end = at + 9
            v = struct.unpack_from('>Q', row, at + 1)[0]
            out[f[2]] = WORDS[v] if f[3] == 'WORD' else v
        at = end
    if at != len(row):
        raise ValueError('%d octets of %d in %r' % (at, len(row), row))
    return kind, out


class Control:
    def __init__(self, path=SOCKET, timeout=10):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(timeout)
        self.sock.connect(path)

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def send(self, name, payload=b''):
        self.sock.send(HEADER.pack(TYPES[name], HEADER.size + len(payload),
                                   0, os.getpid()) + payload)

    def receive(self):
        """(name, payload) of one message; name None: closed."""
        data = self.sock.recv(1 << 17)
        if data == b'':
            return None, b''
        kind, length, _, _ = HEADER.unpack_from(data)
        if length != len(data):
            raise ValueError('length %d in a record of %d' %
                             (length, len(data)))
        return NAMES[kind], data[HEADER.size:]

    def messages(self, name, payload=b''):
        """All answers up to the one that ends them."""
        self.send(name, payload)
        while True:
            kind, data = self.receive()
            if kind is None:
                raise ConnectionError('control socket closed')
            yield kind, data
            if kind == 'CTL_END':
                return

    def ask(self, name, payload=b''):
        answers, status = [], None
        for kind, data in self.messages(name, payload):
            if kind == 'CTL_TEXT':
                answers.append(data.decode())
            elif kind == 'CTL_ROW':
                answers.append(decode(data))
            elif kind == 'CTL_END':
                status = struct.unpack('>I', data)[0]
        return answers, status

    def stats(self):
        """Counters by name, and the histograms."""
        for kind, data in self.messages('CTL_STATS'):
            if kind == 'CTL_COUNTS':
                words = struct.unpack('>%dQ' % (len(data) // 8), data)
        sums = len(COUNTERS) + len(HISTOGRAMS) * BUCKETS
        pairs = sums + len(HISTOGRAMS)
        want = pairs + RESULTS * RESULTS
        if len(words) != want:
            raise ValueError('%d words, not %d' % (len(words), want))
        out = dict(zip(COUNTERS, words))
        for i, name in enumerate(HISTOGRAMS):
            at = len(COUNTERS) + i * BUCKETS
            out[name] = list(words[at:at + BUCKETS])
            out[name + '_SUM_US'] = words[sums + i]
        # [ours][theirs], numbered as the engine's results
        out['SECOND'] = [list(words[pairs + i * RESULTS:
                                    pairs + (i + 1) * RESULTS])
                         for i in range(RESULTS)]
        return out
