#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""SPF, DKIM, DMARC: Debian's OpenDKIM and OpenDMARC behind our milter, and
behind our policy service, in that order. Messages are signed with a key of
the zone; every one gets the results of all three.

usage: chain.py [-v] [sendmail]
sendmail: with Sendmail in the place of Postfix (see sm.py), milter only.
FRONTEND=libmilter runs the milter with that front end.
"""

import os
import re
import subprocess
import sys

import dkim

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import ns
import product
import rig
import sm
import strict
from daemon import RUN, wait
from pf import Smtp

DKIM = 'unix:%s/opendkim/socket' % RUN
SELECTOR = 's1'
SIGNERS = ('pass.test', 'fail.test', 'soft.test', 'relax.test')
rig.WAYS['chain-milter'] = (10401, 'unix:%s/through/milter, %s'
                            % (RUN, DKIM), None, False)
rig.WAYS['chain-policy'] = (10402, DKIM, 'unix:%s/through/policy' % RUN,
                            False)
WAYS = ('chain-milter', 'chain-policy')
LIE = b'Authentication-Results: mx.example.test; %s\r\n'
# name: (sender, domain of From, who signs, is the text changed after that,
#	more fields, and what must be said: spf, dkim, dmarc)
CASES = {
    'both': ('u@pass.test', 'pass.test', 'pass.test', False, b'',
             'pass', 'pass', 'pass'),
    'spf-alone': ('u@pass.test', 'pass.test', None, False, b'',
                  'pass', None, 'pass'),
    'spf-broken-signature': ('u@pass.test', 'pass.test', 'pass.test', True,
                             b'', 'pass', 'fail', 'pass'),
    'dkim-alone-forwarded': ('u@soft.test', 'pass.test', 'pass.test', False,
                             b'', 'softfail', 'pass', 'pass'),
    'dkim-alone-spf-fails': ('u@fail.test', 'fail.test', 'fail.test', False,
                             b'', 'fail', 'pass', 'pass'),
    'dkim-alone-null-sender': ('', 'pass.test', 'pass.test', False, b'',
                               'pass', 'pass', 'pass'),
    'neither': ('u@soft.test', 'soft.test', None, False, b'',
                'softfail', None, 'fail'),
    'broken-signature': ('u@soft.test', 'soft.test', 'soft.test', True, b'',
                         'softfail', 'fail', 'fail'),
    'both-of-others': ('u@relax.test', 'soft.test', 'relax.test', False,
                       b'', 'pass', 'pass', 'fail'),
    'foreign-results': ('u@pass.test', 'pass.test', 'pass.test', False,
                        b'Authentication-Results: other.test; spf=fail\r\n',
                        'pass', 'pass', 'pass'),
}
# A policy service cannot remove fields; its reader is told by README how
# the mail server can.
FORGED = {
    'forged-spf': ('u@soft.test', 'soft.test', None, False,
                   LIE % b'spf=pass smtp.mailfrom=soft.test',
                   'softfail', None, 'fail'),
    'forged-dkim': ('u@soft.test', 'soft.test', None, False,
                    LIE % b'dkim=pass header.d=soft.test',
                    'softfail', None, 'fail'),
    'forged-dmarc': ('u@soft.test', 'soft.test', 'soft.test', True,
                     LIE % b'dmarc=pass header.from=soft.test',
                     'softfail', 'fail', 'fail'),
}


class OpenDkim:
    """Debian's OpenDKIM, which verifies."""

    def __init__(self):
        folder = product.folder(RUN + '/opendkim', 'opendkim')
        # Its libunbound asks nobody on this host, and nobody for names
        # below test, unless it is told so.
        unbound = product.write_file(folder + '/unbound', 'server:\n'
                                     'do-not-query-localhost: no\n'
                                     'local-zone: "test." nodefault\n')
        conf = product.write_file(folder + '/conf', '\n'.join((
            'Mode v', 'ResolverConfiguration ' + unbound,
            'Socket local:' + folder + '/socket', 'UMask 0',
            'AuthservID ' + rig.ID, 'Nameservers 127.0.0.1',
            'Syslog true', 'UserID opendkim', 'Background false', '')))
        self.log = open(folder + '/err', 'wb')
        self.p = subprocess.Popen(['opendkim', '-f', '-x', conf],
                                  stdin=subprocess.DEVNULL, stdout=self.log,
                                  stderr=self.log, cwd='/')
        if not wait(lambda: product.is_socket(folder + '/socket')):
            raise RuntimeError('OpenDKIM does not listen')

    end = rig.OpenDmarc.end


def key_for(domain, folder):
    """Makes a key; the zone line of its public half."""
    subprocess.run(['opendkim-genkey', '-D', folder, '-d', domain, '-s',
                    SELECTOR, '-b', '1024'], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.rename('%s/%s.private' % (folder, SELECTOR), '%s/%s.key'
              % (folder, domain))
    with open('%s/%s.txt' % (folder, SELECTOR), encoding='ascii') as f:
        text = ''.join(re.findall(r'"([^"]*)"', f.read()))
    return '%s._domainkey.%s TXT "%s"' % (SELECTOR, domain, text)


class Chain(rig.Rig):
    def __init__(self, sendmail):
        self.folder = product.folder('/run/keys')
        super().__init__('chain/' if sendmail is None else 'chain-sendmail/',
                         rig.dmarc_zone() + [key_for(d, self.folder)
                                             for d in SIGNERS], WAYS)
        self.sendmail = sendmail
        self.wanted = {}
        self.dkim = None

    def start(self):
        product.folder(RUN)
        self.dmarc = rig.OpenDmarc()
        self.dkim = OpenDkim()
        self.through('through', rig.ALL_THROUGH)
        if self.sendmail is None:
            self.pf = rig.Postfix({str(rig.WAYS[w][0]): self.listener(w)
                                   for w in self.ways})
        else:
            sm.addresses('192.0.2.1')
            self.pf = sm.Sendmail(self.sendmail, {'chain': (
                rig.WAYS['chain-milter'][0],
                ['S=%s, F=T, T=S:10s;R:30s;E:60s' % s for s in
                 ('unix:%s/through/milter' % RUN, DKIM, rig.DMARC)], '')})
        self.pf.start()

    def stop(self):
        # Either takes its five seconds; both at once.
        for p in (self.dmarc, self.dkim):
            if p is not None:
                p.p.terminate()
        super().stop()
        if self.dkim is not None:
            self.dkim.end()

    def signed(self, text, signer, changed):
        if signer is None:
            return text
        with open('%s/%s.key' % (self.folder, signer), 'rb') as f:
            field = dkim.sign(text, SELECTOR.encode(), signer.encode(),
                              f.read(), include_headers=[b'from', b'subject'])
        return field + (text.replace(b'\r\nhi\r\n', b'\r\nhello\r\n')
                        if changed else text)

    def case(self, way, name, case):
        sender, domain, signer, changed, extra = case[:5]
        number = self.number()
        # What stands above the signature is what came on the way.
        text = extra + self.signed(self.text(number, domain), signer,
                                   changed)
        port = rig.WAYS[way][0]
        s = Smtp(port) if self.sendmail is None else sm.Client(port)
        s.cmd('EHLO mail.test')
        got = [s.cmd('MAIL FROM:<%s>' % sender),
               s.cmd('RCPT TO:<a@dest.test>'), s.message(text)]
        s.quit()
        test = '%s/%s' % (way, name)
        self.check(test + '/accepted', got[-1].startswith('250'), got)
        self.wanted[number] = (test, way, case)

    def results(self, m, way):
        """[(method, result)] of the fields in this host's name, from the
        top, and of Received-SPF."""
        out = []
        for n, v in m.fields:
            if n.lower().rstrip() == rig.AR and strict.may_be_id(v, rig.ID):
                out += re.findall(r'^[^;]*;\s*([\w-]+)=(\w+)', v)
            elif n.lower() == rig.SPF and way == 'chain-policy':
                out.append(('spf', v.split()[0].lower()))
        return out

    def judge(self, m, test, way, case):
        spf, dkim, dmarc = case[5:]
        got = self.results(m, way)
        # OpenDKIM says nothing when there is no signature.
        want = [('spf', spf), ('dmarc', dmarc)] + \
            ([('dkim', dkim)] if dkim else [])
        self.check(test, sorted(got) == sorted(want),
                   (got, want, m.fields[:5]))
        if case[4].startswith(b'Authentication-Results: other'):
            self.check(test + '/stays', any(v.startswith('other.test') for v in
                                       m.values(rig.AR)), m.fields)

    def run(self):
        self.start()
        for way in WAYS:
            if way == 'chain-policy' and self.sendmail is not None:
                continue
            for name, case in CASES.items():
                self.case(way, name, case)
            if way == 'chain-milter':
                for name, case in FORGED.items():
                    self.case(way, name, case)
        got = self.collect(len(self.wanted))
        for number, (test, way, case) in self.wanted.items():
            if number in got:
                self.judge(got[number], test, way, case)
            else:
                self.check(test, False, 'was not delivered')


if __name__ == '__main__':
    if 'sendmail' in sys.argv:
        Chain(sm.enter('chain')).play()
    ns.enter('chain')
    Chain(None).play()
