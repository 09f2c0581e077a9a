# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""A collector at /dev/log, for tests inside their own namespaces (ns.py).

    log = syslogd.Collector(); ...; log.records -> ['<22>ident[PID]: text']
Time stamps are cut off, and pids replaced by PID unless pids is True.
"""

import os
import re
import socket
import threading
import time

STAMP = re.compile(r'^(<\d+>)(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d )?')
PID = re.compile(r'^(<\d+>[^\[: ]+)\[\d+\]:')


class Collector:
    def __init__(self, path='/dev/log', pids=False):
        self.path, self.pids = path, pids
        self.records = []
        self.marks, self.seen = 0, set()
        self.more = threading.Condition()
        if os.path.exists(path):
            os.unlink(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while True:
            try:
                data = self.socket.recv(65536)
            except OSError:
                return
            text = data.rstrip(b'\0\n').decode('utf-8', 'backslashreplace')
            if text.startswith('mark '):
                with self.more:
                    self.seen.add(text)
                    self.more.notify_all()
                continue
            text = STAMP.sub(r'\1', text)
            if not self.pids:
                text = PID.sub(r'\1[PID]:', text)
            with self.more:
                self.records.append(text)
                self.more.notify_all()

    def settle(self):
        """Returns when all that was sent before has been recorded."""
        with self.more:
            self.marks += 1
            mark = 'mark %d' % self.marks
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(mark.encode(), self.path)
        with self.more:
            self.more.wait_for(lambda: mark in self.seen, 5)
            self.seen.discard(mark)

    def take(self):
        """The records so far, which are then forgotten."""
        with self.more:
            got, self.records = self.records, []
        return got

    def wait(self, pattern, seconds=10, since=0):
        """The first record that the pattern is found in, or None. since: how
        many records to pass over."""
        rx = re.compile(pattern)
        end = time.monotonic() + seconds
        with self.more:
            seen = since
            while True:
                for r in self.records[seen:]:
                    if rx.search(r):
                        return r
                seen = len(self.records)
                left = end - time.monotonic()
                if left <= 0:
                    return None
                self.more.wait(left)

    def close(self):
        self.socket.close()
        try:
            os.unlink(self.path)
        except OSError:
            pass
