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

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'lib'))
sys.path.insert(0, HERE)
import ns           # noqa: E402
import product      # noqa: E402
import syslogd      # noqa: E402
from dnsd import DnsServer                                  # noqa: E402
from pf import Postfix, Smtp, headers, unfold               # noqa: E402

WHY = 'http://www.openspf.net/Why?s=%s;id=%s;ip=192.0.2.1;r=%s'
SPF = 'Received-SPF'
AR = 'Authentication-Results'
RUN = '/run/t'

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


class Tests:
    def __init__(self):
        self.failed = False
        self.log = syslogd.Collector()
        with open(os.path.join(HERE, 'base.zone'), encoding='ascii') as f:
            zone = f.read()
        self.dns = DnsServer(addr=['127.0.0.1', '::1'], port=53)
        self.dns.start(zone)
        self.milter, self.policyd = product.wanted('postfix', 'pyspf-milter',
                                                   'policyd-spf')
        self.original = product.is_original(self.milter)
        self.daemons = []

    def check(self, name, good, seen):
        if good:
            print('ok postfix/' + name, flush=True)
        else:
            self.failed = True
            print('not ok postfix/%s - %s' % (name, seen), flush=True)

    def daemon(self, name, lines, where):
        folder = product.folder('%s/%s' % (RUN, name), 'pyspf-milter')
        conf = product.write_file(folder + '/conf', '\n'.join(lines + [
            'PidFile = %s/pid' % folder, 'UMask = 0',
            'Lookup_Time = 1']) + '\n')
        d = product.Milter(self.milter, conf, where)
        self.daemons.append(d)
        self.check('start-' + name, d.wait_ready(),
                   'does not listen, status %s; %s'
                   % (d.p.poll(), self.log.take()[-5:]))

    def start(self):
        product.folder(RUN)
        both = ['Socket = inet:8893@127.0.0.1']
        if self.original:
            # Two daemons stand for two sockets of one.
            self.daemon('unix', ['Socket = unix:%s/unix/milter' % RUN],
                        RUN + '/unix/milter')
            self.daemon('inet', both, ('127.0.0.1', 8893))
        else:
            self.daemon('unix', ['Socket = unix:%s/unix/milter' % RUN,
                                 'PolicySocket = unix:%s/unix/policy' % RUN],
                        RUN + '/unix/milter')
            self.daemon('inet', both +
                        ['PolicySocket = inet:127.0.0.1:8894'],
                        ('127.0.0.1', 8893))
        defer = ['Socket = unix:%s/defer/milter' % RUN,
                 'TempError_Defer = True']
        if not self.original:
            defer.append('PolicySocket = unix:%s/defer/policy' % RUN)
        self.daemon('defer', defer, RUN + '/defer/milter')
        folder = product.folder(RUN + '/spawn')
        product.write_file(folder + '/plain', 'Lookup_Time = 1\n')
        product.write_file(folder + '/defer',
                           'Lookup_Time = 1\nTempError_Defer = True\n')

        def policy(service):
            return ['smtpd_recipient_restrictions = '
                    'reject_unauth_destination, check_policy_service ' +
                    service]
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
        """Ours quotes what is no dot-atom (COMPAT: quote)."""
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
        self.check(way + '/recipients/reply', len(got) == 5 and
                   all(g.startswith('250') for g in got), got)
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
                print('skip postfix/%s - the original does not listen' % way)
                continue
            for name in CASES:
                self.case(way, name)
            self.recipients(way)
            self.session(way)
            if defer:
                self.defer(way)
        bad = [r for r in self.log.records if 'warning' in r or
               'fatal' in r or 'panic' in r or 'Traceback' in r]
        self.empty('no-warnings', bad)
        self.pf.stop()
        for d in self.daemons:
            d.end()
        return 1 if self.failed else 0


def main():
    ns.enter('postfix')
    tests = Tests()
    status = tests.run()
    if '-v' in sys.argv:
        print('\n'.join(tests.log.records))
    return status


if __name__ == '__main__':
    sys.exit(main())
