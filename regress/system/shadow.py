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
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('shadow')
from control import Control
from daemon import (Daemon, becomes, begins, below, check, empty, equal,
                    finish, limits, status, wait)
from load import Load
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


def mended():
    """Whether this libspf2 is one that the killer record does not kill."""
    p = subprocess.run(['dpkg-query', '-W', '-f', '${Version} ',
                        'libspf2-2*'], stdout=subprocess.PIPE,
                       stderr=subprocess.DEVNULL, check=False)
    versions = p.stdout.decode().split()
    return bool(versions) and subprocess.run(
        ['dpkg', '--compare-versions', versions[0], 'ge', '1.2.10-8'],
        check=False).returncode == 0


MENDED = mended()


def stats():
    with Control() as c:
        return c.stats()


def judged(s):
    return s['SECOND_AGREE'] + s['SECOND_DIFFER']


def settled(n, seconds=10):
    """The counters when n copies have been judged, or the last ones."""
    wait(lambda: judged(stats()) >= n, seconds)
    return stats()


def no_violation(d, name):
    d.log.settle()
    empty(name, [r for r in d.log.records if 'violation' in r or
                 'broke the message rules' in r or 'malformed' in r])


def mail(d, sender='<u@pass.test>', **session):
    """The first reply to MAIL on a connection of its own."""
    with d.milter(**session) as c:
        return c.mail(sender)[0]


def refuses(d, name):
    """Mail goes on: a fail is rejected."""
    begins(name, mail(d, '<u@fail.test>'), 'y 550 5.7.23')


def ready(d):
    """The pid of a shadow that serves, or None."""
    pids = d.children('shadow')
    return pids[0] if len(pids) == 1 and \
        status(pids[0]).get('Seccomp') == '2' else None


def off():
    """The default."""
    with Daemon(zone=ZONE) as d:
        mail(d, '<u@zero.test>')
        s = stats()
        equal('shadow/off-no-process', d.children('shadow'), [])
        equal('shadow/off-counts-nothing', judged(s) + s['SECOND_SENT'] +
              s['SECOND_DROPPED'], 0)


# Agreement and known differences, with both front ends.
SAME = [('<u@pass.test>', PASS), ('<u@fail.test>', FAIL),
        ('<u@soft.test>', SOFTFAIL), ('<u@none.test>', NONE),
        ('<u@inc.test>', PASS), ('<u@syntax.test>', PERMERROR),
        ('<u@servfail.test>', TEMPERROR)]
DIFFERENT = [('<u@zero.test>', PASS, PERMERROR),
             ('<u@void.test>', PERMERROR, PASS)]
NAMES = ['none', 'neutral', 'pass', 'fail', 'softfail', 'temperror',
         'permerror']


def compares(d, tag):
    for n, (sender, result) in enumerate(SAME):
        mail(d, sender)
        s = settled(n + 1)
        equal(tag + 'agrees-' + NAMES[result] +
              ('-include' if 'inc' in sender else ''),
              (s['SECOND_AGREE'], s['SECOND_DIFFER']), (n + 1, 0))
    for n, (sender, ours, theirs) in enumerate(DIFFERENT):
        mail(d, sender)
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
    mail(d, '<>', helo='helo.test')
    total = len(SAME) + len(DIFFERENT) + 1
    s = settled(total)
    equal(tag + 'null-sender-helo', (judged(s), s['SECOND'][PASS][PASS]),
          (total, 3))
    # policy requests go to workers with either front end
    with d.policy() as c:
        d.ask(c, 'u@pass.test')
    s = settled(total + 1)
    equal(tag + 'policy', s['SECOND'][PASS][PASS], 4)
    check(tag + 'sent-is-judged', s['SECOND_SENT'] == judged(s) ==
          sum(map(sum, s['SECOND'])) and s['SECOND_DROPPED'] == 0, s)
    # a tree of includes is cut short, and not by time
    start = time.monotonic()
    mail(d, '<u@bomb0.test>')
    s = settled(total + 2)
    check(tag + 'include-bomb', s['SECOND'][PERMERROR][TEMPERROR] == 1 and
          time.monotonic() - start < 5, s['SECOND'])
    no_violation(d, tag + 'no-violation')


def opinions(frontend):
    tag = 'shadow/%s-' % frontend
    with Daemon(conf=ON + 'Milter_Frontend = %s\n' % frontend,
                zone=ZONE) as d:
        check(tag + 'one-process', wait(lambda: ready(d)) is not None,
              d.children('shadow'))
        compares(d, tag)
        pid = d.children('shadow')[0]
        st = status(pid)
        equal(tag + 'confined', (st.get('Seccomp'), int(st['CapBnd'], 16)),
              ('2', 0))
        equal(tag + 'cpu-limit', limits(pid, 'Max cpu time'), ['120', '121'])
        equal(tag + 'gives-way', os.getpriority(os.PRIO_PROCESS, pid), 10)


def sample():
    """A part of the requests."""
    with Daemon(conf=ON + 'Second_Opinion_Sample = 10\nWorkers = 1\n') as d:
        wait(lambda: ready(d))
        with d.policy() as c:
            for i in range(200):
                d.ask(c, 'u@s%d.many.test' % i)
        s = settled(20)
        check('shadow/sample-of-ten-percent', 15 <= s['SECOND_SENT'] <= 25
              and judged(s) == s['SECOND_SENT'], s['SECOND_SENT'])


def mixed(d):
    """A turn of messages on one connection that pass and fail."""
    def turn(number, n):
        with d.milter() as c:
            for i in range(MESSAGES // CONNECTIONS):
                good = i % 2 == 0
                r = c.mail('<u@m%d-%d.many.test>' % (number, i) if good
                           else '<u@fail.test>')
                yield r[0].startswith('c' if good else 'y 550 5.7.23') or r
                if good:
                    c.abort()
    return turn


def messages(d, during=None):
    """The load of 1,000 messages. They are spread over more than a second
    when something is to happen meanwhile."""
    with Load(*[mixed(d)] * CONNECTIONS, rounds=1,
              pause=0 if during is None else 0.005) as load:
        while during is not None and load.running():
            during()
    return load


def complaints(load):
    short = MESSAGES - load.done - len(load.wrong)
    return load.wrong + load.lost + ['%d missing' % short] * (short != 0)


def others(d):
    return sorted(d.children('worker') + d.children('libmilter') +
                  d.children('dns'))


def killer(frontend):
    """A record that kills it; a mended libspf2 is killed by hand."""
    tag = 'shadow/%s-killer-' % frontend
    kills = []
    with Daemon(conf=ON + 'Milter_Frontend = %s\n' % frontend,
                zone=ZONE) as d:
        def send_killer():
            kills.append(mail(d, '<u@kill.test>')[:12])
            pid = ready(d) if MENDED else None
            if pid is not None:
                os.kill(pid, signal.SIGABRT)
            time.sleep(0.02)

        def died():
            return [r for r in d.log.records if re.search(
                r'shadow\[\d+\] ended by signal 6 ', r)]

        def again():
            mail(d)
            return judged(stats()) > before
        wait(lambda: ready(d))
        mail(d)
        settled(1)
        first, there = ready(d), others(d)
        load = messages(d, send_killer)
        d.log.settle()
        check(tag + 'kills-it', len(died()) >= 2, d.log.records[-5:])
        empty(tag + 'verdicts', complaints(load))
        equal(tag + 'its-own-verdict', set(kills), {'y 550 5.7.23'})
        below(tag + 'in-time', load.percentile(99), P99)
        check(tag + 'comes-back', wait(
            lambda: ready(d) not in (None, first), 35))
        equal(tag + 'others-live', others(d), there)
        no_violation(d, tag + 'no-violation')
        before = judged(stats())
        check(tag + 'judges-again', wait(again, 35, 0.2), d.log.records[-3:])
        s = stats()
        print('log: %s: %d messages, p99 %.1f ms, longest %.1f ms; %d killer '
              'records, shadow died %d times; copies: %d sent, %d judged, '
              '%d dropped' % (frontend, MESSAGES, load.percentile(99) * 1000,
                              max(load.times) * 1000, len(kills),
                              len(died()), s['SECOND_SENT'], judged(s),
                              s['SECOND_DROPPED']))


def stopped():
    """One that hangs: copies are dropped and counted."""
    with Daemon(conf=ON) as d:
        pid = wait(lambda: ready(d))
        mail(d)
        settled(1)
        os.kill(pid, signal.SIGSTOP)
        rounds, slowest, wrong = 0, 0.0, []
        while rounds < 8 and stats()['SECOND_DROPPED'] < 100:
            load = messages(d)
            wrong += complaints(load)
            slowest = max(slowest, load.percentile(99))
            rounds += 1
        s = stats()
        check('shadow/stopped-copies-are-dropped', s['SECOND_DROPPED'] >= 100,
              s['SECOND_DROPPED'])
        equal('shadow/stopped-all-are-counted', s['SECOND_SENT'] +
              s['SECOND_DROPPED'], rounds * MESSAGES + 1)
        empty('shadow/stopped-verdicts', wrong)
        below('shadow/stopped-in-time', slowest, P99)
        print('log: stopped: %d messages, p99 %.1f ms; %d copies waited, %d '
              'were dropped' % (rounds * MESSAGES, slowest * 1000,
                                s['SECOND_SENT'], s['SECOND_DROPPED']))
        os.kill(pid, signal.SIGCONT)
        s = settled(s['SECOND_SENT'], 20)
        equal('shadow/stopped-then-judges-what-waited', judged(s),
              s['SECOND_SENT'])
        # a shadow that hangs holds up neither a reload nor the end
        os.kill(d.children('shadow')[0], signal.SIGSTOP)
        d.send(signal.SIGHUP)
        check('shadow/stopped-reload', wait(
            lambda: len(d.children()) == 4 and pid not in d.children(), 8),
            d.children())
        os.kill(wait(lambda: ready(d)), signal.SIGSTOP)
        start = time.monotonic()
        d.p.end()
        below('shadow/stopped-end', time.monotonic() - start, 5)
        no_violation(d, 'shadow/stopped-no-violation')


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


def no_start():
    """One that cannot even start keeps nobody from serving."""
    with Daemon(conf=ON) as d:
        wait(lambda: ready(d))
        old = d.children()
        d.send(signal.SIGHUP)
        # dns and two workers come before it
        pid = newborn(d.pid, old, 4)
        os.kill(pid, signal.SIGSTOP)
        check('shadow/stuck-at-start-reload', d.log.wait(
            'reloaded: generation 2 serves') is not None, d.log.records[-3:])
        # else the old one may still take the message
        wait(lambda: not set(old) & set(d.children()), 5)
        refuses(d, 'shadow/stuck-at-start-mail-goes-on')
        os.kill(pid, signal.SIGCONT)
        equal('shadow/stuck-at-start-then-judges', judged(settled(1)), 1)
    with Daemon(conf=ON) as d:
        for _ in range(6):
            wait(lambda: d.children('shadow'), 5)
            d.kill('shadow')
        refuses(d, 'shadow/killed-at-start-mail-goes-on')
        becomes('shadow/killed-at-start-no-copies-lost-silently',
                lambda: stats()['SECOND_SENT'] + stats()['SECOND_DROPPED'], 1)


SPFCTL = product.wanted('shadow', 'spfctl')


def spfctl(*args):
    return subprocess.run([SPFCTL, *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, check=False)


def ask(sender, *args):
    """spfctl check: (exit status, result, second opinion of the sender, of
    HELO), an opinion as a dict, {} when there is none."""
    p = spfctl('check', '--json', '--nameserver', '127.0.0.1', *args,
               '192.0.2.1', sender, 'helo.test')
    i = {i['identity']: i for i in json.loads(p.stdout)['identities']}
    return (p.returncode, i['mailfrom']['result'],
            i['mailfrom'].get('second_opinion', {}),
            i['helo'].get('second_opinion', {}))


def by_spfctl():
    with Daemon(zone=ZONE, start=False):
        rc, _, second, _ = ask('u@inc.test')
        equal('shadow/spfctl-not-asked-for', (rc, second), (0, {}))
        rc, result, second, helo = ask('u@inc.test', '--second-opinion')
        check('shadow/spfctl-agrees', rc == 0 and result == 'pass' and
              second.get('result') == 'pass' and second['agrees'], second)
        check('shadow/spfctl-says-why', second.get('why', '').startswith(
            'domain of') and second.get('questions') == 2, second)
        check('shadow/spfctl-helo-too', helo.get('agrees'), helo)
        rc, result, second, _ = ask('u@zero.test', '--second-opinion')
        check('shadow/spfctl-differs', result == 'pass' and
              second.get('result') == 'permerror' and not second['agrees'],
              second)
        rc, result, second, _ = ask('u@kill.test', '--second-opinion')
        equal('shadow/spfctl-it-' + ('lives' if MENDED else 'dies'),
              (rc, result, second.get('result', '')),
              (0, 'fail', 'fail' if MENDED else None))
        # a record that is not published yet
        product.write_file('/run/conf/zone', '$ORIGIN new.test.\n'
                           '@ TXT "v=spf1 a:h.new.test -all"\n'
                           'h A 192.0.2.1\n')
        rc, _, second, _ = ask('u@new.test', '--second-opinion', '--zone',
                               '/run/conf/zone')
        equal('shadow/spfctl-zone', (rc, second.get('result')), (0, 'pass'))
        equal('shadow/spfctl-lint-has-none', spfctl(
            'lint', '--second-opinion', 'inc.test').returncode, 64)


off()
for frontend in ('native', 'libmilter'):
    opinions(frontend)
sample()
for frontend in ('native', 'libmilter'):
    killer(frontend)
stopped()
no_start()
by_spfctl()
finish()
