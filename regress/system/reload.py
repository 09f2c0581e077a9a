#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""50 reloads under load lose nothing; datasets and the per-user file reload
too; the old generation finishes under its configuration."""

import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('reload')
from daemon import POLICY, Daemon, check, finish, wait
from milterclient import MilterError
from policyclient import PolicyError
import product

RELOADS = 50


class Load(threading.Thread):
    """Messages on connections of ten, as a mail server sends them. What a
    refused or closed connection costs before its first byte was answered is
    tried again once, as Postfix does for the policy service."""

    def __init__(self, d, kind, number):
        super().__init__(daemon=True)
        self.d, self.kind, self.number = d, kind, number
        self.done, self.lost, self.wrong, self.stop = 0, [], 0, False

    def milter(self, i):
        with self.d.milter() as c:
            for j in range(10):
                r = c.mail('<u@r%d-%d-%d.many.test>' % (self.number, i, j))
                e = c.eom()
                good = r == ['c'] and 'spf=pass' in e[0] and e[-1] == 'c'
                self.done += good
                self.wrong += not good

    def policy(self, i):
        c = self.d.policy()
        for j in range(10):
            sender = 'u@r%d-%d-%d.many.test' % (self.number, i, j)
            try:
                r = self.d.ask(c, sender)
            except (OSError, PolicyError):
                c.close()
                c = self.d.policy()
                r = self.d.ask(c, sender)
            self.done += 'Pass' in r
            self.wrong += 'Pass' not in r
        c.close()

    def run(self):
        i = 0
        while not self.stop:
            i += 1
            try:
                getattr(self, self.kind)(i)
            except (OSError, MilterError, PolicyError) as e:
                self.lost.append('%s: %s' % (self.kind, e))


with Daemon() as d:
    loads = [Load(d, k, n) for n, k in
             enumerate(('milter', 'policy', 'milter', 'policy'))]
    for t in loads:
        t.start()
    good = 0
    for n in range(RELOADS):
        d.p.p.send_signal(signal.SIGHUP if n % 2 else signal.SIGUSR1)
        good += bool(wait(lambda: any(
            'generation %d serves' % (n + 2) in r for r in d.log.records)))
    for t in loads:
        t.stop = True
    for t in loads:
        t.join(30)
    done = sum(t.done for t in loads)
    lost = [x for t in loads for x in t.lost]
    print('log: %d reloads, %d messages, %d lost' % (good, done, len(lost)))
    check('reload/50-reloads', good == RELOADS, good)
    check('reload/under-load', done > 500, done)
    check('reload/nothing-lost', lost == [], lost[:3])
    check('reload/nothing-wrong', sum(t.wrong for t in loads) == 0)
    check('reload/old-generations-end', wait(
        lambda: len(d.children()) == 3, 20), len(d.children()))
    check('reload/parent-lives', d.p.p.poll() is None)

# a dataset
os.makedirs('/run/conf', exist_ok=True)
data = product.write_file('/run/conf/internal', '127.0.0.1\n')
with Daemon(conf='InternalHosts = file:%s\n' % data) as d:
    def skipped():
        with d.milter() as c:
            c.mail('<u@pass.test>')
            return len(c.eom()) == 1
    check('reload/dataset-before', not skipped())
    product.write_file(data, '127.0.0.1\n192.0.2.0/24\n')
    d.p.p.send_signal(signal.SIGHUP)
    check('reload/dataset-is-read-again', wait(skipped, 5))

# the per-user file, which needs no signal
users = product.write_file('/run/conf/users', 'a@dest.test,'
                           'Mail_From_reject=False\n')
with Daemon(conf='Per_User = text,%s\n' % users) as d:
    def answer(rcpt):
        with d.policy() as c:
            return d.ask(c, 'u@fail.test', recipient=rcpt)[:7]
    check('reload/user-before', answer('a@dest.test') == 'prepend')
    check('reload/other-user', answer('b@dest.test') == '550 5.7')
    product.write_file(users, 'b@dest.test,Mail_From_reject=False\n')
    check('reload/user-file-is-read-again', wait(
        lambda: answer('b@dest.test') == 'prepend', 8), d.log.records[-3:])
    check('reload/user-file-forgets', wait(
        lambda: answer('a@dest.test') == '550 5.7', 3))
    os.unlink(users)
    check('reload/user-file-gone', wait(
        lambda: answer('b@dest.test') == '550 5.7', 8))
    product.write_file(users, 'b@dest.test,Mail_From_reject=False\n')
    check('reload/user-file-back', wait(
        lambda: answer('b@dest.test') == 'prepend', 8), d.log.records[-3:])
finish()
