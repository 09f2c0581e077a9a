#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Debian's OpenDMARC behind our milter and behind our policy service, on one
Postfix: what it makes of our fields, and of forged ones.

usage: dmarc.py [-v]
FRONTEND=libmilter runs the milter with that front end.
"""

import concurrent.futures
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import ns
import rig
import strict
from forged import FORGED_AR, FORGED_SPF

# name: (HELO, sender, domain of From, SPF result, dmarc result, options)
# The zone tells 192.0.2.1 apart; dmarc.zone has the records.
CASES = {
    'aligned-pass': ('mail.test', 'u@pass.test', 'pass.test', 'pass',
                     'pass', ''),
    'upper-case': ('MAIL.test', 'U@PASS.Test', 'Pass.TEST', 'pass', 'pass',
                   ''),
    'trailing-dot': ('mail.test', 'u@pass.test.', 'pass.test', 'pass', None,
                     ''),
    'other-domain': ('mail.test', 'u@relax.test', 'pass.test', 'pass',
                     'fail', ''),
    'relaxed-subdomain': ('mail.test', 'u@news.relax.test', 'relax.test',
                          'pass', 'pass', ''),
    'relaxed-parent': ('mail.test', 'u@relax.test', 'news.relax.test',
                       'pass', 'pass', ''),
    'fail': ('mail.test', 'u@fail.test', 'fail.test', 'fail', 'fail', ''),
    'softfail': ('mail.test', 'u@soft.test', 'soft.test', 'softfail',
                 'fail', ''),
    'neutral': ('mail.test', 'u@neut.test', 'neut.test', 'neutral', 'fail',
                ''),
    'none': ('none.test', 'u@none.test', 'none.test', 'none', 'fail', ''),
    'permerror': ('mail.test', 'u@perm.test', 'perm.test', 'permerror',
                  'fail', ''),
    'temperror': ('mail.test', 'u@temp.test', 'temp.test', 'temperror',
                  'fail', ''),
    'verp': ('mail.test', 'bounce+42=u=dest.test@pass.test', 'pass.test',
             'pass', 'pass', ''),
    'verp-long': ('mail.test', 'b-1234567890-abcdefghijkl=some.long.user=' +
                  'sub.sub.example.com-xyz=q@pass.test', 'pass.test', 'pass',
                  'pass', ''),
    'quoted-local': ('mail.test', '"a b;c=d(e"@pass.test', 'pass.test',
                     'pass', 'pass', ''),
    'idn-a-label': ('mail.test', 'u@xn--mller-kva.test',
                    'xn--mller-kva.test', 'pass', 'pass', ''),
    'idn-u-label': ('mail.test', 'u@m\u00fcller.test', 'm\u00fcller.test',
                    'pass', None, ' SMTPUTF8'),
    'ipv6': ('mail.test', 'u@pass.test', 'pass.test', 'pass', 'pass', ''),
}


class Tests(rig.Rig):
    def __init__(self):
        super().__init__('dmarc%s/' % rig.SUFFIX, rig.dmarc_zone())
        self.wanted = {}    # case number: (name, judge of a Message)
        self.todo = []      # (name, judge, arguments of send())

    def field(self, way, m, result, helo=False):
        """What is wrong with our field, or None."""
        own, spf = m.own_results(), m.values(rig.SPF)
        utf8 = any(ord(c) > 127 for c in m.fields[0][1])
        try:
            if way.startswith('spf'):
                if not spf:
                    return 'no Received-SPF'
                got, pairs = strict.received_spf(spf[0], utf8)
                prop = pairs['identity']
            else:
                if len(own) != 1:
                    return '%d fields are ours' % len(own)
                _, _, got, prop, _ = strict.authentication_results(own[0],
                                                                  utf8)
        except strict.Broken as e:
            return 'broken: %s' % e
        want = ('smtp.helo', 'helo') if helo else ('smtp.mailfrom',
                                                   'mailfrom')
        if got != result or prop not in want:
            return 'says %s %s' % (got, prop)
        return None

    def later(self, name, way, helo, sender, domain, judge, extra=b'',
              options='', client='192.0.2.1'):
        self.todo.append((way + '/' + name, judge, (
            way, helo, sender, domain, extra, client, options)))

    def send_all(self):
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            sent = list(pool.map(lambda j: self.send(*j[2]), self.todo))
        for (name, judge, _), (case, got) in zip(self.todo, sent):
            if got[-1].startswith('250') and len(got) == 3:
                self.wanted[case] = (name, judge)
            else:
                self.check(name, False, got)

    def verdict(self, way, result, dmarc, domain, helo=False):
        """A judge for a message."""
        def judge(m):
            wrong = self.field(way, m, result, helo)
            if wrong:
                return '%s: %s' % (wrong, m.fields[:4])
            got = m.dmarc()
            if dmarc is not None and \
                    got != (dmarc, domain.lower()) and \
                    got != (dmarc, domain):
                return 'dmarc is %s: %s' % (got, m.fields[:4])
            return None
        return judge

    def honest(self, way):
        for name, (helo, sender, domain, result, dmarc, opt) in CASES.items():
            client = '2001:db8::1' if name == 'ipv6' else '192.0.2.1'
            self.later(name, way, helo, sender, domain,
                       self.verdict(way, result, dmarc, domain), options=opt,
                       client=client)

    def helo(self, way):
        """HELO's pass, which is told when the sender has no record, counts
        for nothing: not for the sender, not for the HELO domain."""
        for domain in ('none.test', 'mail.test'):
            self.later('helo-passes/from-' + domain, way, 'mail.test',
                       'u@none.test', domain,
                       self.verdict(way, 'pass', 'fail', domain, True))

    def null_sender(self, way):
        """Only HELO can speak for a null sender."""
        # RFC 7489 3.1.2 would let it count; OpenDMARC 1.4.2 does not.
        self.later('null-sender', way, 'mail.test', '', 'mail.test',
                   self.verdict(way, 'pass', 'fail', 'mail.test', True))
        self.later('null-sender-other', way, 'mail.test', '', 'soft.test',
                   self.verdict(way, 'pass', 'fail', 'soft.test', True))
        self.later('null-sender-helo-fails', way, 'fail.test', '',
                   'fail.test',
                   self.verdict(way, 'fail', 'fail', 'fail.test', True))

    def forged(self, way, kind, fields, methods, spoofed='soft.test'):
        for name, template in fields.items():
            for label, method in methods:
                self.later('forged-%s/%s%s' % (kind, name, label), way,
                           'mail.test', 'u@' + spoofed, spoofed,
                           self.verdict(way, 'softfail', 'fail', spoofed),
                           (template % method) + b'\r\n')

    def believed(self):
        """The forgeries are good: alone, OpenDMARC believes them."""
        def judge(m):
            return None if m.dmarc()[0] == 'pass' else m.fields[:4]
        self.later('forged-ar', 'bare', 'mail.test', 'u@soft.test',
                   'soft.test', judge, FORGED_AR['plain'] %
                   b'spf=pass smtp.mailfrom=soft.test' + b'\r\n')
        self.later('forged-spf', 'bare', 'mail.test', 'u@soft.test',
                   'soft.test', judge, FORGED_SPF['plain'] %
                   b'soft.test' + b'\r\n')

    def foreign(self):
        """What is not ours stays."""
        field = b'Authentication-Results: other.test; spf=pass ' \
            b'smtp.mailfrom=soft.test\r\n'

        def judge(m):
            if not any(v.startswith('other.test') for v in m.values(rig.AR)):
                return 'it was removed'
            return self.verdict('milter', 'softfail', 'fail', 'soft.test')(m)
        self.later('foreign-results-stay', 'milter', 'mail.test',
                   'u@soft.test', 'soft.test', judge, field)

    def rejected(self, way):
        """As the programs are when nothing is set: a fail does not come
        in, whatever the message says."""
        _, got = self.send(way, 'mail.test', 'u@fail.test', 'fail.test',
                               FORGED_SPF['plain'] % b'fail.test' + b'\r\n')
        self.check(way + '/fail-is-rejected', got[-1].startswith('550 5.7.23')
                   and len(got) == (1 if way.startswith('milter') else 2),
                   got)

    def run(self):
        self.start()
        ar = [('', b'spf=pass smtp.mailfrom=soft.test'),
              ('/dkim', b'dkim=pass header.d=soft.test')]
        for way in ('milter', 'spf', 'ar'):
            self.honest(way)
            self.helo(way)
            self.null_sender(way)
        self.believed()
        self.foreign()
        self.forged('milter', 'ar', FORGED_AR, ar)
        self.forged('spf+strip', 'ar', FORGED_AR, ar)
        spf = [('', b'soft.test')]
        for way in ('milter', 'spf'):
            self.forged(way, 'spf', FORGED_SPF, spf)
        for way in ('milter+default', 'spf+default'):
            self.rejected(way)
        self.send_all()
        got = self.collect(len(self.wanted))
        for case, (name, judge) in self.wanted.items():
            if case not in got:
                self.check(name, False, 'not delivered')
                continue
            why = judge(got[case])
            self.check(name, why is None, why)
        self.pf.stop()
        self.empty('no-fatal-records', self.records('panic|fatal|sandbox'))


if __name__ == '__main__':
    ns.enter('dmarc')
    Tests().play()
