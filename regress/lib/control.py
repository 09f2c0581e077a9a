# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""spfctl's side of the control socket, for tests.

    c = Control()
    c.stats()   -> {'CONN_MILTER': 3, ...}, histograms as lists of buckets
    c.ask('CTL_STATUS') -> (lines of text, exit status)
Numbers of messages and names of counters are read from proto/msg.h and
proto/stats.h, so that they cannot be stale.
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
    """The first arguments of the rows X(...) of a table of macros."""
    with open(os.path.join(TOP, path), encoding='ascii') as f:
        text = f.read()
    body = re.search(r'#define %s\(X\)(.*?)\n\n' % name, text, re.S).group(1)
    return re.findall(r'\bX\((\w+),', body)


def number(path, name):
    with open(os.path.join(TOP, path), encoding='ascii') as f:
        return int(re.search(r'#define %s\s+(\d+)' % name, f.read()).group(1))


TYPES = {n: i + 1 for i, n in enumerate(table('proto/msg.h', 'MSG_TABLE'))}
NAMES = {i: n for n, i in TYPES.items()}
COUNTERS = table('proto/stats.h', 'STAT_TABLE')
BUCKETS = number('proto/stats.h', 'STAT_BUCKETS')
RESULTS = number('proto/stats.h', 'STAT_RESULTS')
HISTOGRAMS = ('HIST_CHECK', 'HIST_DNS')


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
        lines, status = [], None
        for kind, data in self.messages(name, payload):
            if kind == 'CTL_TEXT':
                lines.append(data.decode())
            elif kind == 'CTL_END':
                status = struct.unpack('>I', data)[0]
        return lines, status

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
