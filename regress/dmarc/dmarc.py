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

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'lib'))
sys.path.insert(0, HERE)
import ns           # noqa: E402
import rig          # noqa: E402
import strict       # noqa: E402

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

# What a sender writes who wants it believed.
FORGED_AR = {
    'plain': b'Authentication-Results: mx.example.test; %s',
    'lower-case-name': b'authentication-results: mx.example.test; %s',
    'upper-case-id': b'Authentication-Results: MX.EXAMPLE.Test; %s',
    'comment-first': b'Authentication-Results: (x) mx.example.test; %s',
    'nested-comments': b'Authentication-Results: (a(b)(c\\)))'
                       b'mx.example.test(d) ; %s',
    'folded': b'Authentication-Results:\r\n mx.example.test;\r\n\t%s',
    'quoted': b'Authentication-Results: "mx.example.test"; %s',
    'quoted-pairs': b'Authentication-Results: "mx\\.example\\.test"; %s',
    'version': b'Authentication-Results: mx.example.test 1; %s',
    'version-comment': b'Authentication-Results: mx.example.test (x) 1 '
                       b'(y); %s',
    'trailing-dot': b'Authentication-Results: mx.example.test.; %s',
    'blank-before-colon': b'Authentication-Results : mx.example.test; %s',
    'tab': b'Authentication-Results:\tmx.example.test\t;\t%s',
    'nothing-between': b'Authentication-Results:mx.example.test;%s',
    'twice': b'Authentication-Results: mx.example.test; none\r\n'
             b'Authentication-Results: mx.example.test; %s',
    'behind-another': b'Authentication-Results: other.test; spf=fail\r\n'
                      b'Authentication-Results: mx.example.test; %s',
    'many': b''.join(b'Authentication-Results: mx.example.test; spf=fail\r\n'
                     for _ in range(40)) +
            b'Authentication-Results: mx.example.test; %s',
}
FORGED_SPF = {
    'plain': b'Received-SPF: pass (x) identity=mailfrom; '
             b'envelope-from=u@%s; client-ip=192.0.2.1',
    'quoted': b'Received-SPF: Pass (mailfrom) identity=mailfrom; '
              b'client-ip=192.0.2.1; helo=mail.test; '
              b'envelope-from="u@%s"; receiver=dest.test',
    'lower-case-name': b'received-spf: pass (x) identity=mailfrom; '
                       b'envelope-from=u@%s',
    'blank-before-colon': b'Received-SPF : pass (x) identity=mailfrom; '
                          b'envelope-from=u@%s',
    'folded': b'Received-SPF:\r\n pass (x)\r\n identity=mailfrom;\r\n'
              b' envelope-from=u@%s',
}


class Tests:
    def __init__(self):
        self.failed = False
        with open(os.path.join(HERE, 'dmarc.zone'), encoding='ascii') as f:
            zone = f.read().split('\n')
        more = []
        front = os.environ.get('FRONTEND')
        self.name = 'dmarc' + ('-' + front if front else '')
        if front:
            more.append('Milter_Frontend = ' + front)
        self.rig = rig.Rig(zone, more=more)
        # case number: (name, judge of a Message or of None)
        self.wanted = {}
        self.todo = []

    def check(self, name, good, seen):
        self.failed = self.failed or not good
        print('ok %s/%s' % (self.name, name) if good else
              'not ok %s/%s - %s' % (self.name, name, seen), flush=True)

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

    def send(self, name, way, helo, sender, domain, judge, extra=b'',
             options='', client='192.0.2.1'):
        self.todo.append((way + '/' + name, judge, (
            way, helo, sender, domain, extra, client, options)))

    def send_all(self):
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            sent = list(pool.map(lambda j: self.rig.send(*j[2]), self.todo))
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
            self.send(name, way, helo, sender, domain,
                      self.verdict(way, result, dmarc, domain), options=opt,
                      client=client)

    def helo(self, way):
        """HELO's pass, which is told when the sender has no record, counts
        for nothing: not for the sender, not for the HELO domain."""
        for domain in ('none.test', 'mail.test'):
            self.send('helo-passes/from-' + domain, way, 'mail.test',
                      'u@none.test', domain,
                      self.verdict(way, 'pass', 'fail', domain, True))

    def null_sender(self, way):
        """Only HELO can speak for a null sender."""
        # RFC 7489 3.1.2 would let it count; OpenDMARC 1.4.2 does not.
        self.send('null-sender', way, 'mail.test', '', 'mail.test',
                  self.verdict(way, 'pass', 'fail', 'mail.test', True))
        self.send('null-sender-other', way, 'mail.test', '', 'soft.test',
                  self.verdict(way, 'pass', 'fail', 'soft.test', True))
        self.send('null-sender-helo-fails', way, 'fail.test', '',
                  'fail.test',
                  self.verdict(way, 'fail', 'fail', 'fail.test', True))

    def forged(self, way, kind, fields, methods, spoofed='soft.test'):
        for name, template in fields.items():
            for label, method in methods:
                self.send('forged-%s/%s%s' % (kind, name, label), way,
                          'mail.test', 'u@' + spoofed, spoofed,
                          self.verdict(way, 'softfail', 'fail', spoofed),
                          (template % method) + b'\r\n')

    def believed(self):
        """The forgeries are good: alone, OpenDMARC believes them."""
        def judge(m):
            return None if m.dmarc()[0] == 'pass' else m.fields[:4]
        self.send('forged-ar', 'bare', 'mail.test', 'u@soft.test',
                  'soft.test', judge, FORGED_AR['plain'] %
                  b'spf=pass smtp.mailfrom=soft.test' + b'\r\n')
        self.send('forged-spf', 'bare', 'mail.test', 'u@soft.test',
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
        self.send('foreign-results-stay', 'milter', 'mail.test',
                  'u@soft.test', 'soft.test', judge, field)

    def rejected(self, way):
        """As the programs are when nothing is set: a fail does not come
        in, whatever the message says."""
        _, got = self.rig.send(way, 'mail.test', 'u@fail.test', 'fail.test',
                               FORGED_SPF['plain'] % b'fail.test' + b'\r\n')
        self.check(way + '/fail-is-rejected', got[-1].startswith('550 5.7.23')
                   and len(got) == (1 if way.startswith('milter') else 2),
                   got)

    def run(self):
        self.rig.start()
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
        got = self.rig.collect(len(self.wanted))
        for case, (name, judge) in self.wanted.items():
            if case not in got:
                self.check(name, False, 'not delivered')
                continue
            why = judge(got[case])
            self.check(name, why is None, why)
        self.rig.pf.stop()
        bad = [r for r in self.rig.log.records if 'panic' in r or
               'fatal' in r or 'sandbox' in r]
        self.empty('no-fatal-records', bad)
        self.rig.stop()
        return 1 if self.failed else 0


def main():
    ns.enter('dmarc')
    tests = Tests()
    try:
        status = tests.run()
    finally:
        if '-v' in sys.argv:
            print('\n'.join(tests.rig.log.records))
    return status


if __name__ == '__main__':
    sys.exit(main())
