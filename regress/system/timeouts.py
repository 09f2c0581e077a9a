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
from daemon import MILTER, POLICY, Daemon, check, finish
from milterclient import packet

LONGEST = 118
OPTNEG = packet('O', struct.pack('>III', 6, 0x1ff, 0x1fffff))


class Peer(threading.Thread):
    """Sends first, then drip every so often; notes when it was closed."""

    def __init__(self, name, path, first, drip, every, low, high,
                 read=True):
        super().__init__(daemon=True)
        self.name, self.first, self.drip = name, first, drip
        self.every, self.low, self.high = every, low, high
        self.read = read
        self.s = socket.socket(socket.AF_UNIX)
        if not read:
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.s.connect(path)
        self.closed = None

    def run(self):
        start = time.monotonic()
        try:
            self.s.settimeout(self.every)
            self.s.sendall(self.first)
            while time.monotonic() - start < LONGEST:
                if self.read:
                    try:
                        if self.s.recv(65536) == b'':
                            break
                    except socket.timeout:
                        pass
                else:
                    time.sleep(self.every)
                if self.drip:
                    try:
                        self.s.send(self.drip)
                    except socket.timeout:
                        pass
            else:
                return
        except OSError:
            pass
        self.closed = time.monotonic() - start

    def judge(self, log):
        seen = '%s s' % (None if self.closed is None else
                         round(self.closed, 1))
        if self.low is None:
            check('timeouts/%s-stays' % self.name, self.closed is None, seen)
        else:
            check('timeouts/%s-closed-in-time' % self.name,
                  self.closed is not None and
                  self.low <= self.closed <= self.high, seen)


ASK = (b'client_address=192.0.2.1\nsender=u@pass.test\nhelo_name=none.test\n'
       b'\n')
with Daemon() as d:
    peers = [
        Peer('policy-no-blank-line', POLICY, b'sender=x\n', None, 1, 60, 112),
        Peer('policy-drip', POLICY, b'sender=', b'a', 2, 60, 112),
        Peer('policy-lines-for-minutes', POLICY, b'a=b\n', b'a=b\n', 1, 60,
             112),
        Peer('policy-never-reads', POLICY, ASK * 3000, ASK * 400, 0.5, 5,
             112, read=False),
        Peer('milter-half-packet', MILTER, OPTNEG + b'\0\0\1', None, 1, 20,
             45),
        Peer('milter-drip', MILTER, OPTNEG + struct.pack('>I', 60000) + b'L',
             b'x', 2, 20, 112),
        Peer('milter-idle', MILTER, OPTNEG, None, 1, None, None),
        Peer('policy-idle', POLICY, ASK, None, 1, None, None),
    ]
    for p in peers:
        p.start()
    for p in peers:
        p.join(LONGEST + 10)
    for p in peers:
        p.judge(d.log.records)
    lines = [r for r in d.log.records if 'connection closed' in r]
    check('timeouts/closed-ones-are-logged', len(lines) >= 5, lines)
    with d.policy() as c:
        check('timeouts/others-are-served', 'Pass' in d.ask(c, 'u@pass.test'))
finish()
