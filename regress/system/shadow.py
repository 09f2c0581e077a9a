#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Second_Opinion: the shadow compares, dies and is stopped, and mail does
not notice."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('shadow')
from control import Control
from daemon import Daemon, check, finish, status, wait
import product

ON = 'Second_Opinion = libspf2\n'
NONE, NEUTRAL, PASS, FAIL, SOFTFAIL, TEMPERROR, PERMERROR = range(7)
# 509 octets of explanation that overflow a buffer of libspf2
KILLER = ['kill.test TXT "v=spf1 -all exp=e.kill.test"',
          'e.kill.test TXT "%s"' % ('%{d}' * 127 + 'A')]
ZONE = KILLER + [
    'zero.test TXT "v=spf1 ip4:0.0.0.0/0 -all"',
    'void.test TXT "v=spf1 a:v1.none.test a:v2.none.test a:v3.none.test '
    'ip4:192.0.2.1 -all"',
    'helo.test TXT "v=spf1 ip4:192.0.2.1 -all"',
    'inc.test TXT "v=spf1 include:pass.test include:soft.test -all"',
    'syntax.test TXT "v=spf1 ip4:1.2.3 -all"']
# 10 includes a level, 5 levels: libspf2 would ask 111,111 times
for level in range(5):
    ZONE.append('bomb%d.test TXT "v=spf1%s ?all"' %
                (level, ' include:bomb%d.test' % (level + 1) * 10))
ZONE.append('bomb5.test TXT "v=spf1 ?all"')
MESSAGES = 1000
CONNECTIONS = 4
P99 = 0.5       # seconds; without a shadow it is some milliseconds


def stats():
    with Control() as c:
        return c.stats()


def judged(s):
    return s['SECOND_AGREE'] + s['SECOND_DIFFER']


def settled(n, seconds=10):
    """The counters when n copies have been judged, or the last ones."""
    wait(lambda: judged(stats()) >= n, seconds)
    return stats()


def violations(d):
    d.log.settle()
    return [r for r in d.log.records if 'violation' in r or
            'broke the message rules' in r or 'malformed' in r]


def ready(d):
    """The pid of a shadow that serves, or None."""
    pids = d.children('shadow')
    return pids[0] if len(pids) == 1 and \
        status(pids[0]).get('Seccomp') == '2' else None


# --- off by default --------------------------------------------------------

with Daemon(zone=ZONE) as d:
    with d.milter() as c:
        c.mail('<u@zero.test>')
    s = stats()
    equal('shadow/off-no-process', d.children('shadow'), [])
    check('shadow/off-counts-nothing', judged(s) + s['SECOND_SENT'] +
          s['SECOND_DROPPED'] == 0, s)

# --- agreement and known differences, both front ends -----------------------

SAME = [('<u@pass.test>', PASS), ('<u@fail.test>', FAIL),
        ('<u@soft.test>', SOFTFAIL), ('<u@none.test>', NONE),
        ('<u@inc.test>', PASS), ('<u@syntax.test>', PERMERROR),
        ('<u@servfail.test>', TEMPERROR)]
DIFFERENT = [('<u@zero.test>', PASS, PERMERROR),
             ('<u@void.test>', PERMERROR, PASS)]
NAMES = ['none', 'neutral', 'pass', 'fail', 'softfail', 'temperror',
         'permerror']
for frontend in ('native', 'libmilter'):
    tag = 'shadow/%s-' % frontend
    with Daemon(conf=ON + 'Milter_Frontend = %s\n' % frontend,
                zone=ZONE) as d:
        check(tag + 'one-process', wait(lambda: ready(d)) is not None,
              d.children('shadow'))
        for n, (sender, result) in enumerate(SAME):
            with d.milter() as c:
                c.mail(sender)
            s = settled(n + 1)
            check(tag + 'agrees-' + NAMES[result] +
                  ('-include' if 'inc' in sender else ''),
                  s['SECOND_AGREE'] == n + 1 and s['SECOND_DIFFER'] == 0,
                  (sender, s['SECOND'], d.log.records[-2:]))
        for n, (sender, ours, theirs) in enumerate(DIFFERENT):
            with d.milter() as c:
                c.mail(sender)
            s = settled(len(SAME) + n + 1)
            check(tag + 'differs-' + sender[3:-6],
                  s['SECOND_DIFFER'] == n + 1 and
                  s['SECOND'][ours][theirs] == 1, s['SECOND'])
            line = ('second opinion: libspf2 says %s where we say %s: '
                    'client=192.0.2.1 sender=%s helo=mail.none.test' %
                    (NAMES[theirs], NAMES[ours], sender.strip('<>')))
            check(tag + 'differs-%s-logged' % sender[3:-6], d.log.wait(
                re.escape(line) + '$') is not None, d.log.records[-3:])
        # the null sender: its HELO is judged
        with d.milter(helo='helo.test') as c:
            c.mail('<>')
        total = len(SAME) + len(DIFFERENT) + 1
        s = settled(total)
        check(tag + 'null-sender-helo', judged(s) == total and
              s['SECOND'][PASS][PASS] == 3, s['SECOND'])
        # policy requests go to workers with either front end
        with d.policy() as c:
            d.ask(c, 'u@pass.test')
        s = settled(total + 1)
        check(tag + 'policy', s['SECOND'][PASS][PASS] == 4, s['SECOND'])
        check(tag + 'sent-is-judged', s['SECOND_SENT'] == judged(s) ==
              sum(map(sum, s['SECOND'])) and s['SECOND_DROPPED'] == 0, s)
        # a tree of includes is cut short, and not by time
        start = time.monotonic()
        with d.milter() as c:
            c.mail('<u@bomb0.test>')
        s = settled(total + 2)
        check(tag + 'include-bomb', s['SECOND'][PERMERROR][TEMPERROR] == 1 and
              time.monotonic() - start < 5, s['SECOND'])
        equal(tag + 'no-violation', violations(d), [])
        pid = d.children('shadow')[0]
        check(tag + 'confined', status(pid).get('Seccomp') == '2' and
              int(status(pid)['CapBnd'], 16) == 0, status(pid))
        with open('/proc/%d/limits' % pid, encoding='ascii') as f:
            limits = f.read()
        check(tag + 'cpu-limit', re.search(
            r'Max cpu time +120 +121', limits) is not None, limits)
        with open('/proc/%d/stat' % pid, encoding='ascii') as f:
            nice = f.read().rsplit(')', 1)[1].split()[16]
        equal(tag + 'gives-way', nice, '10')

# --- a part of the requests -------------------------------------------------

with Daemon(conf=ON + 'Second_Opinion_Sample = 10\nWorkers = 1\n') as d:
    wait(lambda: ready(d))
    with d.policy() as c:
        for i in range(200):
            d.ask(c, 'u@s%d.many.test' % i)
    s = settled(20)
    check('shadow/sample-of-ten-percent', 15 <= s['SECOND_SENT'] <= 25 and
          judged(s) == s['SECOND_SENT'], s['SECOND_SENT'])


# --- the record that kills it ------------------------------------------------

class Mail(threading.Thread):
    """Messages on one connection, with verdict and time of each."""

    def __init__(self, d, number, count, pause):
        super().__init__(daemon=True)
        self.d, self.number, self.count = d, number, count
        self.pause = pause
        self.wrong, self.times = [], []

    def run(self):
        with self.d.milter() as c:
            for i in range(self.count):
                good = i % 2 == 0
                start = time.monotonic()
                r = c.mail('<u@m%d-%d.many.test>' % (self.number, i) if good
                           else '<u@fail.test>')
                self.times.append(time.monotonic() - start)
                if not r[0].startswith('c' if good else 'y 550 5.7.23'):
                    self.wrong.append(r)
                if good:
                    c.abort()
                time.sleep(self.pause)


def mail(d, during=None):
    """(wrong verdicts, 99th percentile, longest) of 1,000 messages."""
    # spread over more than a second when something is to happen meanwhile
    pause = 0 if during is None else 0.005
    threads = [Mail(d, i, MESSAGES // CONNECTIONS, pause)
               for i in range(CONNECTIONS)]
    for t in threads:
        t.start()
    while during is not None and any(t.is_alive() for t in threads):
        during()
    for t in threads:
        t.join(60)
    times = sorted(x for t in threads for x in t.times)
    wrong = [w for t in threads for w in t.wrong]
    if len(times) != MESSAGES:
        wrong.append('%d messages' % len(times))
    return wrong, times[len(times) * 99 // 100], times[-1]


def send_killer(d):
    with d.milter() as c:
        r = c.mail('<u@kill.test>')
    kills.append(r[0].startswith('y 550 5.7.23'))
    time.sleep(0.02)


for frontend in ('native', 'libmilter'):
    tag = 'shadow/%s-' % frontend
    with Daemon(conf=ON + 'Milter_Frontend = %s\n' % frontend,
                zone=ZONE) as d:
        wait(lambda: ready(d))
        with d.milter() as c:
            c.mail('<u@pass.test>')
        settled(1)
        others = sorted(d.children('worker') + d.children('libmilter') +
                        d.children('dns'))
        first = ready(d)
        kills = []
        wrong, p99, longest = mail(d, lambda: send_killer(d))
        d.log.settle()
        died = [r for r in d.log.records if re.search(
            r'shadow\[\d+\] ended by signal 6 ', r)]
        check(tag + 'killer-kills-it', len(died) >= 2, d.log.records[-5:])
        empty(tag + 'killer-verdicts', wrong)
        check(tag + 'killer-its-own-verdict', kills != [] and all(kills),
              kills)
        below(tag + 'killer-in-time', p99, P99)
        check(tag + 'killer-comes-back', wait(
            lambda: ready(d) not in (None, first), 35))
        equal(tag + 'killer-others-live', others,
              sorted(d.children('worker') + d.children('libmilter') +
                     d.children('dns')))
        equal(tag + 'killer-no-violation', violations(d), [])
        before = judged(stats())

        def again():
            with d.milter() as c:
                c.mail('<u@pass.test>')
            return judged(stats()) > before
        check(tag + 'killer-judges-again', wait(again, 35, 0.2),
              d.log.records[-3:])
        s = stats()
        print('log: %s: %d messages, p99 %.1f ms, longest %.1f ms; %d killer '
              'records, shadow died %d times; copies: %d sent, %d judged, '
              '%d dropped' % (frontend, MESSAGES, p99 * 1000, longest * 1000,
                              len(kills), len(died), s['SECOND_SENT'],
                              judged(s), s['SECOND_DROPPED']))

# --- one that hangs: copies are dropped and counted ---------------------------

with Daemon(conf=ON) as d:
    pid = wait(lambda: ready(d))
    with d.milter() as c:
        c.mail('<u@pass.test>')
    settled(1)
    os.kill(pid, signal.SIGSTOP)
    rounds, slowest = 0, 0.0
    wrong = []
    while rounds < 8 and stats()['SECOND_DROPPED'] < 100:
        w, p99, _ = mail(d)
        wrong += w
        slowest = max(slowest, p99)
        rounds += 1
    s = stats()
    check('shadow/stopped-copies-are-dropped', s['SECOND_DROPPED'] >= 100,
          s['SECOND_DROPPED'])
    check('shadow/stopped-all-are-counted', s['SECOND_SENT'] +
          s['SECOND_DROPPED'] == rounds * MESSAGES + 1,
          (s['SECOND_SENT'], s['SECOND_DROPPED']))
    empty('shadow/stopped-verdicts', wrong)
    below('shadow/stopped-in-time', slowest, P99)
    print('log: stopped: %d messages, p99 %.1f ms; %d copies waited, %d were '
          'dropped' % (rounds * MESSAGES, slowest * 1000, s['SECOND_SENT'],
                       s['SECOND_DROPPED']))
    os.kill(pid, signal.SIGCONT)
    s = settled(s['SECOND_SENT'], 20)
    check('shadow/stopped-then-judges-what-waited', judged(s) ==
          s['SECOND_SENT'], (judged(s), s['SECOND_SENT']))
    # a shadow that hangs holds up neither a reload nor the end
    os.kill(d.children('shadow')[0], signal.SIGSTOP)
    os.kill(d.pid, signal.SIGHUP)
    check('shadow/stopped-reload', wait(lambda: len(d.children()) == 4 and
                                        pid not in d.children(), 8),
          d.children())
    os.kill(wait(lambda: ready(d)), signal.SIGSTOP)
    start = time.monotonic()
    d.p.end()
    below('shadow/stopped-end', time.monotonic() - start, 5)
    equal('shadow/stopped-no-violation', violations(d), [])

# --- one that cannot even start keeps nobody from serving ---------------------


def newborn(parent, old, count):
    """The youngest when there are so many new children."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        with open('/proc/%d/task/%d/children' % (parent, parent),
                  encoding='ascii') as f:
            new = [int(p) for p in f.read().split() if int(p) not in old]
        if len(new) >= count:
            return max(new)
    return None


with Daemon(conf=ON) as d:
    wait(lambda: ready(d))
    old = d.children()
    os.kill(d.pid, signal.SIGHUP)
    # dns and two workers come before it
    pid = newborn(d.pid, old, 4)
    os.kill(pid, signal.SIGSTOP)
    check('shadow/stuck-at-start-reload', d.log.wait(
        'reloaded: generation 2 serves') is not None, d.log.records[-3:])
    with d.milter() as c:
        r = c.mail('<u@fail.test>')
    check('shadow/stuck-at-start-mail-goes-on',
          r[0].startswith('y 550 5.7.23'), r)
    os.kill(pid, signal.SIGCONT)
    check('shadow/stuck-at-start-then-judges', judged(settled(1)) == 1,
          stats())

with Daemon(conf=ON) as d:
    for _ in range(6):
        wait(lambda: d.children('shadow'), 5)
        for p in d.children('shadow'):
            os.kill(p, signal.SIGKILL)
    with d.milter() as c:
        r = c.mail('<u@fail.test>')
    check('shadow/killed-at-start-mail-goes-on',
          r[0].startswith('y 550 5.7.23'), r)
    check('shadow/killed-at-start-no-copies-lost-silently', wait(
        lambda: stats()['SECOND_SENT'] + stats()['SECOND_DROPPED'] == 1))

# --- spfctl check --second-opinion --------------------------------------------

spfctl = product.wanted('shadow', 'spfctl')


def ctl(sender, *args, helo='helo.test'):
    """The identities of spfctl's JSON by name, and its exit status."""
    p = subprocess.run([spfctl, 'check', '--json', '--nameserver',
                        '127.0.0.1'] + list(args) + ['192.0.2.1', sender,
                                                     helo],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=60, check=False)
    return {i['identity']: i for i in json.loads(p.stdout)['identities']}, \
        p.returncode


with Daemon(zone=ZONE, start=False) as d:
    i, rc = ctl('u@inc.test')
    check('shadow/spfctl-not-asked-for', rc == 0 and
          'second_opinion' not in i['mailfrom'], i)
    i, rc = ctl('u@inc.test', '--second-opinion')
    second = i['mailfrom'].get('second_opinion', {})
    check('shadow/spfctl-agrees', rc == 0 and second.get('result') == 'pass'
          and second['agrees'] and i['mailfrom']['result'] == 'pass', second)
    check('shadow/spfctl-says-why', second.get('why', '').startswith(
        'domain of') and second.get('questions') == 2, second)
    check('shadow/spfctl-helo-too',
          i['helo'].get('second_opinion', {}).get('agrees'), i['helo'])
    i, rc = ctl('u@zero.test', '--second-opinion')
    second = i['mailfrom'].get('second_opinion', {})
    check('shadow/spfctl-differs', i['mailfrom']['result'] == 'pass' and
          second.get('result') == 'permerror' and not second['agrees'],
          second)
    i, rc = ctl('u@kill.test', '--second-opinion')
    second = i['mailfrom'].get('second_opinion', {})
    check('shadow/spfctl-it-dies', rc == 0 and i['mailfrom']['result'] ==
          'fail' and second.get('result', '') is None, second)
    # a record that is not published yet
    product.write_file('/run/conf/zone', '$ORIGIN new.test.\n'
                       '@ TXT "v=spf1 a:h.new.test -all"\n'
                       'h A 192.0.2.1\n')
    i, rc = ctl('u@new.test', '--second-opinion', '--zone', '/run/conf/zone')
    second = i['mailfrom'].get('second_opinion', {})
    check('shadow/spfctl-zone', rc == 0 and second.get('result') == 'pass',
          second)
    p = subprocess.run([spfctl, 'lint', '--second-opinion', 'inc.test'],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=60, check=False)
    equal('shadow/spfctl-lint-has-none', p.returncode, 64)
finish()
