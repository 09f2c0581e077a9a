#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Peers that are slow on purpose are closed in time, with a log line: a
request without its blank line for minutes, half a packet, a drip, one that
does not read. Idle ones stay, as mail servers expect."""

import os
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('timeouts')
from daemon import MILTER, POLICY, Daemon, above, check, finish, holds
from milterclient import optneg

LONGEST = 118
ASK = (b'client_address=192.0.2.1\nsender=u@pass.test\nhelo_name=none.test\n'
       b'\n')
# name, socket, what is sent first, then so often, each so many seconds,
# and between which seconds the connection must be closed (None: never)
PEERS = (
    ('policy-no-blank-line', POLICY, b'sender=x\n', None, 1, (60, 112)),
    ('policy-drip', POLICY, b'sender=', b'a', 2, (60, 112)),
    ('policy-lines-for-minutes', POLICY, b'a=b\n', b'a=b\n', 1, (60, 112)),
    ('policy-never-reads', POLICY, ASK * 3000, ASK * 400, 0.5, (5, 112)),
    ('milter-half-packet', MILTER, optneg() + b'\0\0\1', None, 1, (20, 45)),
    ('milter-drip', MILTER, optneg() + struct.pack('>I', 60000) + b'L', b'x',
     2, (20, 112)),
    ('milter-idle', MILTER, optneg(), None, 1, None),
    ('policy-idle', POLICY, ASK, None, 1, None),
)


class Peer(threading.Thread):
    """One of PEERS; notes when it was closed."""

    def __init__(self, name, path, first, drip, every, bounds):
        super().__init__(daemon=True)
        self.name, self.first, self.drip = name, first, drip
        self.every, self.bounds = every, bounds
        self.reads = not name.endswith('never-reads')
        self.s = socket.socket(socket.AF_UNIX)
        if not self.reads:
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.s.connect(path)
        self.closed = None
        self.start()

    def run(self):
        start = time.monotonic()
        try:
            self.s.settimeout(self.every)
            self.s.sendall(self.first)
            while self.turn():
                if time.monotonic() - start >= LONGEST:
                    return
        except OSError:
            pass
        self.closed = time.monotonic() - start

    def turn(self):
        """Reads or waits, then sends; False at the end of the stream."""
        try:
            if not self.reads:
                time.sleep(self.every)
            elif self.s.recv(65536) == b'':
                return False
        except socket.timeout:
            pass
        try:
            if self.drip:
                self.s.send(self.drip)
        except socket.timeout:
            pass
        return True

    def judge(self):
        if self.bounds is None:
            check('timeouts/%s-stays' % self.name, self.closed is None,
                  'closed after %s s' % self.closed)
        else:
            low, high = self.bounds
            check('timeouts/%s-closed-in-time' % self.name,
                  self.closed is not None and low <= self.closed <= high,
                  '%s s, want %d to %d' % (self.closed, low, high))


with Daemon() as d:
    peers = [Peer(*p) for p in PEERS]
    for p in peers:
        p.join(LONGEST + 10)
    for p in peers:
        p.judge()
    above('timeouts/closed-ones-are-logged', sum(
        'connection closed' in r for r in d.log.records), 4)
    with d.policy() as c:
        holds('timeouts/others-are-served', d.ask(c, 'u@pass.test'), 'Pass')
finish()
