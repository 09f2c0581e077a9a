# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""A Postfix with our programs and, behind them, Debian's OpenDMARC, which
believes their fields. For tests inside a namespace (ns.py).

    rig = Rig('dmarc/', zone_lines); rig.start()
    rig.send('milter', 'helo.test', 'u@pass.test', 'pass.test') -> replies
    rig.collect(count)      -> {case number: Message}
    rig.stop()

A way is a listener of Postfix. 'milter' has the milter, 'spf' and 'ar' have
the policy service with that Header_Type, and all three let every result
come through. '+default' rejects as the programs do when nothing is set.
'bare' has OpenDMARC and nothing of ours: there a forgery succeeds, or the
test would show nothing. 'spf+strip' is 'spf' with Postfix's header_checks
removing incoming Authentication-Results, which a policy service cannot.
"""

import os
import re
import subprocess
import threading

import product
import strict
from daemon import RUN, Site, children_of, role, wait
from pf import Postfix, Smtp, headers

HERE = os.path.dirname(os.path.abspath(__file__))
ID = 'mx.example.test'
AR, SPF = 'authentication-results', 'received-spf'
ALL_THROUGH = ['HELO_reject = False', 'Mail_From_reject = False']
DMARC = 'unix:%s/opendmarc/socket' % RUN

# way: (port, ours as smtpd_milters, our policy service, are incoming
#	Authentication-Results removed by Postfix)
WAYS = {
    'milter': (10041, 'unix:%s/through/milter' % RUN, None, False),
    'spf': (10042, None, 'unix:%s/through/policy' % RUN, False),
    'ar': (10043, None, 'unix:%s/ar/policy' % RUN, False),
    'spf+strip': (10044, None, 'unix:%s/through/policy' % RUN, True),
    'milter+default': (10045, 'unix:%s/default/milter' % RUN, None, False),
    'spf+default': (10046, None, 'unix:%s/default/policy' % RUN, False),
    'bare': (10047, None, None, False),
}


class OpenDmarc:
    """Debian's OpenDMARC 1.4.2, which makes no SPF check of its own."""

    def __init__(self):
        folder = product.folder(RUN + '/opendmarc', 'opendmarc')
        tld = product.write_file(folder + '/suffixes', 'test\n')
        conf = product.write_file(folder + '/conf', '\n'.join((
            'Socket local:' + folder + '/socket', 'UMask 0',
            'AuthservID ' + ID,
            'TrustedAuthservIDs ' + ID, 'SPFIgnoreResults false',
            'SPFSelfValidate false', 'RejectFailures false',
            'PublicSuffixList ' + tld, 'Syslog true', 'UserID opendmarc',
            'Background false', '')))
        self.log = open(folder + '/err', 'wb')
        self.p = subprocess.Popen(['opendmarc', '-f', '-c', conf],
                                  stdin=subprocess.DEVNULL, stdout=self.log,
                                  stderr=self.log, cwd='/')

    def end(self):
        product.end(self.p, 10)
        self.log.close()


class Message:
    """A delivered message, as those see it who come after us."""

    def __init__(self, data):
        self.data = data
        self.fields = headers(data)
        self.case = None
        for name, value in self.fields:
            if name == 'X-Case':
                self.case = int(value)

    def values(self, name):
        return [v for n, v in self.fields if n.lower().rstrip() == name]

    def own_results(self):
        """Authentication-Results that some reader may take for ours, but
        for the one that OpenDMARC wrote (the topmost with dmarc=)."""
        own = [v for v in self.values(AR) if strict.may_be_id(v, ID)]
        for n, v in enumerate(own):
            if re.match(re.escape(ID) + r';\s*dmarc=', v):
                return own[:n] + own[n + 1:]
        return own

    def dmarc(self):
        """(result, domain) that OpenDMARC wrote; (None, None)."""
        for v in self.values(AR):
            m = re.match(re.escape(ID) + r';\s*dmarc=(\w+)\s+(?:\([^()]*\)'
                         r'\s+)?header\.from=(\S+)$', v)
            if m:
                return m.group(1), m.group(2)
        return None, None


def dmarc_zone():
    with open(os.path.join(HERE, '..', 'dmarc', 'dmarc.zone'),
              encoding='ascii') as f:
        return f.read().split('\n')


FRONT = os.environ.get('FRONTEND')
# What the front end adds to the names of tests.
SUFFIX = '-' + FRONT if FRONT else ''


class Rig(Site):
    def __init__(self, prefix, zone, ways=tuple(WAYS)):
        super().__init__(prefix, zone)
        self.ways = ways
        self.dmarc = self.pf = None
        self.lock = threading.Lock()
        self.numbers = 0

    def through(self, name, lines):
        """A daemon with both sockets in its folder."""
        folder = '%s/%s' % (RUN, name)
        self.daemon(name, lines + [
            'Socket = unix:%s/milter' % folder,
            'PolicySocket = unix:%s/policy' % folder,
            'ControlSocket = none', 'PidFile = %s/pid' % folder,
            'UMask = 0', 'Lookup_Time = 2'] + (
                ['Milter_Frontend = ' + FRONT] if FRONT else []),
            folder + '/milter')
        pid = self.daemons[name].p.pid
        if FRONT == 'libmilter' and not wait(
                lambda: FRONT in map(role, children_of(pid))):
            raise RuntimeError('no libmilter role')

    def listener(self, way):
        _, milter, policy, strip = WAYS[way]
        out = ['smtpd_milters = ' + ', '.join(
            m for m in (milter, DMARC) if m)]
        if policy:
            out.append('smtpd_recipient_restrictions = '
                       'reject_unauth_destination, check_policy_service ' +
                       policy)
        if strip:
            out.append('cleanup_service_name = cleanup-strip')
        return out

    def start(self):
        product.folder(RUN)
        self.dmarc = OpenDmarc()
        self.through('through', ALL_THROUGH)
        self.through('ar', ALL_THROUGH + ['Header_Type = AR'])
        self.through('default', [])
        checks = product.write_file(
            RUN + '/checks', '/^Authentication-Results[[:space:]]*:/ IGNORE\n')
        self.pf = Postfix(
            {str(WAYS[w][0]): self.listener(w) for w in self.ways},
            ['cleanup-strip unix n - n - 0 cleanup',
             '  -o header_checks=regexp:' + checks],
            ['in_flow_delay = 0', 'header_size_limit = 200000'])
        self.pf.start()

    def stop(self):
        if self.pf:
            self.pf.stop()
        if self.dmarc:
            self.dmarc.end()
        super().stop()

    def number(self):
        with self.lock:
            self.numbers += 1
            return self.numbers

    def text(self, case, domain, extra=b''):
        """A message From: a user of domain; extra: fields with their CRLF,
        above it."""
        return b'X-Case: %d\r\n%sFrom: u@%s\r\nSubject: s\r\n\r\nhi\r\n' \
            % (case, extra, domain.encode('utf-8'))

    def send(self, way, helo, sender, domain, extra=b'', client='192.0.2.1',
             options='', rcpts=('a@dest.test',)):
        """One message over a connection of its own: (case, replies)."""
        case = self.number()
        s = Smtp(WAYS[way][0], client=client)
        out = [s.cmd('EHLO ' + helo),
               s.cmd('MAIL FROM:<%s>%s' % (sender, options))][1:]
        if out[0].startswith('250'):
            for r in rcpts:
                out.append(s.cmd('RCPT TO:<%s>' % r))
            if out[-1].startswith('250'):
                out.append(s.message(self.text(case, domain, extra)))
        s.quit()
        return case, out

    def collect(self, count, seconds=20):
        """The delivered messages by case, when there are so many."""
        out = {}
        for data in self.pf.delivered(count, seconds):
            m = Message(data)
            out[m.case] = m
        return out
