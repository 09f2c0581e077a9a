#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""A compromised or hanging child: it is ended and replaced, and the others
serve on."""

import errno
import os
import pwd
import resource
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('compromised')
from daemon import (Daemon, above, becomes, below, check, confined, empty,
                    equal, finish, holds, kill_all, limits, status, wait)
from load import Load, policy
import hijack
import product
import syslogd

BROKEN = b'\xff' * 16           # a record of no known type
ANSWER_SECONDS = 12             # a child must answer PING in this time
READY_SECONDS = 20


def serves(name, d, n=[0]):
    n[0] += 1
    with d.policy() as c:
        holds(name, d.ask(c, 'u@c%d.many.test' % n[0]), 'Pass')


def new_child(d, what, old):
    """A child of that role that is not one of these, and confined."""
    found = []
    wait(lambda: found.extend(p for p in d.children(what)
                              if p not in old and confined(p)) or found, 10)
    return found[0] if found else None


def descriptors_in_flight():
    """Those that one process sends and nobody receives count for the user:
    the parent must still be able to start children."""
    uid = pwd.getpwnam('pyspf-milter').pw_uid
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    with Daemon() as d:
        worker = d.children('worker')[0]
        soft = int(limits(worker, 'Max open files')[0])
        above('in-flight/parent-may-more', int(
            limits(d.pid, 'Max open files')[0]), soft + 253)
        pid, why = hijack.park_descriptors(uid, soft)
        equal('in-flight/until-the-kernel-refuses', why, errno.ETOOMANYREFS)
        try:
            old = d.kill('worker')
            check('in-flight/worker-is-started',
                  new_child(d, 'worker', old) is not None, d.log.records)
            serves('in-flight/serves', d)
            check('in-flight/reload', d.reload() is not None, d.log.records)
        finally:
            kill_all([pid])
            os.waitpid(pid, 0)


def breaks_the_rules_twice():
    """Each time dns reports it; each time it is ended and replaced."""
    with Daemon(conf='Workers = 1\n') as d:
        for turn in ('first', 'second', 'third'):
            old = d.children('worker')
            hijack.say(old[0], BROKEN)
            check('broken/%s-worker-ended' % turn,
                  wait(lambda: not status(old[0]), 5))
            check('broken/%s-worker-replaced' % turn,
                  new_child(d, 'worker', old) is not None)
            serves('broken/%s-serves' % turn, d)
        for what in ('worker', 'dns'):
            old = d.children(what)
            hijack.say(old[0], BROKEN, parent=True)
            check('broken/%s-to-the-parent' % what,
                  new_child(d, what, old) is not None)
            serves('broken/%s-to-the-parent-serves' % what, d)


def never_ready():
    """A child that was replaced and hangs before READY."""
    with Daemon() as d:
        stuck = None
        for _ in range(50):
            old = d.children()
            kill_all(d.children('worker')[:1])
            found = []
            wait(lambda: found.extend(p for p in d.children()
                                      if p not in old) or found, 2, 0.0005)
            kill_all(found, signal.SIGSTOP)
            if found and not confined(found[0]) and \
                    status(found[0]).get('State', '')[:1] == 'T':
                stuck = found[0]
                break
            kill_all(found, signal.SIGCONT)
            wait(lambda: len(d.children('worker')) == 2, 5)
        if not check('ready/stopped-before-it', stuck is not None):
            return
        serves('ready/others-serve', d)
        check('ready/ended', wait(lambda: not status(stuck),
                                  READY_SECONDS + 3))
        check('ready/log', d.log.wait('was not ready after 20 seconds'),
              d.log.records)
        becomes('ready/back-to-two', lambda: len(d.children('worker')), 2)


def hangs():
    """It answers no PING: the parent ends it, without a service manager."""
    with Daemon() as d:
        for what in ('worker', 'dns'):
            old = d.children(what)
            os.kill(old[0], signal.SIGSTOP)
            start = time.monotonic()
            check('hangs/%s-ended' % what,
                  wait(lambda: not status(old[0]), ANSWER_SECONDS + 3))
            above('hangs/%s-not-too-soon' % what, time.monotonic() - start, 7)
            check('hangs/%s-replaced' % what,
                  new_child(d, what, old) is not None)
            serves('hangs/%s-serves' % what, d)
        equal('hangs/log', len(d.records('does not answer; it is ended')), 2)


def storm():
    """100 ends in a minute, of each kind of process in turn (a third of that
    minute here): each request is answered within a second."""
    with Daemon() as d:
        with Load(*[policy(d, again=True)] * 3, pause=0.01) as load:
            for turn in range(33):
                kill_all(d.children(('worker', 'dns')[turn % 2])[:1],
                         signal.SIGSEGV)
                time.sleep(0.6)
        empty('storm/wrong', load.wrong)
        empty('storm/lost', load.lost)
        equal('storm/refused', load.refused, 0)
        above('storm/answered', load.done, 1000)
        below('storm/longest-wait', max(load.times), 1)
        print('log: %d answered, longest %.3f s' % (load.done,
                                                     max(load.times)))


def cannot_fork():
    """The start fails; it is not tried for ever."""
    log = syslogd.Collector()
    conf = product.write_file('/run/fork.conf', 'Socket = inet:8899\n')
    p = subprocess.Popen(['prlimit', '--nproc=1', product.wanted(
        'fork', 'pyspf-milter'), conf], stdin=subprocess.DEVNULL)
    try:
        status = p.wait(15)
    except subprocess.TimeoutExpired:
        status = None
        p.kill()
    check('fork/start-fails', status not in (0, None), status)
    check('fork/says-why', log.wait(
        'start failed: a child cannot be started'), log.records)
    log.close()


cannot_fork()
descriptors_in_flight()
breaks_the_rules_twice()
never_ready()
hangs()
storm()
finish()
