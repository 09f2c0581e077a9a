#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""50 reloads under load lose nothing; datasets and the per-user file reload
too; the old generation finishes under its configuration."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('reload')
import product
from daemon import Daemon, above, becomes, check, empty, equal, finish, wait
from load import Load, milter, policy

RELOADS = 50


def under_load():
    with Daemon() as d:
        turns = [milter(d, 10, whole=True), policy(d, 10, again=True)]
        good = 0
        with Load(*turns * 2) as load:
            for n in range(RELOADS):
                good += d.reload(signal.SIGHUP if n % 2 else
                                 signal.SIGUSR1) is not None
        print('log: %d reloads, %d messages' % (good, load.done))
        equal('reload/50-reloads', good, RELOADS)
        above('reload/under-load', load.done, 500)
        empty('reload/nothing-lost', load.lost + ['refused'] * load.refused)
        empty('reload/nothing-wrong', load.wrong)
        becomes('reload/old-generations-end', lambda: len(d.children()), 3,
                20)
        equal('reload/parent-lives', d.p.p.poll(), None)


def dataset():
    product.folder('/run/conf')
    data = product.write_file('/run/conf/internal', '127.0.0.1\n')
    with Daemon(conf='InternalHosts = file:%s\n' % data) as d:
        def skipped():
            with d.milter() as c:
                c.mail('<u@pass.test>')
                return len(c.eom()) == 1
        equal('reload/dataset-before', skipped(), False)
        product.write_file(data, '127.0.0.1\n192.0.2.0/24\n')
        d.send(signal.SIGHUP)
        check('reload/dataset-is-read-again', wait(skipped, 5))


def user_file():
    """The per-user file needs no signal."""
    users = product.write_file('/run/conf/users', 'a@dest.test,'
                               'Mail_From_reject=False\n')
    with Daemon(conf='Per_User = text,%s\n' % users) as d:
        def answer(rcpt):
            with d.policy() as c:
                return d.ask(c, 'u@fail.test', recipient=rcpt)[:7]

        def a():
            return answer('a@dest.test')

        def b():
            return answer('b@dest.test')
        equal('reload/user-before', a(), 'prepend')
        equal('reload/other-user', b(), '550 5.7')
        b_alone = 'b@dest.test,Mail_From_reject=False\n'
        product.write_file(users, b_alone)
        becomes('reload/user-file-is-read-again', b, 'prepend', 8)
        becomes('reload/user-file-forgets', a, '550 5.7', 3)
        os.unlink(users)
        becomes('reload/user-file-gone', b, '550 5.7', 8)
        product.write_file(users, b_alone)
        becomes('reload/user-file-back', b, 'prepend', 8)


under_load()
dataset()
user_file()
finish()
