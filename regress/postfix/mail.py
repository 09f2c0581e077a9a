#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Mail through a real Postfix: milter by unix and inet socket, policy by
spawn(8), unix and inet socket. All run at once; each way has a listener for
the default configuration and one with TempError_Defer.

usage: mail.py [-v]
PYSPF_MILTER and POLICYD_SPF name other programs; with the Python originals
the listening policy sockets, which they do not have, are left out, and what
they are known to do otherwise is expected of them.
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import ns
import product
from check import skip
from daemon import RUN, Site
from pf import Postfix, Smtp, base_zone, headers, unfold

WHY = 'http://www.openspf.net/Why?s=%s;id=%s;ip=192.0.2.1;r=%s'
SPF = 'Received-SPF'
AR = 'Authentication-Results'

# way: (port, port with TempError_Defer, is a milter)
WAYS = {'milter-unix': (10021, 10031, True),
        'milter-inet': (10022, None, True),
        'policy-spawn': (10023, 10033, False),
        'policy-unix': (10024, 10034, False),
        'policy-inet': (10025, None, False)}

# name: (HELO, sender, milter reply to MAIL, policy reply to RCPT,
#	Authentication-Results after the authserv-id, Received-SPF)
# A reply of None is 250 and a delivered message. In the texts $R is the
# receiver and $C the common fields.
FAIL = 'Message rejected due to: SPF fail - not authorized. Please see '
CASES = {
    'pass': ('none.test', 'u@pass.test', None, None,
             'spf=pass (sender SPF authorized) smtp.mailfrom=pass.test '
             '(client-ip=192.0.2.1; helo=none.test; '
             'envelope-from=u@pass.test; receiver=<UNKNOWN>)',
             'Pass (mailfrom) identity=mailfrom; client-ip=192.0.2.1; '
             'helo=none.test; envelope-from=%su@pass.test%s; '
             'receiver=dest.test'),
    'fail': ('none.test', 'u@fail.test',
             '550 5.7.23 ' + FAIL + WHY % ('mfrom', 'u@fail.test',
                                           '<UNKNOWN>'),
             '550 5.7.23 <a@dest.test>: Recipient address rejected: ' + FAIL +
             WHY % ('mfrom', 'u@fail.test', 'dest.test'), None, None),
    'explanation': ('none.test', 'u@fex.test',
                    '550 5.7.23 Message rejected due to: 192.0.2.1 is not '
                    'allowed to send for fex.test. Please see ' +
                    WHY % ('mfrom', 'u@fex.test', '<UNKNOWN>'),
                    '550 5.7.23 <a@dest.test>: Recipient address rejected: '
                    'Message rejected due to: 192.0.2.1 is not allowed to '
                    'send for fex.test. Please see ' +
                    WHY % ('mfrom', 'u@fex.test', 'dest.test'), None, None),
    'softfail': ('none.test', 'u@soft.test', None, None,
                 'spf=softfail (domain owner discourages use of this host) '
                 'smtp.mailfrom=soft.test (client-ip=192.0.2.1; '
                 'helo=none.test; envelope-from=u@soft.test; '
                 'receiver=<UNKNOWN>)',
                 'Softfail (mailfrom) identity=mailfrom; '
                 'client-ip=192.0.2.1; helo=none.test; '
                 'envelope-from=%su@soft.test%s; receiver=dest.test'),
    'temperror': ('none.test', 'u@temp.test', None, None,
                  re.compile(r'spf=temperror \(SPF Temporary Error: [^()]*\)'
                             r' smtp.mailfrom=temp.test \(client-ip='
                             r'192\.0\.2\.1; helo=none\.test; envelope-from='
                             r'u@temp\.test; receiver=<UNKNOWN>\)$'),
                  'Temperror (mailfrom) identity=mailfrom; '
                  'client-ip=192.0.2.1; helo=none.test; '
                  'envelope-from=%su@temp.test%s; receiver=dest.test'),
    'null-sender': ('pass.test', '', None, None,
                    'spf=pass (sender SPF authorized) smtp.helo=pass.test '
                    '(client-ip=192.0.2.1; helo=pass.test; '
                    'envelope-from=<>; receiver=<UNKNOWN>)',
                    'Pass (sender SPF authorized) identity=helo; '
                    'client-ip=192.0.2.1; helo=pass.test; '
                    'envelope-from=%s<>%s; receiver=dest.test'),
    'helo-fail': ('fail.test', 'u@pass.test',
                  '550 5.7.23 ' + FAIL + WHY % ('helo', 'fail.test',
                                                '<UNKNOWN>'),
                  '550 5.7.23 <a@dest.test>: Recipient address rejected: ' +
                  FAIL + WHY % ('helo', 'fail.test', 'dest.test'),
                  None, None),
}


def policy(service):
    return ['smtpd_recipient_restrictions = reject_unauth_destination, '
            'check_policy_service ' + service]


class Tests(Site):
    def __init__(self):
        super().__init__('postfix/', base_zone())
        self.policyd = product.wanted('postfix', 'policyd-spf')
        self.original = product.is_original(self.program)

    def one(self, name, lines, where):
        self.daemon(name, lines + ['PidFile = %s/%s/pid' % (RUN, name),
                                   'UMask = 0', 'Lookup_Time = 1'], where,
                    'start-' + name)

    def start(self):
        milter = 'Socket = unix:%s/%s/milter'
        # The original has no policy sockets.
        unix, inet, defer = ([] if self.original else [
            'PolicySocket = ' + where] for where in (
                'unix:%s/unix/policy' % RUN, 'inet:127.0.0.1:8894',
                'unix:%s/defer/policy' % RUN))
        self.one('unix', [milter % (RUN, 'unix')] + unix,
                 RUN + '/unix/milter')
        self.one('inet', ['Socket = inet:8893@127.0.0.1'] + inet,
                 ('127.0.0.1', 8893))
        self.one('defer', [milter % (RUN, 'defer'), 'TempError_Defer = True']
                 + defer, RUN + '/defer/milter')
        folder = product.folder(RUN + '/spawn')
        product.write_file(folder + '/plain', 'Lookup_Time = 1\n')
        product.write_file(folder + '/defer',
                           'Lookup_Time = 1\nTempError_Defer = True\n')
        listeners = {
            '10021': ['smtpd_milters = unix:%s/unix/milter' % RUN],
            '10022': ['smtpd_milters = inet:127.0.0.1:8893'],
            '10031': ['smtpd_milters = unix:%s/defer/milter' % RUN],
            '10023': policy('unix:private/policyd-spf'),
            '10033': policy('unix:private/policyd-defer'),
            '10024': policy('unix:%s/unix/policy' % RUN),
            '10034': policy('unix:%s/defer/policy' % RUN),
            '10025': policy('inet:127.0.0.1:8894'),
        }
        services = []
        for name, conf in (('policyd-spf', 'plain'),
                           ('policyd-defer', 'defer')):
            services += ['%s unix - n n - 0 spawn' % name,
                         '  user=policyd-spf argv=%s %s/%s'
                         % (self.policyd, folder, conf)]
        self.pf = Postfix(listeners, services,
                          ['policyd-spf_time_limit = 3600',
                           'policyd-defer_time_limit = 3600'])
        self.pf.start()

    def matches(self, want, got):
        if isinstance(want, str):
            return want == got
        return want.match(got) is not None

    def expected_spf(self, text):
        """Ours quotes what is no dot-atom (compat, rule quote)."""
        if '%s' in text:
            q = '' if self.original else '"'
            text = text % (q, q)
        return text

    def case(self, way, name):
        port, _, milter = WAYS[way]
        helo, sender, mail, rcpt, ar, spf = CASES[name]
        test = '%s/%s' % (way, name)
        self.pf.forget()
        client_name = '[UNAVAILABLE]'
        if milter and self.original:
            client_name = helo      # the original takes it for the HELO name
        s = Smtp(port, name=client_name)
        got = s.mail(helo, sender)
        s.quit()
        bad = mail if milter else rcpt
        if bad is not None:
            self.check(test + '/reply', got[-1] == bad, got)
            self.check(test + '/not-delivered',
                       self.pf.delivered(1, 0.1) == [], 'was delivered')
            return
        self.check(test + '/reply',
                   all(g.startswith('250') for g in got), got)
        seen = self.pf.delivered(1)
        heads = headers(seen[0]) if len(seen) == 1 else []
        own = [(n, unfold(v)) for n, v in heads if n in (SPF, AR)]
        if milter:
            good = len(own) == 1 and own[0][0] == AR and \
                own[0][1].startswith('mx.example.test; ') and self.matches(
                    ar, re.sub(r' +', ' ', own[0][1][17:]))
        else:
            good = len(own) == 1 and own[0][0] == SPF and \
                own[0][1].rstrip() == self.expected_spf(spf)
        self.check(test + '/header', good, own or (got, self.log.take()[-6:]))
        names = [n for n, _ in heads]
        self.check(test + '/above-received', own and 'Received' in names and
                   names.index(own[0][0]) < names.index('Received'), names)

    def defer(self, way):
        port, milter = WAYS[way][1:]
        s = Smtp(port)
        got = s.mail('none.test', 'u@temp.test')
        s.quit()
        want = '450 4.7.24 '
        if not milter:
            want += '<a@dest.test>: Recipient address rejected: '
        want += 'Message deferred due to: SPF Temporary Error: '
        self.check(way + '/temperror-defer', got[-1].startswith(want), got)

    def recipients(self, way):
        """Several recipients of a message: one header."""
        port, _, milter = WAYS[way]
        self.pf.forget()
        s = Smtp(port)
        got = s.mail('none.test', 'u@pass.test',
                     ['a@dest.test', 'b@dest.test', 'c@second.test'])
        s.quit()
        self.equal(way + '/recipients/reply', [g[:3] for g in got],
                   ['250'] * 5)
        seen = self.pf.delivered(3)
        counts = [sum(n in (SPF, AR) for n, _ in headers(m)) for m in seen]
        self.equal(way + '/recipients/one-header', counts, [1, 1, 1])

    def session(self, way):
        """Several messages on a connection, each judged for itself."""
        port, _, milter = WAYS[way]
        self.pf.forget()
        s = Smtp(port)
        first = s.mail('none.test', 'u@pass.test')
        second = s.mail('none.test', 'u@fail.test')
        third = s.mail('none.test', 'u@soft.test')
        s.quit()
        self.check(way + '/session', first[-1].startswith('250') and
                   second[-1].startswith('550 5.7.23') and
                   third[-1].startswith('250'), (first, second, third))
        seen = self.pf.delivered(2)
        self.equal(way + '/session/delivered', len(seen), 2)

    def run(self):
        self.start()
        for way, (port, defer, milter) in WAYS.items():
            if self.original and way in ('policy-unix', 'policy-inet'):
                skip('postfix/' + way, 'the original does not listen')
                continue
            for name in CASES:
                self.case(way, name)
            self.recipients(way)
            self.session(way)
            if defer:
                self.defer(way)
        self.empty('no-warnings', self.records(
            'warning|fatal|panic|Traceback'))
        self.pf.stop()


if __name__ == '__main__':
    ns.enter('postfix')
    Tests().play()
