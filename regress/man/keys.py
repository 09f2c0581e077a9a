#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Compares the manual pages with the programs: the keys with their defaults
and ranges, in both directions; the per-recipient keys; the named differences.
The examples must load without a warning, and mandoc must find nothing."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, 'regress', 'lib'))
from check import Checks, finish        # noqa: E402

B = os.path.abspath(os.environ.get('B', os.path.join(TOP, 'build')))
MILTER = os.environ.get('PYSPF_MILTER') or os.path.join(B, 'pyspf-milter')
MAN = os.environ.get('MANDIR') or os.path.join(TOP, 'man')
CONF5, USER5 = 'pyspf-milter.conf.5', 'policyd-spf.peruser.5'
LINKS = {'policyd-spf.conf.5': CONF5}       # made by make install
PROGRAM_MILTER, PROGRAM_POLICY = 1, 2

# Differences that the comparison with spf-engine has no case for.
MORE = ('pidfile', 'macrolist', 'sighup', 'log-colon',
        'trailing-blank', 'none-skip', 'negotiate', 'list-space',
        'list-empty', 'list-bad', 'keyword-case', 'helo-whitelist-case',
        'log-wording', 'unknown-key', 'encoding', 'default-file', 'options',
        'userid', 'second-start', 'limits', 'one-header')
# What looks like a key, and is a value or another name of a key.
NO_KEYS = {'SPF_Not_Pass', 'No_Check', 'Why_URL'}
report = Checks('man/')
check, equal, empty = report.check, report.equal, report.empty


def plain(text):
    return text.replace(r'\&', '').replace(r'\-', '-').replace(r'\e', '\\')


def words(line):
    """The arguments of a macro line without commas and full stops."""
    return [plain(w) for w in shlex.split(line.replace('\\', '\\\\'))[1:]
            if w not in (',', '.', ';', ':')]


def page(name):
    with open(os.path.join(MAN, name), encoding='ascii') as f:
        return f.read().split('\n')


def sections(lines):
    out, now = {}, None
    for line in lines:
        if line.startswith('.Sh '):
            now = line[4:]
            out[now] = []
        elif now is not None:
            out[now].append(line)
    return out


def items(lines, macro):
    """{name: lines} of the entries '.It MACRO NAME'."""
    out, now = {}, None
    for line in lines:
        if line.startswith('.It '):
            now = None
            if line.startswith('.It %s ' % macro):
                # ".It Va a , Va b" is an entry for two
                names = [w for w in words(line[4:]) if w != macro]
                now = []
                for n in names:
                    out[n] = now
        elif line.startswith(('.El', '.Ss')):
            now = None
        elif now is not None:
            now.append(line)
    return out


def default_of(entry):
    if entry and entry[0] == 'Default: none.':
        return ''
    if len(entry) > 1 and entry[0] == 'Default:' and \
            entry[1].startswith('.Cm '):
        return ' '.join(words(entry[1]))
    return None


def range_of(entry):
    for i, line in enumerate(entry[:-1]):
        if line in ('Range:', 'Values:') and entry[i + 1].startswith('.Cm '):
            return '|'.join(words(entry[i + 1]))
    return '-'


def table():
    p = subprocess.run([os.path.join(B, 'man', 'keytable')], check=True,
                       stdout=subprocess.PIPE)
    out = {}
    for line in p.stdout.decode().splitlines():
        name, kind, default, programs, user, ours, span = line.split('\t')
        out[name] = {'type': kind, 'default': default,
                     'programs': int(programs), 'user': user == '1',
                     'ours': ours == '1', 'range': span}
    return out


def displays(lines):
    """A list of literal lines for each .Bd and for each .Dl."""
    out, now = [], None
    for line in lines:
        if line.startswith('.Bd '):
            now = []
        elif line.startswith('.Ed'):
            out.append(now)
            now = None
        elif now is not None:
            now.append(plain(line))
        elif line.startswith('.Dl '):
            out.append([plain(line[4:])])
    return out


class Loader:
    """Runs pyspf-milter -n over settings; gives its messages, or ''."""

    def __init__(self, folder):
        self.folder = folder
        self.file = os.path.join(folder, 'some.conf')
        self.empty = os.path.join(folder, 'file')
        with open(self.empty, 'w', encoding='ascii') as f:
            f.write('# nobody\n')

    def load(self, lines):
        lines = [re.sub(r'^(Per_User = text,|Trust_Anchor = )/.*',
                        lambda m: m.group(1) + self.empty, x) for x in lines]
        if not any(x.startswith('PolicySocket') for x in lines):
            lines = ['PolicySocket = local:/x'] + lines
        with open(self.file, 'w', encoding='ascii') as f:
            f.write('\n'.join(lines) + '\n')
        p = subprocess.run([MILTER, '-n', self.file], stderr=subprocess.PIPE,
                           stdout=subprocess.PIPE, timeout=20)
        said = p.stderr.decode(errors='replace').strip()
        if p.returncode != 0 and said == '':
            said = 'status %d' % p.returncode
        return said


def test_keys(keys, entries):
    empty('every-key-is-told', sorted(set(keys) - set(entries)))
    empty('every-told-key-exists', sorted(set(entries) - set(keys)))
    both = sorted(set(keys) & set(entries))
    for what, want, have in (
            ('default', lambda k: keys[k]['default'],
             lambda k: default_of(entries[k])),
            ('range', lambda k: keys[k]['range'],
             lambda k: range_of(entries[k])),
            ('daemon-only', lambda k: keys[k]['programs'] == PROGRAM_MILTER,
             lambda k: 'Daemon only.' in entries[k]),
            ('not-in-the-original', lambda k: keys[k]['ours'],
             lambda k: 'Not in spf-engine.' in entries[k]),
            ('has-an-example', lambda k: True,
             lambda k: any(x.startswith('.Dl %s = ' % k)
                           for x in entries[k]))):
        bad = ['%s: page %r, program %r' % (k, have(k), want(k))
               for k in both if have(k) != want(k)]
        empty('each-' + what, bad)


def test_user_keys(keys, lines):
    may = {k for k in keys if keys[k]['user']}
    part = '\n'.join(lines)
    part = part[part.index('These keys can be set'):part.index('.Ss Bad')]
    told = {words(x)[0] for x in part.split('\n') if x.startswith('.Ic ')}
    equal('keys-by-recipient', sorted(told), sorted(may))


def test_unknown(keys, pages):
    bad = []
    for name, lines in pages.items():
        for no, line in enumerate(lines, 1):
            if line.startswith(('.Ic ', '.It Ic ')):
                bad += ['%s:%d: %s' % (name, no, w)
                        for w in words(line.replace('.It ', '.'))
                        if re.match(r'\w', w) and w not in keys]
            bad += ['%s:%d: %s' % (name, no, w) for w in
                    re.findall(r'\b[A-Z][A-Za-z]*(?:_[A-Za-z]+)+\b',
                               plain(line))
                    if w not in keys and w not in NO_KEYS and
                    w != w.upper()]
    empty('no-unknown-key', bad)


def test_old(keys, entries, loader):
    bad = [k for k in entries if k in keys or not loader.load(
        ['%s = daemon_name' % k]) or 'unknown key' in loader.load(
            ['%s = daemon_name' % k])]
    check('old-keys', entries and not bad, bad or 'none told')


def test_values(keys, loader):
    bad = []
    for k, row in keys.items():
        if row['range'] == '-':
            continue
        span = re.match(r'(-?\d+)\.\.(-?\d+)$', row['range'])
        for v in span.groups() if span else row['range'].split('|'):
            said = loader.load(['%s = %s' % (k, v)])
            # spf-engine reads this one value as its opposite
            if said and not (k == 'Mock' and 'unlike' in said):
                bad.append(said)
    empty('values-are-taken', bad)


def test_examples(keys, pages, loader):
    bad, n = [], 0
    for name, lines in pages.items():
        for block in displays(lines):
            mine = [x for x in block if
                    (m := re.match(r'(\w+) = ', x)) and m.group(1) in keys]
            if mine:
                n += 1
                said = loader.load(mine)
                if said:
                    bad.append('%s: %s: %s' % (name, mine[0], said))
    check('examples-load', n > len(keys) and not bad,
          bad or '%d examples' % n)


def test_user_examples(pages, loader):
    text = [x for block in displays(pages[USER5]) if len(block) > 1
            for x in block]
    with open(loader.empty, 'w', encoding='ascii') as f:
        f.write('\n'.join(text) + '\n')
    said = loader.load(['Per_User = text,/x'])
    check('examples-by-recipient-load', text and not said, said)


def test_differences(entries):
    with open(os.path.join(TOP, 'regress/compat/rules.txt'),
              encoding='utf-8') as f:
        rules = {x.split()[0] for x in f if x.strip() and x[0] != '#'}
    empty('every-difference-is-told', sorted(rules - set(entries)))
    empty('further-differences-are-told', sorted(set(MORE) - set(entries)))
    empty('told-differences-are-known',
          sorted(set(entries) - rules - set(MORE)))


def test_lint(names, folder):
    if shutil.which('mandoc') is None or shutil.which('makewhatis') is None:
        report.skip('lint', 'mandoc is not installed')
        return
    tree = os.path.join(folder, 'man')
    for name in names:
        place = os.path.join(tree, 'man' + name[-1])
        os.makedirs(place, exist_ok=True)
        shutil.copy(os.path.join(MAN, name), place)
    for name, target in LINKS.items():
        os.symlink(target, os.path.join(tree, 'man' + name[-1], name))
    subprocess.run(['makewhatis', tree], check=True,
                   stdout=subprocess.DEVNULL)
    said = ''
    for name in names:
        p = subprocess.run(
            ['mandoc', '-Tlint', '-Wstyle', os.path.join(
                tree, 'man' + name[-1], name)],
            env={'MANPATH': tree, 'PATH': os.environ['PATH']},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said += p.stdout.decode()
    equal('lint', said, '')


def main():
    for path in (MILTER, os.path.join(B, 'man', 'keytable')):
        if not os.access(path, os.X_OK):
            check('built', False, 'no ' + path)
            return
    names = sorted(x for x in os.listdir(MAN) if re.search(r'\.[158]$', x))
    pages = {x: page(x) for x in names}
    conf = sections(pages[CONF5])
    keys = table()
    name_section = [words(x)[0] for x in conf['NAME'] if x[:4] == '.Nm ']
    equal('both-names', name_section,
          ['pyspf-milter.conf', 'policyd-spf.conf'])
    test_keys(keys, items(conf['KEYS'], 'Ic'))
    test_user_keys(keys, pages[USER5])
    test_unknown(keys, pages)
    test_differences(items(conf['DIFFERENCES'], 'Cm'))
    with tempfile.TemporaryDirectory() as folder:
        loader = Loader(folder)
        test_old(keys, items(conf['KEYS'], 'Va'), loader)
        test_values(keys, loader)
        test_examples(keys, pages, loader)
        test_user_examples(pages, loader)
        test_lint(names, folder)


main()
finish()
