#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""spfctl check and spfctl lint: what they print, what they find, what hostile
records can do to a terminal, and how they are confined.

usage: ctl.py [--write]	--write makes the example files anew"""

import json
import os
import pty
import pwd
import re
import select
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import ns
ns.enter('ctl')
import dnsd
import product
from daemon import check, children_of, finish, status, wait

SPFCTL = product.wanted('ctl', 'spfctl')
EXAMPLE = os.path.join(HERE, 'example.zone')
ENV = {'PATH': '/usr/bin:/bin', 'LC_ALL': 'C', 'TERM': 'xterm'}
for name in ('ASAN_OPTIONS', 'UBSAN_OPTIONS'):
    if name in os.environ:
        ENV[name] = os.environ[name]
# Lines by which a sanitizer build warns that it has no sandbox.
NOISE = re.compile(rb'^spfctl\[\d+\]: (sanitizer build|spfctl: sanitizer|dns'
                   rb'|.*sanitizer build).*\n', re.M)
SANITIZED = 'asan' in os.path.basename(os.environ.get('B', ''))

DNS = [
    'pass.test TXT "v=spf1 ip4:192.0.2.1 -all"',
    'tree.test TXT "v=spf1 include:inc.test a:h.test mx redirect=red.test"',
    'inc.test TXT "v=spf1 exists:%{i}.ex.test -all"',
    'h.test ttl=77 A 192.0.2.8',
    'red.test TXT "v=spf1 ip4:192.0.2.9 -all exp=why.test"',
    'why.test TXT "no, %{i}"',
    'tree.test MX 10 m1.test',
    'm1.test AAAA 2001:db8::1',
    'servfail.test SERVFAIL',
    # the first question for each name is answered after 2.5 s
    '*.slow.test SLOW 2.5',
    '*.slow.test TXT "v=spf1 -all"',
    '*.lag.test SLOW 2.5',
    '*.lag.test TXT "v=spf1 +all"',
    r'ctl.test TXT "v=spf1 a:\x1b]0;owned\x07\x1b[31m.test \x9b31m -all"',
    r'ctl2.test TXT "v=spf1 exp=c2e.test -all"',
    r'c2e.test TXT "see\x1b[2J\r\n"',
    r'utf.test TXT "v=spf1 a:\xc2\x9b31m\xe2\x80\xae.test -all"',
    r'nul.test TXT "v=spf1 a:\x00b.test -all"',
    r'big.test TXT "v=spf1 \R{60000}{x} -all"',
    'many.test TXT "v=spf1 %s -all"' % ' '.join(
        'ip4:10.%d.%d.1' % (i // 250, i % 250) for i in range(3500)),
    'macro.test TXT "v=spf1 a:%{l}.test -all"',
    # a tree that never ends, and a record of includes only
    '*.bomb.test TXT "v=spf1 %s -all"' % ' '.join(
        'include:%s.%%{d}' % c for c in 'abcdefgh'),
    'wide.test TXT "v=spf1 %s -all"' % ' '.join(
        'include:i%d.t' % i for i in range(4000)),
    'mxs.test TXT "v=spf1 %s -all"' % ' '.join(
        'mx:m%d.mxs.test' % i for i in range(1000)),
    *['*.mxs.test MX 1 h%d.none.test' % i for i in range(30)],
    r'mxbad.test MX 10 evil\x1b[31m.test',
    'mxbad.test TXT "v=spf1 mx -all"',
]


def run(*args, env=None, stdin=None, **more):
    """(status, stdout, stderr) of one spfctl."""
    p = subprocess.run([SPFCTL, *args], env={**ENV, **(env or {})},
                       stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=60, cwd='/', check=False, **more)
    return p.returncode, p.stdout, NOISE.sub(b'', p.stderr)


def normal(text):
    """The text, with its times made equal."""
    return re.sub(r'\b\d+\.\d ms', 'N ms', text.decode('utf-8'))


def zone(text, name='z.zone'):
    return product.write_file('/run/' + name, text)


# ---- golden outputs

def diff(a, b):
    for x, y in zip(a.split('\n') + ['<end>'], b.split('\n') + ['<end>']):
        if x != y:
            return 'have: %s want: %s' % (x, y)
    return ''


def golden():
    utf8 = {'LC_ALL': 'C.UTF-8'}
    cases = {
        'example-check.txt': ['check', '--zone', EXAMPLE, '203.0.113.70',
                              'alice@example.com', 'out.mailer.example.com'],
        'example-check-permerror.txt': [
            'check', '--zone', EXAMPLE, '192.0.2.25', 'alice@example.com',
            'mx.example.com'],
        'example-lint.txt': ['lint', '--zone', EXAMPLE, 'shop.example.com'],
    }
    for name, args in cases.items():
        rc, out, err = run(*args, env=utf8)
        head = '$ spfctl %s\n' % ' '.join(
            a.replace(EXAMPLE, 'example.zone') for a in args)
        have = head + normal(out)
        path = os.path.join(HERE, name)
        if sys.argv[1:] == ['--write']:
            with open(path, 'w', encoding='utf-8') as f:
                f.write(have)
            continue
        with open(path, encoding='utf-8') as f:
            want = f.read()
        check('ctl/golden-' + name[8:-4], have == want and err == b'',
              diff(have, want) + err.decode('latin-1'))
    rc, out, err = run('check', '--zone', EXAMPLE, '203.0.113.70',
                       'alice@example.com', 'mx.example.com')
    check('ctl/ascii-outside-utf-8', all(c < 0x7f for c in out) and
          b'`-- ' in out, out[:200])


# ---- check

def walk(level):
    """All levels of a check in JSON."""
    yield level
    for t in level['terms']:
        if 'check' in t:
            yield from walk(t['check'])


def json_check():
    rc, out, err = run('check', '--json', '192.0.2.8', 'a@tree.test',
                       'pass.test')
    j = json.loads(out)
    check('ctl/json-verdict', rc == 0 and err == b'' and
          j['result'] == 'fail' and j['identity'] == 'helo' and
          j['action'] == 'reject' and j['reply']['code'] == '550' and
          j['reply']['enhanced'] == '5.7.23' and j['header'] is None,
          (rc, err, j['result'], j['identity']))
    ids = {i['identity']: i for i in j['identities']}
    check('ctl/json-both-identities', set(ids) == {'helo', 'mailfrom'} and
          ids['helo']['judged'] and not ids['mailfrom']['judged'])
    m = ids['mailfrom']
    check('ctl/json-result', m['result'] == 'pass' and
          m['matched'] == 'a:h.test' and m['lookups'] == 3 and
          m['voids'] == 1, m)
    top = m['check']
    terms = [(t['term'], t['matched'], t['lookups']) for t in top['terms']]
    check('ctl/json-terms', terms == [('include:inc.test', False, 2),
                                      ('a:h.test', True, 3)], terms)
    check('ctl/json-places', all(
        top['record'][t['offset']:t['offset'] + t['length']] == t['term']
        for t in top['terms']))
    check('ctl/json-not-reached', top['not_reached'] == 'mx',
          top['not_reached'])
    inc = top['terms'][0]['check']
    q = inc['terms'][0]['queries'][0]
    check('ctl/json-void-lookup', q['void'] and q['status'] == 'nxdomain' and
          q['name'] == '192.0.2.8.ex.test' and q['type'] == 'A', q)
    check('ctl/json-include', inc['domain'] == 'inc.test' and
          inc['result'] == 'fail' and inc['queries'][0]['type'] == 'TXT', inc)
    q = top['terms'][1]['queries'][0]
    check('ctl/json-lookup', q['records'] == ['192.0.2.8'] and
          q['source'] == 'dns' and 0 < q['ttl'] <= 77 and
          q['secure'] is False and q['milliseconds'] >= 0, q)

    rc, out, err = run('check', '--json', '192.0.2.77', 'a@tree.test',
                       'nothing.test')
    j = json.loads(out)
    m = [i for i in j['identities'] if i['identity'] == 'mailfrom'][0]
    levels = [(x['domain'], x['result']) for x in walk(m['check'])]
    check('ctl/json-redirect', levels == [
        ('tree.test', 'fail'), ('inc.test', 'fail'), ('red.test', 'fail')],
        levels)
    check('ctl/json-explanation', m['explanation'] == 'no, 192.0.2.77' and
          any(q['explanation'] and q['name'] == 'why.test' for x in
              walk(m['check']) for q in x['queries']), m['explanation'])
    check('ctl/json-log', isinstance(j['log'], list) and
          any('5.7.23' in x for x in j['log']), j['log'])
    for key in ('client', 'sender', 'helo', 'skipped', 'lookup_limit',
                'void_limit', 'void_family', 'questions', 'milliseconds'):
        check('ctl/json-field-' + key, key in j)

    rc, out, err = run('check', '--json', '192.0.2.77', 'a@macro.test')
    m = json.loads(out)['identities'][0]
    check('ctl/json-macro', [q['name'] for q in m['check']['terms'][0]
                             ['queries']] == ['a.test'], m)


def second_lookup_is_cached():
    """The same question twice in one check is asked once."""
    before = len(SRV.queries)
    run('check', '192.0.2.1', 'a@pass.test', 'pass.test')
    asked = SRV.queries[before:]
    check('ctl/one-question', asked == ['pass.test TXT'], asked)


def exits():
    cases = [
        ('pass', 0, ['check', '192.0.2.1', 'a@pass.test']),
        ('fail', 0, ['check', '192.0.2.2', 'a@pass.test']),
        ('none', 0, ['check', '192.0.2.2', 'a@none.test']),
        ('permerror', 0, ['check', '192.0.2.2', 'a@ctl.test']),
        ('null-sender', 0, ['check', '192.0.2.1', '<>', 'pass.test']),
        ('temperror', 75, ['check', '192.0.2.1', 'a@servfail.test']),
        ('lint-temperror', 75, ['lint', 'servfail.test']),
        ('no-address', 64, ['check', '192.0.2.1.1', 'a@pass.test']),
        ('no-command', 64, []),
        ('unknown-command', 64, ['bogus']),
        ('unknown-option', 64, ['check', '--bogus', '192.0.2.1', 'a@b.test']),
        ('too-few', 64, ['check', '192.0.2.1']),
        ('too-many', 64, ['check', '1', '2', '3', '4']),
        ('lint-no-dot', 64, ['lint', '--dot', 'pass.test']),
        ('lint-no-name', 64, ['lint', 'a..b']),
        ('origin-without-zone', 64, ['lint', '--origin', 'x.test', 'x.test']),
        ('bad-nameserver', 64, ['lint', '--nameserver', 'ns.test', 'x.test']),
        ('no-zone-file', 66, ['lint', '--zone', '/nowhere', 'x.test']),
        ('bad-zone', 65, ['lint', '--zone', zone('x BOGUS y\n'), 'x.test']),
        ('bad-config', 78, ['check', '--config',
                            zone('Nonsense\nSandbox = maybe\n', 'bad.conf'),
                            '192.0.2.1', 'a@pass.test']),
        ('no-config', 78, ['check', '--config', '/nowhere', '192.0.2.1',
                           'a@pass.test']),
        ('help', 0, ['--help']),
    ]
    for name, want, args in cases:
        rc, out, err = run(*args)
        check('ctl/exit-' + name, rc == want and
              (want in (0, 75)) == (err == b''), (rc, out[:80], err[:200]))
    rc, out, err = run('lint', '--zone', zone('a.test TXT "x\n'), 'a.test')
    check('ctl/zone-error-has-its-line',
          err == b'spfctl: /run/z.zone: line 1: the string has no closing '
          b'quote\n', err)


def configuration():
    conf = product.write_file('/run/x.conf', 'Header_Type = SPF\n'
                              'Mail_From_reject = False\nHELO_reject = '
                              'No_Check\nVoid_Limit = 5\n')
    args = ['check', '--json', '--config', conf, '192.0.2.2', 'a@pass.test',
            'pass.test']
    j = json.loads(run(*args)[1])
    check('ctl/config-is-used', j['action'] == 'prepend' and
          j['void_limit'] == 5 and j['header']['name'] ==
          'Authentication-Results', j)
    j = json.loads(run(*args, '--policy')[1])
    check('ctl/policy-voice', j['header']['name'] == 'Received-SPF',
          j['header'])
    conf = product.write_file('/run/x.conf', 'Void_Family = any\n')
    soa = 'x.test. SOA a b 1 2 3 4 5\n'
    z = zone(soa + 'x.test. TXT "v=spf1 a:six.x.test a:no.x.test -all"\n'
             'six.x.test. AAAA 2001:db8::1\nno.x.test. TXT "-"\n')
    args = ['check', '--zone', z, '--config', conf, '192.0.2.2', 'a@x.test']
    rc, out, err = run(*args)
    lines = [x.strip(' |`-') for x in normal(out).split('\n') if 'A ' in x]
    check('ctl/void-family-tree', rc == 0 and lines[:4] == [
        'A six.x.test: nodata; zone',
        'AAAA six.x.test: 2001:db8::1; zone, TTL 3600, other family, not void',
        'A no.x.test: nodata; zone',
        'AAAA no.x.test: nodata; zone, other family, void 1/2'], out)
    j = json.loads(run(*args, '--json')[1])
    m = [i for i in j['identities'] if i['identity'] == 'mailfrom'][0]
    seen = [[q['type'], q['other_family'], q['void']]
            for t in m['check']['terms'] for q in t['queries']]
    check('ctl/void-family-json', j['void_family'] == 'any' and
          m['voids'] == 1 and seen == [
              ['A', False, False], ['AAAA', True, False],
              ['A', False, False], ['AAAA', True, True]], seen)
    dot_text = run(*args, '--dot')[1]
    check('ctl/void-family-dot', dot_ok(dot_text.decode()) == '' and
          b'other family\\nnot void' in dot_text and
          b'other family\\nvoid' in dot_text, dot_text)
    z = zone(soa + 'x.test. TXT "v=spf1 a:h.x.test a:h.x.test '
             'exists:s.x.test -all"\n'
             'h.x.test. A 192.0.2.1\ns.x.test. AAAA 2001:db8::1\n')
    for name, more, want in (('client', [], (1, 3)),
                             ('any', ['--config', conf], (0, 0))):
        j = json.loads(run('lint', '--json', '--zone', z, *more,
                           'x.test')[1])
        have = (j['voids_ipv4'], j['voids_ipv6'])
        check('ctl/void-family-lint-' + name, have == want, have)
    conf = product.write_file('/run/x.conf', 'Whitelist = 192.0.2.2\n')
    rc, out, err = run('check', '--config', conf, '192.0.2.2', 'a@pass.test')
    check('ctl/whitelist-is-told',
          b'not checked: Whitelist exempts the client\n' in out and
          b'MAIL FROM a@pass.test: fail' in out, out)
    other = dnsd.DnsServer(port=5300)
    other.start(['pass.test TXT "v=spf1 ?all"'])
    rc, out, err = run('check', '--json', '--nameserver', '127.0.0.1@5300',
                       '192.0.2.1', 'a@pass.test')
    other.stop()
    check('ctl/nameserver', json.loads(out)['result'] == 'neutral', out)


def dnssec():
    folder = os.path.join(HERE, '..', 'dns')
    with open(os.path.join(folder, 'dns_test.py'), encoding='ascii') as f:
        anchor = re.search(r'^SEC = \(?((?:\s*"[^"]*")+)', f.read(), re.M)
    anchor = ''.join(re.findall(r'"([^"]*)"', anchor.group(1)))
    product.write_file('/run/anchor', anchor + '\n')
    conf = product.write_file('/run/x.conf', 'Trust_Anchor = /run/anchor\n')
    sec = dnsd.DnsServer(port=5300)
    with open(os.path.join(folder, 'signed.zone'), encoding='ascii') as f:
        sec.start(f.read().split('\n'))
    args = ['--config', conf, '--nameserver', '127.0.0.1@5300', '192.0.2.1']
    q = json.loads(run('check', '--json', *args, 'a@sec.test')[1])[
        'identities'][0]['check']['queries'][0]
    text = run('check', *args, 'a@sec.test')[1]
    check('ctl/dnssec-secure', q['secure'] is True and
          b', DNSSEC\n' in text, q)
    rc, out, err = run('check', '--json', *args, 'a@bad.sec.test')
    check('ctl/dnssec-forged-is-temperror', rc == 75 and
          json.loads(out)['result'] == 'temperror', (rc, out[:300]))
    sec.stop()


# ---- DOT

def dot_ok(text):
    """The grammar of the part of DOT that we write: balanced braces,
    statements, quoted strings that end. Text of what is wrong, or ''."""
    token = re.compile(r'\s+|"(?:[^"\\\n]|\\.)*"|->|[{}\[\];,=]|'
                       r'[A-Za-z_]\w*|\d+')
    i, kinds = 0, []
    while i < len(text):
        m = token.match(text, i)
        if m is None:
            return 'no token: ' + text[i:i + 40]
        if not m.group().isspace():
            t = m.group()
            kinds.append('s' if t[0] == '"' else 'w' if t[0].isalnum() else t)
        i = m.end()
    flat = ' '.join(kinds)
    attr = r'w = [ws]'
    stmt = (r'(?:w (?:-> w )?(?:\[ %s(?: , %s)* \] )?; |w = [ws] ; )'
            % (attr, attr))
    sub = r'(?:w w { (?:%s)*} )' % stmt
    if re.fullmatch(r'w w { (?:%s|%s)*} ' % (sub, stmt), flat + ' ') is None:
        return 'grammar: ' + flat[:200]
    return ''


def dot():
    for name, args in {
            'tree': ['192.0.2.77', 'a@tree.test', 'pass.test'],
            'hostile': ['192.0.2.77', 'a@ctl.test', 'big.test'],
            'quotes': ['192.0.2.77', '"a\\"b"@tree.test', 'x"y.test']
    }.items():
        rc, out, err = run('check', '--dot', *args)
        why = dot_ok(out.decode('utf-8'))
        check('ctl/dot-' + name, rc == 0 and why == '' and
              b'->' in out, why or err)
        if shutil.which('dot'):
            p = subprocess.run(['dot', '-Tcanon'], input=out, check=False,
                               capture_output=True)
            check('ctl/dot-by-graphviz-' + name, p.returncode == 0, p.stderr)
    check('ctl/dot-checker-can-fail', dot_ok('digraph x { a -> ; }') != '' and
          dot_ok('digraph x { a [label="b]; }') != '')


# ---- lint

LINT = [
    # name, record (or lines), exit, codes in order of their places
    ('clean', 'v=spf1 ip4:192.0.2.1 -all', 0, []),
    ('softfail-is-clean', 'v=spf1 a ~all', 0, [], 'x.test. A 192.0.2.1\n'
     'x.test. AAAA 2001:db8::1\n'),
    ('syntax', 'v=spf1 ipv4:192.0.2.1 -all', 2, ['syntax']),
    ('syntax-all-of-them', 'v=spf1 ip4:1.2.3 ip6:zz a:%{x}.t -all', 2,
     ['syntax', 'syntax', 'syntax']),
    ('syntax-twice', 'v=spf1 redirect=a.test redirect=b.test', 2,
     ['syntax'], 'a.test. TXT "v=spf1 -all"\n'),
    ('after-all', 'v=spf1 -all ip4:192.0.2.1 a', 1, ['after-all']),
    ('ptr', 'v=spf1 ptr -all', 1, ['ptr']),
    ('passes-all', 'v=spf1 +all', 2, ['passes-all']),
    ('passes-all-bare', 'v=spf1 all', 2, ['passes-all']),
    ('passes-all-net', 'v=spf1 ip4:0.0.0.0/0 -all', 2,
     ['passes-all']),
    ('neutral-all', 'v=spf1 ?all', 1, ['neutral-all']),
    ('no-all', 'v=spf1 ip4:192.0.2.1', 1, ['no-all']),
    ('redirect-ignored', 'v=spf1 -all redirect=a.test', 1,
     ['redirect-ignored']),
    ('wide', 'v=spf1 ip4:8.0.0.0/15 -all', 1, ['wide']),
    ('wide6', 'v=spf1 ip6:2001:db8::/29 -all', 1, ['wide']),
    ('passes-all-net6', 'v=spf1 ip6:::/0 -all', 2, ['passes-all']),
    ('many-addresses', 'v=spf1 " "%s" " -all' % '" "'.join(
        'ip4:%d.0.0.0/16 ' % i for i in range(20, 90)), 1,
     ['long-record', 'many-addresses']),
    ('merge', 'v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/25 -all', 0,
     ['merge']),
    ('covered', 'v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.7 -all', 0,
     ['covered']),
    ('covered-later', 'v=spf1 ip4:192.0.2.7 ip4:192.0.2.0/24 -all', 0,
     ['covered']),
    ('not-covered', 'v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 -all', 0, []),
    ('host-bits', 'v=spf1 ip4:192.0.2.1/24 -all', 0, ['host-bits']),
    ('private', 'v=spf1 ip4:10.1.0.0/16 -all', 1, ['private']),
    ('void', 'v=spf1 a:gone.x.test -all', 1, ['void-lookup']),
    ('void-mx', 'v=spf1 mx -all', 1, ['void-lookup']),
    ('void-exists', 'v=spf1 exists:gone.x.test -all', 1, ['void-lookup']),
    ('exists-for-all', 'v=spf1 exists:h.x.test -all', 2, ['passes-all'],
     'h.x.test. A 192.0.2.1\n'),
    ('too-many-voids', 'v=spf1 a:g1.x.test a:g2.x.test a:g3.x.test -all', 2,
     ['void-lookup'] * 3 + ['too-many-voids']),
    ('too-many-voids-ipv6', 'v=spf1 a:h.x.test a:h.x.test a:h.x.test -all',
     1, ['too-many-voids'], 'h.x.test. A 192.0.2.1\n'),
    ('dead-include', 'v=spf1 include:gone.test -all', 2, ['dead-include']),
    ('dead-include-no-record', 'v=spf1 include:h.x.test -all', 2,
     ['dead-include'], 'h.x.test. A 192.0.2.1\n'),
    ('dead-redirect', 'v=spf1 redirect=gone.test', 2, ['dead-include']),
    ('loop', 'v=spf1 include:b.test -all', 2, ['loop'],
     'b.test. TXT "v=spf1 include:x.test -all"\n'),
    ('loop-itself', 'v=spf1 include:x.test -all', 2, ['loop']),
    ('twice', 'v=spf1 include:b.test include:c.test -all', 1, ['twice'],
     'b.test. TXT "v=spf1 include:c.test -all"\n'
     'c.test. TXT "v=spf1 ip4:192.0.2.9 -all"\n'),
    ('several-records', 'v=spf1 -all', 2, ['several-records'],
     'x.test. TXT "v=spf1 ~all"\n'),
    ('not-a-record', 'v=spf1 -all', 1, ['not-a-record'],
     'x.test. TXT "v=spf1;-all"\n'),
    ('sender-id', 'v=spf1 -all', 0, ['sender-id'],
     'x.test. TXT "spf2.0/pra -all"\n'),
    ('type-spf', 'v=spf1 -all', 1, ['spf-type'],
     'x.test. SPF "v=spf1 -all"\n'),
    ('long-string', 'v=spf1 %s -all' % ' '.join(
        'ip4:192.0.2.%d' % i for i in range(0, 34, 2)), 2, ['long-string']),
    ('long-record', 'v=spf1 " "%s" " -all' % '" "'.join(
        'ip4:192.0.2.%d ' % i for i in range(0, 68, 2)), 1,
     ['long-record']),
    ('long-answer', 'v=spf1 -all', 0, ['long-answer'],
     'x.test. TXT "%s" "%s"\n' % ('k' * 255, 'k' * 250)),
    ('exp-missing', 'v=spf1 -all exp=gone.test', 1, ['exp']),
    ('exp-two', 'v=spf1 -all exp=e.test', 1, ['exp'],
     'e.test. TXT "one"\ne.test. TXT "two"\n'),
    ('exp-macro', 'v=spf1 -all exp=e.test', 1, ['exp'],
     'e.test. TXT "100% sure"\n'),
    ('unknown-modifier', 'v=spf1 foo=bar -all', 0, ['unknown-modifier']),
    ('octets', 'v=spf1 a:\\195\\188.test -all', 2, ['octets', 'syntax']),
    ('no-record', None, 2, ['no-record'], 'x.test. TXT "hello"\n'),
    ('no-name', None, 2, ['no-record']),
    ('bad-name', 'v=spf1 include:%s.test -all' % ('a' * 64), 2,
     ['bad-name']),
    ('ten-lookups', 'v=spf1 %s -all' % ' '.join(['exists:%{i}.x.test'] * 10),
     0, ['many-lookups']),
    ('eleven-lookups', 'v=spf1 %s -all' % ' '.join(
        ['exists:%{i}.x.test'] * 11), 2, ['too-many-lookups']),
    ('lookups-in-includes', 'v=spf1 include:b.test include:b.test mx:b.test '
     '-all', 2, ['twice', 'too-many-lookups'],
     'b.test. TXT "v=spf1 exists:%{i}.1 exists:%{i}.2.t exists:%{i}.3.t '
     'exists:%{i}.4.t -all"\nb.test. MX 0 h.b.test.\nh.b.test. A 192.0.2.1\n'
     'h.b.test. AAAA 2001:db8::1\n'.replace('.1 ', '.1.t ')),
    ('replace', 'v=spf1 a:h.x.test %s -all' % ' '.join(
        ['exists:%{i}.x.test'] * 10), 2, ['replace', 'too-many-lookups'],
     'h.x.test. A 192.0.2.1\nh.x.test. AAAA 2001:db8::1\n'),
    ('too-many-mx', 'v=spf1 mx -all', 2, ['too-many-mx'], ''.join(
        'x.test. MX 1 m%d.x.test.\nm%d.x.test. A 192.0.2.%d\n'
        'm%d.x.test. AAAA 2001:db8::%d\n' % (i, i, i, i, i)
        for i in range(1, 12))),
]


def lint_one(name, record, rc_want, codes, more=''):
    text = '$ORIGIN test.\nx.test. SOA a b 1 2 3 4 5\n'.replace(
        'x.test. SOA', 'test. SOA')
    if record is not None:
        text += 'x.test. TXT "%s"\n' % record
    rc, out, err = run('lint', '--json', '--zone', zone(text + more),
                       'x.test')
    try:
        j = json.loads(out)
    except ValueError:
        check('ctl/lint-' + name, False, (rc, out[:200], err))
        return
    have = [f['code'] for r in j['records'] for f in r['findings']]
    # the order of findings is checked inside each record only
    check('ctl/lint-' + name, rc == rc_want and sorted(have) == sorted(codes)
          and err == b'', (rc, have, err))
    for r in j['records']:
        for f in r['findings']:
            if 'offset' in f and f['offset'] + f['length'] > len(r['record']
                                                                 or ''):
                check('ctl/lint-%s-place' % name, False, f)


def lint():
    for case in LINT:
        lint_one(*case)

    def lint_json(text, domain='x.test'):
        return json.loads(run('lint', '--json', '--zone', zone(text),
                              domain)[1])
    # carets stand under the whole place, and nowhere else
    rc, out, err = run('lint', '--zone', zone(
        'x.test TXT "v=spf1 mx:%{z}.x.test ip4:192.0.2.1/33 -all"\n'
        'x.test MX 1 .\n'), 'x.test')
    lines = out.decode().split('\n')
    places = [(lines[i - 1][len(x) - len(x.lstrip()):][:x.count('^')])
              for i, x in enumerate(lines) if x.strip('^ ') == '' and x]
    check('ctl/lint-carets', places == ['%{z}', 'ip4:192.0.2.1/33'], places)
    # a long record is shown as an excerpt round the place
    rc, out, err = run('lint', '--zone', zone(
        'x.test TXT "v=spf1 %s" " bogus:1 %s -all"\n' % (' '.join(
            'ip4:192.0.2.%d' % i for i in range(0, 20, 2)), ' '.join(
                'ip4:198.51.100.%d' % i for i in range(0, 20, 2)))),
        'x.test')
    lines = out.decode().split('\n')
    places = [(lines[i - 1][len(x) - len(x.lstrip()):][:x.count('^')])
              for i, x in enumerate(lines) if x.strip('^ ') == '' and x]
    check('ctl/lint-carets-in-an-excerpt', places == ['bogus:1'] and
          max(map(len, lines[2:])) < 90, places)
    # how many addresses pass
    j = lint_json('x.test TXT "v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.7 '
                  'ip6:2001:db8::/64 -ip4:8.0.0.0/8 include:b.test '
                  '?include:c.test -all"\n'
                  'b.test TXT "v=spf1 ip4:198.51.100.0/25 -all"\n'
                  'c.test TXT "v=spf1 ip4:203.0.113.0/24 -all"\n')
    check('ctl/lint-passing', j['addresses_ipv4'] == str(256 + 128) and
          j['addresses_ipv6'] == str(2 ** 64) and j['addresses_exact'],
          (j['addresses_ipv4'], j['addresses_ipv6']))
    j = lint_json('x.test TXT "v=spf1 ip6:::/0 -all"\n')
    check('ctl/lint-passing-all-of-ipv6',
          j['addresses_ipv6'] == str(2 ** 128), j['addresses_ipv6'])
    j = lint_json('x.test TXT "v=spf1 ip6:::/1 ip6:8000::/1 -all"\n')
    check('ctl/lint-passing-two-halves',
          j['addresses_ipv6'] == str(2 ** 128), j['addresses_ipv6'])
    j = lint_json('x.test TXT "v=spf1 a/24 mx//48 exists:%{i}.x.test -all"\n'
                  '$ORIGIN x.test.\n@ A 192.0.2.1\n@ AAAA 2001:db8::1\n'
                  '@ MX 1 m\nm A 198.51.100.1\nm AAAA 2001:db8:1::1\n')
    check('ctl/lint-passing-by-name', j['addresses_ipv4'] == '257' and
          j['addresses_ipv6'] == str(2 ** 80 + 1) and
          not j['addresses_exact'], (j['addresses_ipv4'],
                                     j['addresses_ipv6']))
    check('ctl/lint-lookups', j['lookups'] == 3, j['lookups'])
    # the same through DNS
    rc, out, err = run('lint', '--json', 'tree.test')
    j = json.loads(out)
    check('ctl/lint-over-dns', j['lookups'] == 5 and [
        r['domain'] for r in j['records']] == ['tree.test', 'inc.test',
                                               'red.test'], j)
    rc, out, err = run('lint', '--zone', zone(
        'x.test TXT "v=spf1 include:tree.test -all"\n'), '--json', 'x.test')
    j = json.loads(out)
    check('ctl/lint-zone-over-dns', j['lookups'] == 6 and
          len(j['records']) == 4, j)
    check('ctl/lint-no-zone-no-record', run('lint', 'none.test')[0] == 2)


# ---- hostile records

def unsafe(out, color=False):
    """The characters in it that a terminal would act on."""
    if color:
        out = re.sub(rb'\x1b\[[0-9;]*m', b'', out)
    text = out.decode('utf-8', 'surrogateescape')
    return [hex(ord(c)) for c in text if (ord(c) < 0x20 and c != '\n') or
            0x7f <= ord(c) < 0xa0 or 0xdc80 <= ord(c) <= 0xdcff]


def hostile():
    for d in ('ctl', 'ctl2', 'utf', 'nul', 'big', 'many', 'mxbad',
              'x.bomb', 'wide', 'mxs'):
        for name, args in {
                'check': ['check', '192.0.2.1', 'a@%s.test' % d],
                'color': ['check', '--color', '192.0.2.1', 'a@%s.test' % d],
                'helo': ['check', '192.0.2.1', '<>', d + '.test'],
                'dot': ['check', '--dot', '192.0.2.1', 'a@%s.test' % d],
                'lint': ['lint', d + '.test'],
                'lint-color': ['lint', '--color', d + '.test'],
                'json': ['check', '--json', '192.0.2.1', 'a@%s.test' % d],
                'lint-json': ['lint', '--json', d + '.test']}.items():
            start = time.monotonic()
            rc, out, err = run(*args)
            took = time.monotonic() - start
            bad = unsafe(out + err, 'color' in name)
            check('ctl/hostile-%s-%s' % (d, name), rc in (0, 1, 2) and
                  bad == [] and took < 10 and out != b'',
                  (rc, bad[:5], err[:200], took))
            if 'json' in name:
                json.loads(out)
    rc, out, err = run('check', '192.0.2.1', 'a\x1b[31m\xc2\x9b@ctl.test',
                       'h\x1b[0m.test\x07')
    check('ctl/hostile-arguments', unsafe(out + err) == [], out[:200])
    rc, out, err = run('check', '\x1b[31m', 'a@b.test')
    check('ctl/hostile-address', rc == 64 and unsafe(err) == [], err)
    rc, out, err = run('lint', '--zone', zone('x.test \x1b[31m y\n'), 'x')
    check('ctl/hostile-zone', rc == 65 and unsafe(err) == [], err)
    rc, out, err = run('lint', '--json', 'big.test')
    j = json.loads(out)
    check('ctl/big-record-whole-in-json',
          len(j['records'][0]['record']) == 60012,
          len(j['records'][0]['record'] or ''))
    rc, out, err = run('check', '192.0.2.1', 'a@many.test')
    check('ctl/long-trace-is-cut', b'(too many steps to show)' in out and
          len(out) < 200000, len(out))


# ---- terminals and files

def on_tty(args, env=None, columns=None, seconds=20):
    """Output when stdout and stderr are a terminal."""
    pid, fd = pty.fork()
    if pid == 0:
        e = {**ENV, **(env or {})}
        if columns:
            e['COLUMNS'] = str(columns)
        os.execve(SPFCTL, [SPFCTL, *args], e)
    out = b''
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.5)[0]:
            try:
                more = os.read(fd, 65536)
            except OSError:
                break
            if more == b'':
                break
            out += more
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), \
        NOISE.sub(b'', out.replace(b'\r\n', b'\n'))


def terminals():
    args = ['check', '--zone', EXAMPLE, '203.0.113.70', 'alice@example.com']
    rc, out, err = run(*args)
    check('ctl/plain-in-a-pipe', rc == 0 and b'\x1b' not in out)
    rc, out, err = run(*args, '--color')
    check('ctl/color-when-asked', b'\x1b[32mpass\x1b[0m' in out, out[:100])
    rc, out = on_tty(args)
    check('ctl/color-on-a-terminal', rc == 0 and
          b'\x1b[32mpass\x1b[0m' in out, (rc, out[:100]))
    rc, out = on_tty(args + ['--no-color'])
    check('ctl/no-color-when-asked', rc == 0 and b'\x1b' not in out, rc)
    rc, out = on_tty(args, {'NO_COLOR': '1'})
    check('ctl/no-color-by-environment', rc == 0 and b'\x1b' not in out, rc)
    rc, out = on_tty(args + ['--no-color'], columns=60)
    record = [x for x in out.split(b'\n') if b'v=spf1' in x]
    check('ctl/records-are-broken', record != [] and
          all(len(x) <= 60 for x in record), record)
    # files, full pipes, closed ones
    with open('/run/out.txt', 'wb') as f:
        p = subprocess.run([SPFCTL, *args], env=ENV, stdout=f,
                           stderr=subprocess.DEVNULL, timeout=30,
                           check=False)
    with open('/run/out.txt', 'rb') as f:
        check('ctl/output-to-a-file', p.returncode == 0 and
              b'MAIL FROM' in f.read(), p.returncode)
    p = subprocess.Popen([SPFCTL, 'lint', '--json', 'big.test'], env=ENV,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.read(10)
    p.stdout.close()
    err = NOISE.sub(b'', p.stderr.read())
    p.stderr.close()
    check('ctl/reader-goes-away', p.wait(30) in (0, 2) and err == b'',
          (p.returncode, err))
    with open('/dev/full', 'wb') as f:
        p = subprocess.run([SPFCTL, *args], env=ENV, stdout=f,
                           stderr=subprocess.PIPE, timeout=30, check=False)
    check('ctl/full-disk', p.returncode == 74, p.returncode)


# ---- slow DNS, users, sandbox

def slow():
    rc, out = on_tty(['check', '192.0.2.1', 'a@n1.slow.test'])
    lines = re.findall(rb'waiting for DNS: TXT n1\.slow\.test \((\d) s\)', out)
    check('ctl/progress', rc == 0 and lines == [b'1', b'2'], out)
    # the line is erased before the result is printed
    tail = out.rsplit(b'waiting', 1)[1]
    check('ctl/progress-is-erased', b'\r\x1b[K' in tail and
          tail.index(b'\r\x1b[K') < tail.index(b'Verdict'), tail[:100])
    rc, out, err = run('check', '192.0.2.1', 'a@n2.slow.test')
    check('ctl/no-progress-in-a-pipe', rc == 0 and err == b'' and
          b'waiting' not in out, err)
    conf = product.write_file('/run/x.conf', 'Lookup_Time = 1\n')
    start = time.monotonic()
    rc, out, err = run('check', '--config', conf, '192.0.2.1', 'a@n3.slow.test')
    check('ctl/lookup-time', rc == 75 and time.monotonic() - start < 2.5 and
          b'timeout' in out, (rc, time.monotonic() - start))
    # as in the daemon: 0 is no limit, -1 no time at all
    for n, want in ((0, 0), (-1, 75)):
        conf = product.write_file('/run/x.conf', 'Lookup_Time = %d\n' % n)
        for who in (['check', '192.0.2.1', 'a@t%d.slow.test' % n],
                    ['lint', 'u%d.slow.test' % n]):
            start = time.monotonic()
            rc, out, err = run(who[0], '--config', conf, *who[1:])
            took = time.monotonic() - start
            check('ctl/lookup-time-%d-%s' % (n, who[0]), (rc == 75) ==
                  (want == 75) and (took < 2) == (want == 75),
                  (rc, took, out[-200:], err))
    conf = product.write_file('/run/x.conf', 'Whitelist_Lookup_Time = 0\n'
                              'Domain_Whitelist = w.lag.test\n')
    rc, out, err = run('check', '--json', '--config', conf, '192.0.2.1',
                       'a@pass.test')
    check('ctl/whitelist-time-0', rc == 0 and json.loads(out)['skipped'],
          (rc, out[:300], err))


def confined():
    for name, user in (('root', None), ('nobody', 'nobody')):
        more = {} if user is None else {'user': user, 'group': 'nogroup',
                                        'extra_groups': []}
        want = pwd.getpwnam(user or 'pyspf-milter').pw_uid
        p = subprocess.Popen([SPFCTL, 'check', '192.0.2.1',
                              'a@%s.slow.test' % name],
                             env=ENV, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, cwd='/', **more)
        if not SANITIZED:
            wait(lambda: status(p.pid).get('Seccomp') == '2' and len(
                children_of(p.pid)) == 1 and status(
                    children_of(p.pid)[0]).get('Seccomp') == '2', 2.5)
        else:
            wait(lambda: children_of(p.pid), 2.5)
            time.sleep(0.5)
        for what, pid in [('ctl', p.pid)] + [
                ('dns', c) for c in children_of(p.pid)]:
            s = status(pid)
            who = 'ctl/%s-%s' % (name, what)
            check(who + '-uid', s.get('Uid', '').split() == [str(want)] * 4,
                  s.get('Uid'))
            check(who + '-no-groups', s.get('Groups', 'x').strip() == '',
                  s.get('Groups'))
            caps = [s.get(c) for c in ('CapInh', 'CapPrm', 'CapEff',
                                       'CapAmb')]
            check(who + '-capabilities', all(int(c or '1', 16) == 0
                                             for c in caps), caps)
            check(who + '-no-new-privs', s.get('NoNewPrivs') == '1')
            if not SANITIZED:
                check(who + '-seccomp', s.get('Seccomp') == '2',
                      s.get('Seccomp'))
        kids = children_of(p.pid)
        out, err = p.communicate(timeout=30)
        check('ctl/%s-answers' % name, p.returncode == 0 and
              b'slow.test: fail' in out, (out, err))
        check('ctl/%s-has-a-dns-process' % name, len(kids) == 1, kids)
        check('ctl/%s-leaves-nothing' % name, wait(lambda: all(
            status(k).get('State', 'Z')[0] == 'Z' for k in kids), 3))
    # the dns process dies during the check
    p = subprocess.Popen([SPFCTL, 'check', '192.0.2.1', 'a@n5.slow.test'],
                         env=ENV, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    kids = wait(lambda: children_of(p.pid))
    time.sleep(0.5)
    os.kill(kids[0], 9)
    out, err = p.communicate(timeout=30)
    check('ctl/dns-dies', p.returncode == 75 and
          b'the dns process ended' in err, (p.returncode, err))
    # a default configuration that cannot be read is ignored
    product.folder('/etc/pyspf-milter')
    product.write_file('/etc/pyspf-milter/pyspf-milter.conf',
                       'HELO_reject = No_Check\n', 0o600)
    rc, out, err = run('check', '--json', '192.0.2.1', 'a@pass.test',
                       'pass.test', user='nobody', group='nogroup')
    check('ctl/unreadable-default', rc == 0 and
          json.loads(out)['identities'][1]['judged'], (rc, err))
    rc, out, err = run('check', '--json', '192.0.2.1', 'a@pass.test',
                       'pass.test')
    check('ctl/default-configuration', rc == 0 and
          not json.loads(out)['identities'][1]['judged'], (rc, err))
    os.unlink('/etc/pyspf-milter/pyspf-milter.conf')


SRV = dnsd.DnsServer(port=53)
SRV.start(DNS)
golden()
if sys.argv[1:] != ['--write']:
    json_check()
    second_lookup_is_cached()
    exits()
    configuration()
    dnssec()
    dot()
    lint()
    hostile()
    terminals()
    slow()
    confined()
SRV.stop()
finish()
