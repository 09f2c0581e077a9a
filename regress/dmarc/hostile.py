#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The hostile corpus (regress/lib/hostile.txt) through a real Postfix, with
our milter or policy service on it and Debian's OpenDMARC behind.

usage: hostile.py [-v]
FRONTEND=libmilter runs the milter with that front end.

Each message claims From: u@bank.test, whose SPF is -all and whose DMARC is
p=reject. The attacker's addresses pass for evil.test and all below it. Of
each that Postfix lets in: OpenDMARC must not say pass, one field is ours, a
strict reader and python3-authres read in it what is true, and nothing
became a field of its own. What Postfix itself refuses is counted, and must
be the smaller part. Texts of exp= records come back in one clean line.
"""

import collections
import concurrent.futures
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import corpus
import ns
import rig
import strict
from pf import Smtp

EVIL = '192.0.2.66'
ZONE = [
    'bank.test TXT "v=spf1 ip4:192.0.2.1 -all"',
    '_dmarc.bank.test TXT "v=DMARC1; p=reject; aspf=r; adkim=r"',
    'evil.test TXT "v=spf1 ip4:%s -all"' % EVIL,
    '*.evil.test TXT "v=spf1 ip4:%s -all"' % EVIL,
    # What a careless reader makes of an IDN.
    'xn--bnk-5cd.test TXT "v=spf1 ip4:%s -all"' % EVIL,
    'xn--bnk-qla.test TXT "v=spf1 ip4:%s -all"' % EVIL,
]
WAYS = ('milter', 'spf', 'ar', 'spf+strip')
# The fields that a message has when nothing was injected.
FIELDS = {'return-path', 'x-original-to', 'delivered-to', 'received',
          'message-id', 'date', 'x-case', 'from', 'subject',
          'authentication-results', 'received-spf', 'to'}
# Whose pass may be told: the attacker's own.
ATTACKERS = re.compile(r'(^|\.)evil\.test$|^b[\u0430\u00e4]nk\.test$|'
                       r'^xn--bnk-(5cd|qla)\.test$')
AT_LEAST = 200


class Case:
    """A value on a way, and what came of it."""

    def __init__(self, way, kind, group, line, value, utf8=False):
        self.way, self.kind, self.group = way, kind, group
        self.line, self.value, self.utf8 = line, value, utf8
        # May our field hold more than ASCII? Postfix does not tell a policy
        # service whether SMTPUTF8 was asked for: the sender shows it.
        self.wide = utf8 or (way != 'milter' and kind == 'mailfrom' and
                             max(value, default=0) > 127)
        self.number = None
        self.replies = []
        self.accepted = False
        self.ours = None        # the reply, when it is a refusal of ours

    def tell(self):
        return 'hostile.txt:%d%s %r' % (
            self.line, ' SMTPUTF8' if self.utf8 else '',
            self.value[:60] + (b'...' if len(self.value) > 60 else b''))


class Client:
    """A connection that is made anew when a value broke its rhythm."""

    def __init__(self, rigged, way):
        self.rig, self.way = rigged, way
        self.smtp = None

    def open(self):
        if self.smtp is None:
            self.smtp = Smtp(rig.WAYS[self.way][0], client=EVIL, timeout=30)
        return self.smtp

    def close(self):
        if self.smtp is not None:
            self.smtp.quit()
            self.smtp = None

    def run(self, case):
        s = self.open()
        case.number = self.rig.number()
        helo, sender, extra = b'evil.test', b'u@evil.test', b''
        if case.kind == 'mailfrom':
            sender = case.value
        elif case.kind == 'helo':
            helo = case.value
        elif case.kind == 'header':
            sender, extra = b'u@bank.test', case.value + b'\r\n'
        try:
            r = case.replies
            r.append(s.cmd(b'EHLO ' + helo))
            if r[-1].startswith('250'):
                r.append(s.cmd(b'MAIL FROM:<' + sender + b'>' + (
                    b' SMTPUTF8' if case.utf8 else b'')))
            if r[-1].startswith('250'):
                r.append(s.cmd(b'RCPT TO:<a@dest.test>'))
            if r[-1].startswith('250'):
                r.append(s.message(self.rig.text(case.number, 'bank.test',
                                                 extra)))
                case.accepted = r[-1].startswith('250')
        except OSError as e:
            r.append('connection: %s' % e)
            self.smtp = None
            return
        # A line end inside a value is two commands: begin anew.
        if b'\n' in case.value or b'\r' in case.value or r[-1] == '':
            self.close()
        elif not case.accepted:
            if not s.cmd(b'RSET').startswith('250'):
                self.close()


class Tests(rig.Rig):
    def __init__(self):
        self.values = corpus.hostile()
        zone = list(ZONE)
        for kind, _, no, value in self.values:
            if kind == 'exp':
                text = ''.join('\\x%02x' % c for c in value)
                zone.append('e%d.test TXT "v=spf1 -all exp=x.e%d.test"'
                            % (no, no))
                zone.append('x.e%d.test TXT "%s"' % (no, text))
        super().__init__('hostile%s/' % rig.SUFFIX, zone)

    def cases(self):
        out = []
        for way in WAYS:
            for kind, group, no, value in self.values:
                if kind == 'exp' or (way == 'spf+strip' and
                                     kind != 'header'):
                    continue
                out.append(Case(way, kind, group, no, value))
                if max(value, default=0) > 127 and kind == 'mailfrom':
                    out.append(Case(way, kind, group, no, value, True))
        return out

    def send_all(self, cases):
        """All cases of a way and a share of them on one connection."""
        def share(part):
            way, n, of = part
            c = Client(self, way)
            for case in [x for x in cases if x.way == way][n::of]:
                c.run(case)
            c.close()
        ways = sorted({c.way for c in cases})
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(share, [(w, n, 2) for w in ways
                                  for n in range(2)]))

    def ours(self, case, m):
        """The result that our field tells, whose it is; or Broken."""
        if case.way.startswith('spf'):
            spf = m.values(rig.SPF)
            # The sender's own are below ours.
            mine = spf[:1]
            if len(spf) > (2 if case.kind == 'header' else 1):
                raise strict.Broken('%d Received-SPF' % len(spf))
            if not mine:
                raise strict.Broken('no Received-SPF')
            result, pairs = strict.received_spf(mine[0], case.wide)
            if pairs['client-ip'] != EVIL:
                raise strict.Broken('client-ip=' + pairs['client-ip'])
            if pairs['identity'] == 'helo':
                return result, pairs['helo'].lower()
            return result, pairs['envelope-from'].rpartition('@')[2].lower()
        own = m.own_results()
        if case.way == 'ar' and case.kind == 'header':
            own = own[:1]       # a policy service removes nothing
        if len(own) != 1:
            raise strict.Broken('%d fields are ours: %s' % (len(own), own))
        _, _, result, _, domain = strict.authentication_results(
            own[0], case.wide)
        return result, domain.lower()

    def judge(self, case, m):
        """{kind of fault: what was seen}"""
        bad = {}
        try:
            result, domain = self.ours(case, m)
            if result == 'pass' and not ATTACKERS.search(re.sub(
                    '[\u3002\uff0e]', '.', domain)):
                bad['true'] = 'pass of ' + domain
            if case.kind == 'header' and (result, domain) != ('fail',
                                                              'bank.test'):
                bad['true'] = '%s of %s' % (result, domain)
        except strict.Broken as e:
            bad['one-sound-field'] = str(e)
        d = m.dmarc()
        if d != ('fail', 'bank.test'):
            bad['no-dmarc-pass'] = 'dmarc=%s header.from=%s' % d
        names = [n.lower().rstrip() for n, _ in m.fields]
        if case.kind != 'header':
            more = set(names) - FIELDS
            if more:
                bad['no-field-injected'] = str(sorted(more))
            for n in ('from', 'subject', 'x-case'):
                if names.count(n) != 1:
                    bad['no-field-injected'] = 'twice: ' + n
            if names.count(rig.AR) > 2:
                bad['no-field-injected'] = 'Authentication-Results'
        return bad

    @staticmethod
    def no_means(case, m):
        """A policy service can add a field, and no more. Received-SPF on
        top makes OpenDMARC heed no other one, but what came as
        Authentication-Results with our id stays, unless Postfix's
        header_checks remove it ('spf+strip')."""
        if case.way == 'ar':
            return case.kind == 'header'
        return case.way == 'spf' and m.own_results() != []

    @staticmethod
    def odd_domain(case):
        """No host can have the sender's domain: OpenDMARC may defer it."""
        domain = case.value.rpartition(b'@')[2].decode('utf-8', 'replace')
        return case.kind == 'mailfrom' and \
            re.match(r'[\w-]+(\.[\w-]+)*$', re.sub('[\u3002\uff0e]', '.',
                                                 domain)) is None

    def judge_all(self, cases, got):
        groups = collections.OrderedDict()
        refused = collections.Counter()
        believed = collections.Counter()
        delivered = set()
        for c in cases:
            key = '%s/%s-%s' % (c.way, c.kind, c.group)
            g = groups.setdefault(key, collections.defaultdict(list))
            if not c.accepted:
                last = c.replies[-1]
                refused[c.way] += 1
                if not re.match(r'[45]\d\d ', last) or \
                        last.startswith('451 4.3.') or \
                        (' 4.7.1 ' in last and not self.odd_domain(c)):
                    g['answered'].append('%s: %s' % (c.tell(), c.replies))
                continue
            if c.number not in got:
                g['answered'].append('%s: not delivered' % c.tell())
                continue
            delivered.add((c.kind, c.value))
            for fault, what in self.judge(c, got[c.number]).items():
                if fault == 'no-dmarc-pass' and \
                        self.no_means(c, got[c.number]):
                    believed[c.way] += 1
                    continue
                g[fault].append('%s: %s' % (c.tell(), what))
        for key, g in groups.items():
            for fault in ('answered', 'no-dmarc-pass', 'one-sound-field',
                          'true', 'no-field-injected'):
                self.empty('%s/%s' % (key, fault), g[fault])
        for way in WAYS:
            n = sum(c.way == way for c in cases)
            print('# %s: %d values, %d delivered, %d refused; %d forged '
                  'fields believed that a policy service cannot remove'
                  % (way, n, n - refused[way], refused[way], believed[way]))
            self.below(way + '/most-are-delivered', refused[way] * 2, n)
        self.above('at-least-%d-values-delivered' % AT_LEAST,
                   len(delivered), AT_LEAST - 1)
        for c in cases:
            if not c.accepted and '-v' in sys.argv:
                print('# refused', c.way, c.tell(), c.replies[-1])

    def controls(self):
        """An honest pass of bank.test is one, or the rest shows nothing."""
        sent = {}
        for way in WAYS:
            case, got = self.send(way, 'bank.test', 'u@bank.test',
                                      'bank.test')
            sent[case] = way
        return sent

    def explanations(self):
        """The texts of exp= records in replies: raw octets."""
        for way in ('milter+default', 'spf+default'):
            bad = []
            for kind, _, no, value in self.values:
                if kind != 'exp':
                    continue
                s = Smtp(rig.WAYS[way][0], client=EVIL)
                s.cmd('EHLO evil.test')
                last = b''
                s.s.sendall(b'MAIL FROM:<u@e%d.test>\r\n' % no)
                line = s.f.readline()
                if line.startswith(b'250'):
                    s.s.sendall(b'RCPT TO:<a@dest.test>\r\n')
                    line = s.f.readline()
                s.s.sendall(b'VRFY\r\nQUIT\r\n')
                last = s.f.read()
                s.s.close()
                if not re.match(rb'550 5\.7\.23 [\x20-\x7e]+\r\n$', line) or \
                        len(line) > 512 or not re.match(
                            rb'50[0-9] [^\n]*\n221 [^\n]*\n$', last):
                    bad.append('hostile.txt:%d %r: %r, then %r'
                               % (no, value[:40], line, last))
            self.empty(way + '/explanations-are-one-clean-line', bad)

    def run(self):
        self.start()
        controls = self.controls()
        cases = self.cases()
        self.send_all(cases)
        count = sum(c.accepted for c in cases) + len(controls)
        got = self.collect(count)
        self.empty('controls/honest-mail-passes', [
            '%s: %s' % (way, n in got and got[n].fields[:5])
            for n, way in controls.items()
            if n not in got or got[n].dmarc() != ('pass', 'bank.test')])
        self.judge_all(cases, got)
        self.explanations()
        # A NUL ends a record for the logger; else no control gets there.
        self.empty('log-records-are-clean', self.records(
            r'^<(?:22|19)>pyspf-milter(?s:.)*[\x00-\x1f\x7f-\x9f]'))
        self.empty('no-crash', self.records(
            'sandbox|ended by|panic|fatal|respawn'))


if __name__ == '__main__':
    ns.enter('hostile')
    Tests().play()
