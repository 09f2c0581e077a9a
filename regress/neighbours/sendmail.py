#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Mail through Debian's Sendmail: both front ends, each by a local and an
inet socket, all with TempError_Defer; and what F=R, F=T and no F= make of a
daemon that is gone.

usage: sendmail.py [-v]
SENDMAIL_DIR, or cache/sendmail in the build folder, has or gets Sendmail.
"""

import base64
import os
import re
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import product
import sm
import strict
from daemon import RUN, Site
from forged import FORGED_AR
from pf import headers, unfold

ID = 'mx.example.test'
AR = 'Authentication-Results'
CLIENT, CLIENT6, INSIDE = '192.0.2.1', '2001:db8::1', '198.51.100.7'
WAYS = {'native-local': 10201, 'native-inet': 10202,
        'libmilter-local': 10203, 'libmilter-inet': 10204}
STOPS = {'stop-T': (10211, ', F=T'), 'stop-R': (10212, ', F=R'),
         'stop-none': (10213, '')}
WHY = 'http://www.openspf.net/Why?s=%s;id=%s;ip=%s;r=<UNKNOWN>'
ZONE = [
    'pass.test TXT "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all"',
    'fail.test TXT "v=spf1 -all"',
    'soft.test TXT "v=spf1 ~all"',
    'none.test A 192.0.2.99',
    'temp.test TXT:SERVFAIL',
    'temp.test A 192.0.2.99',
    'fex.test TXT "v=spf1 -all exp=exp.fex.test"',
    'exp.fex.test TXT "100%% of mail from %{i} is not ours"',
    '1.2.0.192.in-addr.arpa PTR client.none.test',
    'client.none.test A 192.0.2.1',
]


def refused(sender, scope='mfrom', ident=None, client=CLIENT,
            why='SPF fail - not authorized'):
    """The reply to MAIL; Sendmail puts the sender into each."""
    return '550 5.7.23 <%s>... Message rejected due to: %s. Please see %s' \
        % (sender, why, WHY % (scope, ident or sender, client))


# name: (HELO, sender, client, reply or None, Authentication-Results after
#	the authserv-id up to the comment's details)
CASES = {
    'pass': ('none.test', 'u@pass.test', CLIENT, None,
             'spf=pass (sender SPF authorized) smtp.mailfrom=pass.test '),
    'pass-ipv6': ('none.test', 'u@pass.test', CLIENT6, None,
                  'spf=pass (sender SPF authorized) '
                  'smtp.mailfrom=pass.test '),
    'softfail': ('none.test', 'u@soft.test', CLIENT, None,
                 'spf=softfail (domain owner discourages use of this host) '
                 'smtp.mailfrom=soft.test '),
    'none': ('none.test', 'u@none.test', CLIENT, None,
             'spf=none (no SPF record) smtp.mailfrom=none.test '),
    'fail': ('none.test', 'u@fail.test', CLIENT, refused('u@fail.test'),
             None),
    'fail-ipv6': ('none.test', 'u@fail.test', CLIENT6,
                  refused('u@fail.test', client=CLIENT6), None),
    'helo-fail': ('fail.test', 'u@pass.test', CLIENT,
                  refused('u@pass.test', 'helo', 'fail.test'), None),
    # A percent sign is special on its way through a milter's reply.
    'explanation': ('none.test', 'u@fex.test', CLIENT,
                    refused('u@fex.test', why='100% of mail from 192.0.2.1 '
                            'is not ours'), None),
    'null-sender': ('pass.test', '', CLIENT, None,
                    'spf=pass (sender SPF authorized) '
                    'smtp.helo=pass.test '),
    'null-sender-fail': ('fail.test', '', CLIENT,
                         refused('', 'helo', 'fail.test'), None),
}


def own_results(message):
    """The Authentication-Results that some reader may take for ours."""
    return [v for n, v in headers(message)
            if n.lower().rstrip() == AR.lower() and strict.may_be_id(v, ID)]


class Tests(Site):
    def __init__(self, folder):
        super().__init__('sendmail/', ZONE)
        listeners = {way: (port, self.spec(way), '')
                     for way, port in WAYS.items()}
        for name, (port, f) in STOPS.items():
            listeners[name] = (port, self.spec('stop-local') + f, '')
        self.mta = sm.Sendmail(folder, listeners)

    def where(self, way):
        if way.endswith('-inet'):
            return ('127.0.0.1', 8000 + WAYS[way] % 1000)
        return '%s/%s/milter' % (RUN, way)

    def spec(self, way):
        where, times = self.where(way), 'T=C:5s;S:10s;R:30s;E:60s'
        if isinstance(where, str):
            return 'S=local:%s, %s' % (where, times)
        return 'S=inet:%d@%s, F=T, %s' % (where[1], where[0], times)

    def start(self, way):
        """The daemon of a way; True when it is there."""
        where = self.where(way)
        return self.daemon(way, [
            'Milter_Frontend = ' + way.split('-')[0].replace('stop',
                                                             'native'),
            'Socket = ' + ('local:' + where if isinstance(where, str) else
                           'inet:%d@%s' % (where[1], where[0])),
            'ControlSocket = none', 'PidFile = %s/%s/pid' % (RUN, way),
            'TempError_Defer = True', 'Lookup_Time = 5', 'Workers = 1',
            'InternalHosts = 127.0.0.1,' + INSIDE], where, way + '/starts')

    def case(self, way, name):
        helo, sender, client, reply, field = CASES[name]
        test = '%s/%s' % (way, name)
        self.mta.forget()
        c = sm.Client(WAYS[way], client)
        got = c.mail(helo, sender)
        c.quit()
        if reply is not None:
            self.equal(test, got, [reply])
            self.check(test + '/not-delivered', not self.mta.delivered(1, 0.1))
            return
        self.check(test + '/reply', all(g.startswith('250') for g in got), got)
        self.judged(test, field, client, helo, sender)

    def judged(self, test, field, client=CLIENT, helo='none.test',
               sender=None, count=1):
        """All the messages that were delivered have just this field."""
        for message in self.mta.delivered(count) or [b'']:
            own = own_results(message)
            want = '%s; %s(client-ip=%s; helo=%s; ' % (ID, field, client,
                                                       helo)
            if sender is not None:
                want += 'envelope-from=%s; ' % (sender or '<>')
            seen = re.sub(r'[ \t]+', ' ', unfold(own[0])) if own else ''
            self.check(test + '/header',
                       len(own) == 1 and seen.startswith(want), (own, want))
            names = [n for n, _ in headers(message)]
            self.check(test + '/above-received',
                       AR in names and 'Received' in names and names.index(AR)
                       < names.index('Received'), names)

    def temperror(self, way):
        c = sm.Client(WAYS[way])
        got = c.mail('none.test', 'u@temp.test')
        c.quit()
        self.check(way + '/temperror-defer',
                   len(got) == 1 and
                   got[0].startswith('450 4.7.24 <u@temp.test>... Message '
                   'deferred due to: SPF Temporary Error: '), got)

    def session(self, way):
        """Several messages on a connection, each judged for itself; RSET
        and a new HELO in between."""
        test = way + '/session'
        self.mta.forget()
        c = sm.Client(WAYS[way])
        got = [c.mail('none.test', 'u@pass.test')[-1],
               c.mail('none.test', 'u@fail.test')[-1],
               c.mail('none.test', 'u@soft.test')[-1]]
        self.check(test + '/replies',
                   [g[:3] for g in got] == ['250', '550', '250'], got)
        seen = [unfold(own_results(m)[0]) if own_results(m) else ''
                for m in self.mta.delivered(2)]
        self.check(test + '/two-delivered', sorted(
            (re.findall(r'spf=\w+', s) for s in seen)) ==
            [['spf=pass'], ['spf=softfail']], seen)
        self.mta.forget()
        c.cmd('MAIL FROM:<u@pass.test>')
        c.cmd('RCPT TO:<a@dest.test>')
        c.cmd('RSET')
        got = c.cmd('MAIL FROM:<u@soft.test>')
        c.cmd('RCPT TO:<a@dest.test>')
        last = c.message()
        self.check(way + '/rset', last.startswith('250'), (got, last))
        self.judged(way + '/rset', CASES['softfail'][4])
        self.mta.forget()
        got = c.mail('fail.test', 'u@pass.test')[-1]
        again = c.mail('none.test', 'u@pass.test', ['a@dest.test',
                                                    'b@second.test'])
        c.quit()
        self.check(way + '/helo-again',
                   got.startswith('550 5.7.23') and
                   again[-1].startswith('250'), (got, again))
        self.judged(way + '/helo-again', CASES['pass'][4],
                    count=2)

    def no_helo(self, way):
        self.mta.forget()
        c = sm.Client(WAYS[way])
        bad = c.cmd('MAIL FROM:<u@fail.test>')
        good = c.cmd('MAIL FROM:<u@pass.test>')
        c.cmd('RCPT TO:<a@dest.test>')
        last = c.message()
        c.quit()
        self.check(way + '/no-helo',
                   bad.startswith('550 5.7.23') and good.startswith('250') and
                   last.startswith('250'), (bad, good, last))
        own = [own_results(m) for m in self.mta.delivered(1)]
        self.check(way + '/no-helo/header',
                   len(own) == 1 and len(own[0]) == 1 and
                   'smtp.mailfrom=pass.test' in unfold(own[0][0]), own)

    def large(self, way):
        self.mta.forget()
        c = sm.Client(WAYS[way])
        text = b'From: a@b.test\r\n\r\n' + (b'x' * 70 + b'\r\n') * 15000
        c.cmd('EHLO none.test')
        c.cmd('MAIL FROM:<u@pass.test>')
        c.cmd('RCPT TO:<a@dest.test>')
        got = c.message(text)
        c.quit()
        seen = self.mta.delivered(1)
        self.check(way + '/large',
                   got.startswith('250') and len(seen) == 1 and
                   seen[0].count(b'x' * 70 + b'\n') == 15000 and
                   len(own_results(seen[0])) == 1,
                   (got, [len(m) for m in seen]))

    def passed_by(self, way):
        """Clients inside and those that logged in: no header, no fail."""
        self.mta.forget()
        c = sm.Client(WAYS[way], INSIDE)
        got = c.mail('fail.test', 'u@fail.test')
        c.quit()
        seen = self.mta.delivered(1)
        self.check(way + '/internal',
                   got[-1].startswith('250') and len(seen) == 1 and not
                   own_results(seen[0]), got)
        self.mta.forget()
        c = sm.Client(WAYS[way])
        c.cmd('EHLO none.test')
        word = base64.b64encode(('\0%s\0%s' % (sm.USER, sm.PASSWORD)
                                 ).encode()).decode()
        auth = c.cmd('AUTH PLAIN ' + word)
        got = c.cmd('MAIL FROM:<u@fail.test>')
        c.cmd('RCPT TO:<a@dest.test>')
        last = c.message()
        c.quit()
        seen = self.mta.delivered(1)
        self.check(way + '/authenticated',
                   auth.startswith('235') and got.startswith('250') and
                   last.startswith('250') and len(seen) == 1 and not
                   own_results(seen[0]), (auth, got, last))
        c = sm.Client(WAYS[way])
        c.cmd('EHLO none.test')
        auth = c.cmd('AUTH PLAIN ' + base64.b64encode(b'\0walter\0no')
                     .decode())
        got = c.cmd('MAIL FROM:<u@fail.test>')
        c.quit()
        self.check(way + '/not-authenticated',
                   auth.startswith('535') and got.startswith('550 5.7.23'),
                   (auth, got))

    def forged(self, way):
        """Fields in our name are gone, those of others stay."""
        lie = b'spf=pass smtp.mailfrom=soft.test'
        foreign = b'Authentication-Results: other.test; spf=neutral\r\n'
        for name, template in FORGED_AR.items():
            self.mta.forget()
            c = sm.Client(WAYS[way])
            c.cmd('EHLO none.test')
            c.cmd('MAIL FROM:<u@soft.test>')
            c.cmd('RCPT TO:<a@dest.test>')
            got = c.message(foreign + template % lie + b'\r\n' + foreign +
                            b'From: u@soft.test\r\n\r\nhi\r\n')
            c.quit()
            test = '%s/forged/%s' % (way, name)
            seen = self.mta.delivered(1)
            own = [own_results(m) for m in seen]
            self.check(test,
                       len(own) == 1 and len(own[0]) == 1 and
                       re.search(r';\s+spf=softfail\s', own[0][0]), (got, own))
            others = template.count(b'other.test')
            self.check(test + '/others-stay',
                       len(seen) == 1 and
                       len(re.findall(rb'(?im)^Authentication-Results:[ \t]*'
                                      rb'other\.test', seen[0])) == 2 +
                       others, seen)

    def submitted(self, way):
        """Mail that a program on this host hands over has no client."""
        argv = self.mta.argv('-OInputMailFilters=' + way)
        self.mta.forget()
        p = subprocess.run(
            argv + ['-t'], env=self.mta.env, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=60,
            input=b'To: a@dest.test\nFrom: u@fail.test\n\nhi\n')
        seen = self.mta.delivered(1)
        self.check(way + '/submitted-t',
                   len(seen) == 1 and not own_results(seen[0]),
                   (p.stdout, seen))
        self.mta.forget()
        ours, theirs = socket.socketpair()
        with theirs:
            p = subprocess.Popen(argv + ['-bs'], env=self.mta.env,
                                 stdin=theirs, stdout=theirs)
        c = sm.Client.over(ours)
        got = c.mail('fail.test', 'u@fail.test')
        c.quit()
        p.wait(30)
        seen = self.mta.delivered(1)
        self.check(way + '/submitted-bs',
                   len(seen) == 1 and got[-1].startswith('250') and not
                   own_results(seen[0]), (got, seen))

    def way(self, way):
        for name in CASES:
            self.case(way, name)
        self.temperror(way)
        self.session(way)
        self.no_helo(way)
        self.large(way)
        self.passed_by(way)
        self.submitted(way)
        self.forged(way)

    def ask_stops(self, state, want):
        """One message by each F=; want: the first code of the reply to
        MAIL, or None: delivered, with a header or without."""
        for name, (port, _) in STOPS.items():
            code, header = want[name]
            self.mta.forget()
            c = sm.Client(port)
            got = c.mail('none.test', 'u@pass.test')
            c.quit()
            test = '%s/%s' % (name, state)
            if code is not None:
                self.check(test, len(got) == 1 and got[0].startswith(code),
                           got)
                continue
            seen = self.mta.delivered(1)
            self.check(test,
                       got[-1].startswith('250') and len(seen) == 1 and
                       len(own_results(seen[0])) == header, (got, seen))

    def stops(self):
        """What each F= makes of our absence. Sendmail stays as it is."""
        there = {n: (None, 1) for n in STOPS}
        gone = {'stop-T': ('451 4.3.2', 0), 'stop-R': ('550', 0),
                'stop-none': (None, 0)}
        self.start('stop-local')
        self.ask_stops('there', there)
        self.daemons['stop-local'].end()
        self.check('stop/socket-removed',
                   not os.path.exists(self.where('stop-local')))
        self.ask_stops('ended', gone)
        if not self.start('stop-local'):
            return
        self.ask_stops('there-again', there)
        self.killed_in_session()
        self.check('stop/socket-left',
                   product.is_socket(self.where('stop-local')))
        self.ask_stops('killed', gone)
        if self.start('stop-local'):
            self.ask_stops('there-after-kill', there)

    def killed_in_session(self):
        """The whole daemon dies between RCPT and DATA."""
        open_ = {}
        for name, (port, _) in STOPS.items():
            c = open_[name] = sm.Client(port)
            c.cmd('EHLO none.test')
            c.cmd('MAIL FROM:<u@pass.test>')
            c.cmd('RCPT TO:<a@dest.test>')
        self.mta.forget()
        self.kill_daemon('stop-local')
        want = {'stop-T': '45', 'stop-R': '55', 'stop-none': '250'}
        for name, c in open_.items():
            got = c.message()
            self.begins(name + '/killed-before-data', got, want[name])
            c.quit()
        self.equal('stop/killed-before-data/one-delivered',
                   len(self.mta.delivered(1)), 1)

    def quiet(self):
        """Nobody complained: not we, and Sendmail only of what we stopped."""
        self.empty('no-complaints', self.records(
            '(?i)sandbox|fatal|panic|claimed not to reply|unexpected reply|'
            'protocol error') + [r for r in self.records(
                'to error state|[Mm]ilter.*: write|: read returned')
                if 'stop-' not in r])

    def run(self):
        sm.addresses(CLIENT, CLIENT6, INSIDE)
        for way in WAYS:
            if not self.start(way):
                return
        self.mta.start()
        for way in WAYS:
            self.way(way)
        self.stops()
        self.quiet()

    def stop(self):
        self.mta.stop()
        super().stop()


if __name__ == '__main__':
    Tests(sm.enter('sendmail')).play()
