# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The daemon with a DNS server, a log collector and both sockets, for tests
inside a namespace (ns.py), and what they print.

    with Daemon(zone=[...], conf='debugLevel = 1\\n') as d:
        d.milter(); d.policy(); d.children(); d.log.records
"""

import os
import signal
import sys
import time

import dnsd
import ns
import product
import syslogd
from milterclient import MilterClient
from policyclient import PolicyClient

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
failures = 0


def ok(name):
    print('ok ' + name, flush=True)


def check(name, good, seen=''):
    """One test line."""
    global failures
    if good:
        ok(name)
    else:
        failures += 1
        print('not ok %s - %s' % (name, str(seen).replace('\n', ' | ')),
              flush=True)


def finish():
    sys.exit(1 if failures else 0)


def wait(fn, seconds=10, step=0.02):
    """fn() as soon as it is true, or its last value."""
    end = time.monotonic() + seconds
    while True:
        value = fn()
        if value or time.monotonic() > end:
            return value
        time.sleep(step)


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
    out = []
    for name in os.listdir('/proc'):
        if name.isdigit() and status(int(name)).get('PPid') == str(pid):
            out.append(int(name))
    return out


def role(pid):
    try:
        with open('/proc/%d/cmdline' % pid, 'rb') as f:
            argv = f.read().split(b'\0')
    except OSError:
        return None
    return argv[2].decode() if argv[1:2] == [b'-x'] else 'parent'


class Daemon:
    def __init__(self, conf='', zone=(), args=(), start=True, policy=True,
                 latency=0.0, where=MILTER):
        self.dns = dnsd.DnsServer(port=53, latency=latency)
        self.dns.start(list(ZONE) + list(zone))
        self.log = syslogd.Collector()
        self.program = product.wanted('daemon', 'pyspf-milter')
        os.makedirs('/run/conf', exist_ok=True)
        text = conf
        if policy:
            text += 'PolicySocket = local:%s\n' % POLICY
        self.conf = product.write_file('/run/conf/pyspf-milter.conf', text)
        self.where = where
        self.args = args
        self.p = None
        if start:
            self.start()

    def start(self):
        self.p = product.Milter(self.program, self.conf, self.where,
                                args=self.args)
        if not self.p.wait_ready():
            print('not ok daemon-starts - ' + ' | '.join(
                self.log.records), flush=True)
            sys.exit(1)
        # forked is not yet executed
        wait(lambda: len(self.children()) >= 3 and not self.children('parent'))

    @property
    def pid(self):
        return self.p.p.pid

    def children(self, what=None):
        return [p for p in children_of(self.pid)
                if what is None or role(p) == what]

    def kill(self, what, sig=signal.SIGKILL):
        pids = self.children(what)
        for p in pids:
            os.kill(p, sig)
        return pids

    def milter(self, timeout=30, client='192.0.2.1', helo='mail.none.test'):
        """A session up to HELO."""
        c = MilterClient(self.where, timeout)
        c.negotiate()
        c.macros('C', {'j': ns.HOSTNAME, '{daemon_name}': 'smtpd'})
        c.connect('client.none.test', client)
        if helo is not None:
            c.helo(helo)
        return c

    def policy(self, timeout=30):
        return PolicyClient(POLICY, timeout=timeout)

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
        self.dns.stop()
