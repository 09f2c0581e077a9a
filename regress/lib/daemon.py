# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Daemons in a machine of their own (ns.py): with a DNS server, a log
collector, and what they print of it.

    with Daemon(zone=[...], conf='debugLevel = 1\\n') as d:
        d.milter(); d.policy(); d.children(); d.log.records
is one daemon with both sockets, for all but the tests with a mail server.

    class Tests(Site): ...      Tests('postfix/', zone).play()
is a place for several; see Site.
"""

import os
import re
import signal
import sys
import time

import dnsd
import milterclient
import product
import syslogd
from check import (Checks, above, becomes, begins, below,  # noqa: F401
                   check, empty, equal, failed, finish, holds, skip, wait)
from policyclient import PolicyClient

RUN = '/run/t'
MILTER = '/run/pyspf-milter/pyspf-milter.sock'
POLICY = '/run/pyspf-milter/policy.sock'
PIDFILE = '/run/pyspf-milter/pyspf-milter.pid'
ZONE = [
    'pass.test TXT "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all"',
    'fail.test TXT "v=spf1 -all"',
    'soft.test TXT "v=spf1 ~all"',
    'none.test A 192.0.2.99',
    'mail.none.test A 192.0.2.98',
    'servfail.test SERVFAIL',
    'slow.test DELAY 5',
    '*.slow.test DELAY 5',
    '*.slow.test TXT "v=spf1 ip4:192.0.2.1 -all"',
    '*.many.test TXT "v=spf1 ip4:192.0.2.1 -all"',
]


def status(pid):
    """/proc/PID/status as a dict; empty when it is gone."""
    try:
        with open('/proc/%d/status' % pid, encoding='ascii',
                  errors='replace') as f:
            return dict(line.rstrip('\n').split(':\t', 1)
                        for line in f if ':\t' in line)
    except OSError:
        return {}


def children_of(pid):
    return [int(p) for p in filter(str.isdigit, os.listdir('/proc'))
            if status(int(p)).get('PPid') == str(pid)]


def confined(pid):
    """By a filter of its own, above the parent's (with sanitizers: none)."""
    return status(pid).get('Seccomp_filters') in ('2', '0')


def role(pid):
    try:
        with open('/proc/%d/cmdline' % pid, 'rb') as f:
            argv = f.read().split(b'\0')
    except OSError:
        return None
    return argv[2].decode() if argv[1:2] == [b'-x'] else 'parent'


def processes(comm):
    """The pids of a program, by its name."""
    return [int(p) for p in filter(str.isdigit, os.listdir('/proc'))
            if status(int(p)).get('Name') == comm]


def rss(pid):
    """Kilobytes."""
    return int(status(pid).get('VmRSS', '0 kB').split()[0])


def limits(pid, name):
    """[soft, hard] of a line of /proc/PID/limits, as texts; None."""
    with open('/proc/%d/limits' % pid, encoding='ascii') as f:
        for line in f:
            if line.startswith(name):
                return line[len(name):].split()[:2]
    return None


def kill_all(pids, sig=signal.SIGKILL):
    """Some may end by themselves as soon as another is gone."""
    for pid in pids:
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass


class Site(Checks):
    """A DNS server, a log collector, and daemons by their names, each with a
    folder below RUN. A subclass has run(), and stop() for what it adds."""

    def __init__(self, prefix, zone, latency=0.0):
        super().__init__(prefix)
        self.dns = dnsd.DnsServer(addr=['127.0.0.1', '::1'], port=53,
                                  latency=latency)
        self.dns.start(zone)
        self.log = syslogd.Collector()
        self.program = product.wanted(prefix.strip('/') or 'daemon',
                                      'pyspf-milter')
        self.daemons = {}

    def daemon(self, name, conf, where, test=None):
        """Starts one with a configuration (a path, or lines); the test says
        whether it listens at where. Without a test it must."""
        folder = product.folder('%s/%s' % (RUN, name), 'pyspf-milter')
        if not isinstance(conf, str):
            conf = product.write_file(folder + '/conf', '\n'.join(conf) +
                                      '\n')
        d = self.daemons[name] = product.Milter(self.program, conf, where)
        good = d.wait_ready()
        seen = d.p.poll(), self.log.records[-5:]
        if test is not None:
            return self.check(test, good, seen)
        if not good:
            raise RuntimeError('%s does not listen: %s' % (name, seen))
        return True

    def records(self, pattern):
        """Those of the log so far that the pattern is found in."""
        self.log.settle()
        return [r for r in self.log.records if re.search(pattern, r)]

    def kill_daemon(self, name):
        """kill -9 of a daemon and all its processes."""
        p = self.daemons[name].p
        kill_all([p.pid] + children_of(p.pid))
        p.wait()

    def stop(self):
        for d in self.daemons.values():
            d.end()
        self.dns.stop()
        self.log.settle()
        self.log.close()

    def play(self):
        """run(), and the end of the program. -v: prints the log."""
        try:
            self.run()
        finally:
            self.stop()
            if '-v' in sys.argv:
                print('\n'.join(self.log.records))
        finish()


class Daemon(Site):
    def __init__(self, conf='', zone=(), args=(), start=True, policy=True,
                 latency=0.0, where=MILTER):
        super().__init__('', list(ZONE) + list(zone), latency)
        os.makedirs('/run/conf', exist_ok=True)
        text = conf
        if policy:
            text += 'PolicySocket = local:%s\n' % POLICY
        self.conf = product.write_file('/run/conf/pyspf-milter.conf', text)
        self.where = where
        self.args = args
        self.p = None
        self.generation = 1
        if start:
            self.start()

    def start(self):
        self.p = product.Milter(self.program, self.conf, self.where,
                                args=self.args)
        if not self.p.wait_ready():
            check('daemon-starts', False, self.log.records)
            finish()
        # forked is not yet executed, and that is not yet ready
        wait(lambda: len(self.children()) >= 3 and
             not self.children('parent') and
             all(confined(p) for p in self.children()))

    @property
    def pid(self):
        return self.p.p.pid

    def children(self, what=None):
        return [p for p in children_of(self.pid)
                if what is None or role(p) == what]

    def kill(self, what, sig=signal.SIGKILL):
        pids = self.children(what)
        kill_all(pids, sig)
        return pids

    def send(self, sig):
        os.kill(self.pid, sig)

    def reload(self, sig=signal.SIGHUP, seconds=10):
        """The record of the next generation, or None. A daemon that is not
        quite started refuses: it is asked again."""
        self.generation += 1
        for _ in range(20):
            since = len(self.log.records)
            self.send(sig)
            got = self.log.wait('generation %d serves|not now: starting'
                                % self.generation, seconds, since)
            if got is None or 'serves' in got:
                return got
            time.sleep(0.05)
        return None

    def said(self, part):
        """Is it in a record so far?"""
        return any(part in r for r in self.log.records)

    def milter(self, timeout=30, client='192.0.2.1', helo='mail.none.test'):
        """A session up to HELO."""
        return milterclient.session(self.where, timeout, client, helo)

    def policy(self, timeout=30):
        return PolicyClient(POLICY, timeout)

    def ask(self, c, sender, instance=None, **more):
        a = {'client_address': '192.0.2.1', 'helo_name': 'mail.none.test',
             'sender': sender, 'recipient': 'r@dest.test'}
        if instance is not None:
            a['instance'] = instance
        a.update(more)
        return c.ask(a)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.p is not None:
            self.p.end()
        self.stop()
