# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Load on a daemon: threads that send messages as mail servers do, and what
became of them.

    with Load(milter(d), milter(d, each=10), policy(d)) as load:
        ...                     # three threads send; kill, reload, measure
    load.done, load.wrong, load.lost, load.refused, load.percentile(99)

A turn is a generator function: turn(number, n) is the n-th turn of a thread.
It sends messages on a connection of its own and yields for each True when it
was judged as it must be, else what was seen. Each thread makes turns until
the load ends, or so many as rounds says.
"""

import threading
import time

from check import wait
from client import ClientError, Refused


class Load:
    def __init__(self, *turns, rounds=None, pause=0.0):
        """pause: seconds between two messages of a thread."""
        self.rounds, self.pause = rounds, pause
        self.lock, self.over = threading.Lock(), threading.Event()
        self.done = self.refused = 0    # messages judged rightly; connects
        self.wrong, self.lost = [], []  # what was seen; errors of connections
        self.times = []                 # seconds a message, lost ones too
        self.threads = [
            threading.Thread(target=self.work, args=(t, n), daemon=True)
            for n, t in enumerate(turns)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *exc):
        if self.rounds is None:
            self.over.set()
        self.join(60)

    def join(self, seconds):
        end = time.monotonic() + seconds
        for t in self.threads:
            t.join(max(0, end - time.monotonic()))

    def more(self, count=20, seconds=10):
        """Waits for so many more messages."""
        enough = self.done + count
        wait(lambda: self.done >= enough, seconds)

    def running(self):
        return any(t.is_alive() for t in self.threads)

    def work(self, turn, number):
        n = 0
        while not self.over.is_set() and n != self.rounds:
            try:
                self.take(turn(number, n))
            except Refused:
                with self.lock:
                    self.refused += 1
                self.over.wait(0.01)
            except Exception as e:      # counted, of whatever kind
                with self.lock:
                    self.lost.append(repr(e))
                self.over.wait(0.01)
            n += 1

    def take(self, answers):
        """The messages of one turn."""
        while not self.over.is_set():
            start = time.monotonic()
            try:
                answer = next(answers)
            except StopIteration:
                return
            except Exception:
                self.note(start)
                raise
            self.note(start, answer)
            self.over.wait(self.pause)

    def note(self, start, answer=None):
        with self.lock:
            self.times.append(time.monotonic() - start)
            if answer is True:
                self.done += 1
            elif answer is not None:
                self.wrong.append(answer)

    def percentile(self, p):
        with self.lock:
            times = sorted(self.times)
        return times[min(len(times) - 1, len(times) * p // 100)]


def names(sender, number, n, each):
    """Senders of a turn; %s becomes something that no other message has."""
    return (sender.replace('%s', '%d-%d-%d' % (number, n, i))
            for i in range(each))


FRESH = 'u@n%s.many.test'


def milter(d, each=1, sender=FRESH, whole=False, **session):
    """Turns of so many messages that pass: only MAIL, or whole ones. d: a
    Daemon; session: see MilterClient.session()."""
    def turn(number, n):
        with d.milter(**session) as c:
            for s in names(sender, number, n, each):
                if whole:
                    r = c.message('<%s>' % s)
                    yield (len(r) == 3 and r[0] == r[2] == 'c' and
                           'spf=pass' in r[1]) or r
                else:
                    r = c.mail('<%s>' % s)
                    yield r == ['c'] or r
                    c.abort()
            c.quit()
    return turn


def policy(d, each=1, sender=FRESH, again=False):
    """The same with policy requests. again: a request whose connection is
    lost is asked once more, as Postfix does."""
    def turn(number, n):
        c = d.policy()
        try:
            for s in names(sender, number, n, each):
                try:
                    r = d.ask(c, s)
                except (OSError, ClientError):
                    if not again:
                        raise
                    c.close()
                    c = d.policy()
                    r = d.ask(c, s)
                yield r.startswith('prepend Received-SPF: Pass') or r
        finally:
            c.close()
    return turn


def rejected(session):
    """Turns of one message that fails; session() opens a connection."""
    def turn(number, n):
        with session() as c:
            r = c.mail('<u@fail.test>')
            yield r[0].startswith('y 550 5.7.23') or r
    return turn
