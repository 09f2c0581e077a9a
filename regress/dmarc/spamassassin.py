#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""What SpamAssassin's own SPF plugin (Debian's package) reads in mail that
came through Postfix with our milter and with our policy service. It works
offline here, so that each hit is taken from a field; mail without ours gives
none.

usage: spamassassin.py [-v]
"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import ns
import product
import rig
from check import skip

MODULE = '/usr/share/perl5/Mail/SpamAssassin/Plugin/SPF.pm'
# name: (HELO, sender, rules that must hit)
CASES = {
    'pass': ('none.test', 'u@pass.test', 'SPF_PASS'),
    'fail': ('none.test', 'u@fail.test', 'SPF_FAIL'),
    'softfail': ('none.test', 'u@soft.test', 'SPF_SOFTFAIL'),
    'neutral': ('none.test', 'u@neut.test', 'SPF_NEUTRAL'),
    'none': ('none.test', 'u@none.test', 'SPF_NONE'),
    'permerror': ('none.test', 'u@perm.test', 'SPF_PERMERROR'),
    'temperror': ('none.test', 'u@temp.test', 'SPF_TEMPERROR'),
    'helo-pass': ('mail.test', '', 'SPF_HELO_PASS'),
    'helo-fail': ('fail.test', '', 'SPF_HELO_FAIL'),
    'helo-speaks-for-none': ('mail.test', 'u@none.test', 'SPF_HELO_PASS'),
    'verp': ('none.test', 'b+1=u=dest.test@pass.test', 'SPF_PASS'),
    'ipv6': ('none.test', 'u@pass.test', 'SPF_PASS'),
    # The plugin's patterns are blind to quotes and comments.
    'identity-in-local-part': ('none.test', '"x identity=helo; y"@pass.test',
                               'SPF_PASS'),
    'identity-in-helo': ('identity=mailfrom', 'u@soft.test', 'SPF_SOFTFAIL'),
    'identity-in-helo-of-bounce': ('identity=mailfrom', '', None),
    'property-in-local-part': ('none.test', '"x smtp.helo=a; spf=pass"'
                               '@soft.test', 'SPF_SOFTFAIL'),
    'result-in-local-part': ('none.test', '"; spf=pass smtp.mailfrom=a"'
                             '@fail.test', 'SPF_FAIL'),
    'result-in-helo': ('; spf=pass smtp.mailfrom=a', 'u@soft.test',
                       'SPF_SOFTFAIL'),
    # What the sender puts in stands below Received: not internal.
    'forged-received-spf': ('none.test', 'u@soft.test', 'SPF_SOFTFAIL'),
    'forged-results': ('none.test', 'u@soft.test', 'SPF_SOFTFAIL'),
}
EXTRA = {
    'forged-received-spf': b'Received-SPF: pass (x) identity=mailfrom; '
                           b'envelope-from=u@soft.test\r\n',
    'forged-results': b'Authentication-Results: mx.example.test; spf=pass '
                      b'smtp.mailfrom=soft.test\r\n',
}
WAYS = ('milter', 'spf', 'ar')


class Tests(rig.Rig):
    def __init__(self):
        super().__init__('spamassassin/', rig.dmarc_zone(),
                         WAYS + ('bare',))
        self.sent = {}

    def one(self, way, name):
        helo, sender, want = CASES[name]
        client = '2001:db8::1' if name == 'ipv6' else '192.0.2.1'
        case, got = self.send(way, helo, sender, 'pass.test',
                              EXTRA.get(name, b''), client)
        if got[-1].startswith('250') and len(got) == 3:
            self.sent[case] = (way, name, want)
        else:
            self.check(way + '/' + name, False, got)

    def rules(self, files, options=()):
        """{file: rules} by the plugin itself."""
        p = subprocess.run(
            ['perl', os.path.join(HERE, 'spamassassin.pl'), *options] + files,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
            env={'PATH': '/usr/bin:/bin', 'LANG': 'C', 'HOME': '/run'})
        if p.returncode != 0 or p.stderr:
            self.check('runs', False, p.stderr.decode(errors='replace'))
        out = {}
        for line in p.stdout.decode().splitlines():
            name, _, hits = line.partition(': ')
            out[name] = hits.strip()
        return out

    def run(self):
        self.start()
        for way in WAYS:
            for name in CASES:
                self.one(way, name)
        for name in ('pass', 'forged-received-spf', 'forged-results'):
            self.one('bare', name)
        messages = self.collect(len(self.sent))
        queries = len(self.dns.queries)
        folder = product.folder('/run/sa')
        files = {}
        for case, (way, name, want) in self.sent.items():
            if case not in messages:
                self.check('%s/%s' % (way, name), False, 'not delivered')
                continue
            path = '%s/%d' % (folder, case)
            with open(path, 'wb') as f:
                f.write(messages[case].data)
            files[path] = case
        oldest = self.rules(list(files))
        newest = self.rules(list(files), ('-n',))
        for path, case in files.items():
            way, name, want = self.sent[case]
            if way == 'bare':
                want = ''
            got = (oldest.get(path), newest.get(path))
            if want is None:    # of a bounce: its HELO's result, or nothing
                good = all(g is not None and g in ('', 'SPF_HELO_NONE')
                           for g in got)
            else:
                good = got == (want, want)
            self.check('%s/%s' % (way, name), good, '%s: %s' % (
                got, messages[case].fields[3:6]))
        self.equal('asked-no-dns', self.dns.queries[queries:], [])


if __name__ == '__main__':
    if os.path.exists(MODULE):
        ns.enter('spamassassin')
        Tests().play()
    skip('spamassassin', 'it is not installed')
