#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""What the daemon and policyd-spf log: spf-engine's records, one object a
message with Log_Format = json, whatever a client sends; and how a repeated
fault is told."""

import json
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('logs')
import corpus
import product
from client import poke
from daemon import MILTER, Daemon, check, equal, finish
from milterclient import optneg, packet

MAX = 4000              # LOGLINE_MAX
LINES = 10              # of one kind of fault a minute
FAULTS = 35
LEAD = '<22>pyspf-milter[PID]: '
POLICY_LEAD = '<22>policyd-spf[PID]: '
ACTIONS = ('nothing', 'prepend', 'reject', 'defer', 'restriction')


def values_of(kind):
    out = [value for k, _, _, value in corpus.hostile() if k == kind]
    # what the corpus lacks: every octet, much of it, and what ends JSON
    out += [bytes(range(1, 256)) + b'@evil.test', b'\xff' * 60000,
            b'\x01' * 20000 + b'@evil.test', b'"}\n{"event":"spf"',
            b'\xf0\x9f\x98\x80@evil.test', b'\\u0000"@evil.test',
            b'{"a":1}', b'\xc2\x85\xc2\x9b@evil.test']
    return out


def objects(records):
    return [r[r.index('{'):] for r in records
            if r.startswith((LEAD + '{', POLICY_LEAD + '{'))]


def parse(text):
    """An object, or None when it is not as it must be."""
    try:
        o = json.loads(text)
    except ValueError:
        return None
    good = len(text) <= MAX and all(' ' <= c <= '~' for c in text) and \
        isinstance(o, dict) and o.get('action') in ACTIONS and \
        o.get('event') == 'spf' and isinstance(o.get('ms'), float)
    return o if good else None


def controls(records):
    return [r for r in records
            if re.search(r'[\x00-\x1f\x7f-\x9f]', r)][:2]


def settled(d):
    """All records so far. A pause ends when the parent has nothing more to
    hand on from its children."""
    last = -1
    while last != len(d.log.records):
        last = len(d.log.records)
        time.sleep(0.3)
        d.log.settle()
    return d.log.take()


def milter_mail(d, sender, helo=b'mail.none.test', **more):
    """One message in a connection of its own; its last reply."""
    with d.milter(helo=None, **more) as c:
        c.packet('H', helo.replace(b'\0', b'?') + b'\0')
        if not c.steps & 0x2000:
            c.replies()
        c.packet('M', b'<' + sender.replace(b'\0', b'?') + b'>\0')
        r = c.replies()
        c.quit()
        return r


def play_hostile(d, values):
    """All values as senders and as HELO to both protocols. How many were
    answered: so many objects are due."""
    due = 0
    with d.policy() as p:
        for v in values:
            line = v.replace(b'\n', b'?').replace(b'\r', b'?')
            for sender, helo in ((line, b'h.test'), (b'u@evil.test', line)):
                p.send_raw(b'client_address=192.0.2.1\nsender=' + sender +
                           b'\nhelo_name=' + helo + b'\nrecipient=r@d.test\n'
                           b'queue_id=Q\nrequest=smtpd_access_policy\n\n')
                p.reply()
                due += 1
    for v in values:
        if len(v) > 65000:
            continue
        milter_mail(d, v)
        milter_mail(d, b'u@evil.test', v)
        due += 2
    return due


def only(records, name, want):
    """One record and that one."""
    equal(name, records, [want])


def fields(name, records, **want):
    """One object with these values (None: not there)."""
    seen = objects(records)
    o = parse(seen[0]) if len(seen) == 1 and len(records) == 1 else None
    check(name, o is not None and all(o.get(k) == v for k, v in want.items()),
          records)
    return o or {}


def classic(d):
    settled(d)
    milter_mail(d, b'u@pass.test')
    got = settled(d)
    equal('logs/classic-milter-connect', got[0], LEAD + 'connect from '
          'client.none.test at (\'192.0.2.1\', 4321) EXTERNAL')
    check('logs/classic-milter-prepend', len(got) == 2 and got[1].startswith(
        LEAD + 'prepend Authentication-Results: mx.example.test; spf=pass '),
        got)
    milter_mail(d, b'u@fail.test')
    got = settled(d)
    check('logs/classic-milter-reject', len(got) == 2 and got[1].startswith(
        LEAD + '5.7.23 Message rejected due to: SPF fail'), got)
    with d.policy() as c:
        d.ask(c, 'u@fail.test', queue_id='4xQ1')
        got = settled(d)
        check('logs/classic-policy-reject', len(got) == 1 and
              got[0].startswith(POLICY_LEAD +
                                '4xQ1: 550 5.7.23 Message rejected '), got)
        d.ask(c, 'u@pass.test', queue_id='')
        got = settled(d)
        check('logs/classic-policy-prepend', len(got) == 1 and
              got[0].startswith(POLICY_LEAD +
                                ': prepend Received-SPF: Pass '), got)
        d.ask(c, 'u@pass.test', client_address='bogus')
        only(settled(d), 'logs/classic-no-address', POLICY_LEAD +
             'ERROR: no check: "bogus" is no client address')
    play_hostile(d, values_of('mailfrom')[::4] + values_of('helo')[-8:])
    got = settled(d)
    check('logs/classic-hostile-no-controls', not controls(got) and
          len(got) > 100, controls(got))
    check('logs/classic-is-no-json', objects(got) == [] or all(
        parse(o) is None for o in objects(got)))


def json_fields(d, role):
    settled(d)
    milter_mail(d, b'u@pass.test')
    o = fields('logs/%s-json-pass' % role, settled(d), protocol='milter',
               client='192.0.2.1', client_name='client.none.test',
               helo='mail.none.test', sender='u@pass.test',
               helo_result='none', mailfrom_result='pass', result='pass',
               identity='mailfrom', action='prepend', mailfrom_lookups=0,
               mailfrom_voids=0, code=None, queue_id=None, skipped=None)
    check('logs/%s-json-time' % role, 0 < o.get('ms', 0) < 5000, o)
    with d.milter() as c:
        c.macros('M', {'i': '4xQ1'})
        c.mail('<u@fail.test>')
        fields('logs/%s-json-reject' % role, settled(d), queue_id='4xQ1',
               action='reject', code='550', enhanced_code='5.7.23',
               result='fail', reason='SPF fail - not authorized')
        c.macros('M', {'{auth_authen}': 'joe'})
        c.mail('<u@fail.test>')
        fields('logs/%s-json-authenticated' % role, settled(d),
               skipped='authenticated', action='nothing', result=None,
               queue_id=None, sender='u@fail.test')
    with d.milter() as c:
        c.mail('<>')
        fields('logs/%s-json-null-sender' % role, settled(d), sender='',
               identity='helo', result='none', action='prepend')
        c.abort()
        c.mail('<u@pass.test>')
        c.header('Authentication-Results', 'mx.example.test; spf=pass')
        c.eom()
        got = [json.loads(o) for o in objects(settled(d))]
        check('logs/%s-json-forged' % role, len(got) == 2 and
              got[1]['event'] == 'forged_results' and
              got[1]['removed'] == 1 and got[1]['client'] == '192.0.2.1',
              got)
    milter_mail(d, b'u@fail.test', client='192.0.2.50')
    fields('logs/%s-json-list' % role, settled(d), skipped='skip_addresses',
           action='prepend', result=None)
    milter_mail(d, b'u@fail.test', client='127.0.0.1')
    fields('logs/%s-json-internal' % role, settled(d), skipped='internal',
           action='nothing', result=None)


def json_policy(d):
    ask = {'queue_id': '4xQ1', 'instance': 'i.1'}
    with d.policy() as c:
        d.ask(c, 'u@fail.test', **ask)
        fields('logs/policy-json-reject', settled(d), protocol='policy',
               queue_id='4xQ1', client='192.0.2.1', helo='mail.none.test',
               sender='u@fail.test', recipient='r@dest.test',
               instance='i.1', action='reject', code='550',
               enhanced_code='5.7.23', mailfrom_result='fail', cached=None)
        d.ask(c, 'u@fail.test', **ask)
        o = fields('logs/policy-json-cached', settled(d), cached=True,
                   action='reject', result=None)
        check('logs/policy-json-cached-reply', o.get('text', '').startswith(
            '550 5.7.23 Message'), o)
        d.ask(c, 'u@pass.test', instance='i.2')
        d.ask(c, 'u@pass.test', instance='i.2')
        fields('logs/policy-json-one-a-message', settled(d),
               action='prepend')
        d.ask(c, 'u@pass.test', client_address='bogus')
        fields('logs/policy-json-no-address', settled(d), client='bogus',
               action='nothing', error='ERROR: no check: "bogus" is no '
               'client address')
        d.ask(c, 'u@fail.test', sasl_username='joe')
        fields('logs/policy-json-authenticated', settled(d),
               skipped='authenticated', action='nothing')


def json_hostile(d, role):
    values = values_of('mailfrom') + values_of('helo')
    settled(d)
    due = play_hostile(d, values)
    got = settled(d)
    seen = objects(got)
    bad = [o for o in seen if parse(o) is None]
    check('logs/%s-json-hostile-all-parse' % role, bad == [] and
          len(seen) > 500, bad[:2])
    check('logs/%s-json-hostile-one-a-message' % role, len(seen) == due and
          len(got) == due, '%d messages, %d objects, %d records' %
          (due, len(seen), len(got)))
    idents = {(r.split('[')[0], parse(r[r.index('{'):])['protocol'])
              for r in got if '{' in r and parse(r[r.index('{'):])}
    equal('logs/%s-json-idents' % role, idents,
          {('<22>pyspf-milter', 'milter'), ('<22>policyd-spf', 'policy')})
    long = [o for o in map(parse, seen) if o and o.get('cut')]
    check('logs/%s-json-hostile-long-are-cut' % role, len(long) >= 4 and all(
        any(v.endswith('...') for v in o.values() if isinstance(v, str))
        for o in long), long[:1])
    smile = [o for o in map(parse, seen)
             if o and o.get('sender') == '\U0001f600@evil.test']
    check('logs/%s-json-utf8-comes-back' % role, len(smile) >= 1)
    slash = [o for o in map(parse, seen)
             if o and '\\u0000"@evil.test' in o.get('sender', '')]
    check('logs/%s-json-backslash-comes-back' % role, len(slash) >= 1)


UNKNOWN = optneg() + packet('!', b'x')
TELLS = 'milter connection closed: unknown command'


def faults(d):
    """Many of one kind; when the first came."""
    settled(d)
    start = time.monotonic()
    for _ in range(FAULTS):
        poke(MILTER, UNKNOWN)
    got = [r for r in settled(d) if TELLS in r]
    check('logs/limit-lines-of-one-kind', len(got) == LINES, got[-2:])
    time.sleep(2)       # the minute of the next kind ends later
    for _ in range(FAULTS):
        poke(MILTER, b'\xff\xff\xff\xffO')
    got = [r for r in settled(d) if 'packet length out of bounds' in r]
    check('logs/limit-hides-no-other-kind', len(got) == LINES, got[-2:])
    return start


def told_later(d, start):
    """The minute ends without another fault."""
    end = start + 75
    got = []
    while time.monotonic() < end and len(got) < 2:
        got += [r for r in settled(d) if 'in the last minute' in r]
    took = time.monotonic() - start
    more = '(%d more in the last minute)' % (FAULTS - LINES)
    check('logs/limit-summary', len(got) == 2 and
          sum(TELLS + ' ' + more in r for r in got) == 1 and
          all(more in r for r in got), got)
    check('logs/limit-summary-after-a-minute', 58 < took < 75, took)
    poke(MILTER, UNKNOWN)
    got = [r for r in settled(d) if TELLS in r]
    check('logs/limit-next-minute', len(got) == 1, got)


def told_at_drain(d):
    for _ in range(FAULTS):
        poke(MILTER, UNKNOWN)
    settled(d)
    d.send(signal.SIGHUP)
    r = d.log.wait(r'\(\d+ more in the last minute\)', 10)
    check('logs/limit-summary-at-drain', r is not None and TELLS in r,
          d.log.records)


def policyd():
    """The same without a parent: it writes to syslog itself."""
    program = product.wanted('logs', 'policyd-spf')
    with Daemon(start=False) as d:
        conf = product.write_file('/run/policyd.conf', 'Log_Format = json\n')
        p = product.Policyd([program, conf])
        r = p.ask([('client_address', '192.0.2.1'),
                   ('helo_name', 'h\x1b"\\.test'),
                   ('sender', 'u@fail.test'), ('recipient', 'r@d.test')])
        p.end()
        d.log.settle()
        got = [parse(o) for o in objects(d.log.take())]
    check('logs/policyd-json', r is not None and len(got) == 1 and
          got[0] is not None and got[0]['action'] == 'reject' and
          got[0]['helo'] == 'h\x1b"\\.test', got)


EVIL = ['evil.test TXT "v=spf1 ip4:192.0.2.1 -all"']
with Daemon(zone=EVIL, conf='Workers = 1\n') as d:
    classic(d)
JSON = 'Workers = 1\nLog_Format = json\nskip_addresses = 192.0.2.50\n'
with Daemon(zone=EVIL, conf=JSON) as d:
    begun = faults(d)
    json_fields(d, 'worker')
    json_policy(d)
    json_hostile(d, 'worker')
    told_later(d, begun)
    told_at_drain(d)
with Daemon(zone=EVIL, conf=JSON + 'Milter_Frontend = libmilter\n') as d:
    json_fields(d, 'libmilter')
    json_hostile(d, 'libmilter')
policyd()
finish()
