# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Reads the scenario files of this folder (policy/*.set, milter/*.set).

One letter begins a line, '#' a remark:
  S id title      a set: one configuration and one process of each program
  V name a b c    the set is made once for each value; {name} stands for it in
                  C, R, T and D lines, its id gets /a, /b, /c
  O version       the set is only for that version of the original
  C line          of the configuration file
  F path / f line an auxiliary file and its lines
  Z zone line     added to the zone, which all sets share (base.zone)
  W seconds       how long to wait for an answer of the original
  X rule status text   the program must refuse this configuration at start
Policy:
  R id [attribute=value] ...   a request; see POLICY_DEFAULTS. {a|b|c} in
                  values makes one request for each, id gets /a, /b, /c.
                  -attribute leaves it out; instance differs each time
                  unless it is given.
  D rule id text  ours must differ from the original here: for the reason that
                  rule names (rules.txt), with this action. {mf} and {he} stand
                  for the fields of Received-SPF, unquoted, {mfail} and
                  {hfail} for the default reject
  E rule id text  the same, compared before anything is unquoted
  L rule id       only the log differs: ours has no record for the request
Milter:
  M id [v=a|b]..  a connection, or one for each value of the variables
  > step          C host address (or "-": none; "/path"); H name; D stage
                  a=b ..; M sender args ..: a message begins, R rcpt, L name:
                  value, . (its end); T sender args ..: M and, when taken, R,
                  L and "."; A (abort); K (quit, new connection). Without D C
                  the macros j and {daemon_name} are sent, without H the
                  HELO name is C's host.
  D rule n text   outcome n (from 1; each M that is refused and each "." is
                  one) must be: "y code text", or "+ name: value" and
                  "- name index" for changes of the header, then c, parted
                  by " | "
  L rule text     the log must differ; ours has these records, one an L
A rule of D, E and L may end with @version: the line is only for that version
of the original.
Escapes in R, F, >, D, E: \\\\ \\s (blank) \\n \\r \\t \\xHH \\R{n}{c}. D and E
keep octets, so text that is not ASCII is written as \\xHH.
"""

import glob
import itertools
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
BASE = os.path.join(os.path.dirname(HERE), 'postfix', 'base.zone')
POLICY_DEFAULTS = (('request', 'smtpd_access_policy'),
                   ('protocol_state', 'RCPT'), ('protocol_name', 'ESMTP'),
                   ('client_address', '192.0.2.1'),
                   ('client_name', 'unknown'), ('helo_name', 'none.test'),
                   ('sender', 'u@pass.test'), ('recipient', 'a@dest.test'),
                   ('instance', None))
SHORT = {'client': 'client_address', 'helo': 'helo_name',
         'rcpt': 'recipient', 'inst': 'instance', 'qid': 'queue_id',
         'state': 'protocol_state'}
ESCAPE = re.compile(rb'\\(?:R\{(\d+)\}\{(\\x..|.)\}|x([0-9a-fA-F]{2})|(.))',
                    re.S)
PLAIN = {b'n': b'\n', b'r': b'\r', b't': b'\t', b's': b' '}


class SetError(Exception):
    pass


def octets(text):
    def one(m):
        if m.group(1) is not None:
            return octets(m.group(2)) * int(m.group(1))
        if m.group(3) is not None:
            return bytes([int(m.group(3), 16)])
        return PLAIN.get(m.group(4), m.group(4))
    if isinstance(text, str):
        text = text.encode('utf-8')
    return ESCAPE.sub(one, text)


class Request:
    def __init__(self, name, attributes):
        self.name = name
        self.attributes = attributes    # [(octets, octets)]
        self.rule = None                # (rule, expected octets, exact)
        self.log_rule = None


class Connection:
    def __init__(self, name, values):
        self.name, self.values = name, values
        self.steps = []
        self.rules = {}                 # outcome number -> (rule, octets)
        self.log = None                 # (rule, records)

    def put(self, text):
        for k, v in self.values:
            text = text.replace('{%s}' % k, v)
        return text


class Set:
    def __init__(self, name, title, where):
        self.name, self.title, self.where = name, title, where
        self.file = where.split('.')[0]
        self.conf, self.files, self.zone = [], [], []
        self.requests, self.connections = [], []
        self.refused = None
        self.wait = None        # seconds for an answer of the original


def alternatives(text):
    """('a', 'x{b|c}y') -> [('b', 'xby'), ('c', 'xcy')]; the labels joined."""
    parts = re.split(r'\{([^{}|]*(?:\|[^{}|]*)+)\}', text)
    choices = [p.split('|') if i % 2 else [p] for i, p in enumerate(parts)]
    for pick in itertools.product(*choices):
        labels = [p for i, p in enumerate(pick) if i % 2]
        yield '-'.join(labels), ''.join(pick)


def request_lines(rest, counter):
    name, _, rest = rest.partition(' ')
    for label, text in alternatives(rest):
        pairs = [list(p) for p in POLICY_DEFAULTS]
        for word in text.split():
            if word.startswith('-'):
                key = SHORT.get(word[1:], word[1:])
                pairs = [p for p in pairs if p[0] != key]
                continue
            key, eq, value = word.partition('=')
            if not eq:
                raise SetError('no "=" in ' + word)
            key = SHORT.get(key, key)
            # A repeated attribute is written "+name=value".
            if key.startswith('+'):
                key = key[1:]
                pairs.append([SHORT.get(key, key), value])
                continue
            for p in pairs:
                if p[0] == key:
                    p[1] = value
                    break
            else:
                pairs.append([key, value])
        for p in pairs:
            if p[1] is None:
                counter[0] += 1
                p[1] = 'c%d' % counter[0]
        yield Request(name + ('/' + label if label else ''),
                      [(octets(k), octets(v)) for k, v in pairs])


def connections(rest):
    name, *words = rest.split()
    variables = [w.partition('=') for w in words]
    for pick in itertools.product(*[v[2].split('|') for v in variables]):
        yield Connection('/'.join((name,) + pick),
                         [(v[0], p) for v, p in zip(variables, pick)])


class Reader:
    def __init__(self, version):
        self.sets, self.counter = [], [0]
        self.version = version

    def read(self, path):
        blocks, block = [], None
        with open(path, encoding='utf-8') as f:
            for no, line in enumerate(f, 1):
                line = line.rstrip('\n')
                if line == '' or line.startswith('#'):
                    continue
                if line.startswith('S '):
                    block = []
                    blocks.append(block)
                if block is None:
                    raise SetError('%s:%d: before the first S' % (path, no))
                block.append((no, line[0], line[2:]))
        for block in blocks:
            if all(rest == self.version for _, letter, rest in block
                   if letter == 'O'):
                self.block(path, block)

    def block(self, path, block):
        variables = []
        for no, letter, rest in block:
            if letter == 'V':
                words = rest.split()
                variables.append((words[0], words[1:]))
        names = [v[0] for v in variables]
        for pick in itertools.product(*[v[1] for v in variables]):
            values = dict(zip(names, pick))
            self.one(path, block, values)

    def one(self, path, block, values):
        cur, conn = None, None

        def sub(text):
            for k, v in values.items():
                text = text.replace('{%s}' % k, v)
            return text
        for no, letter, rest in block:
            rest = sub(rest)
            if letter in 'DEL':
                rule, blank, text = rest.partition(' ')
                rule, at, version = rule.partition('@')
                if at and version != self.version:
                    continue
                rest = rule + blank + text
            try:
                if letter == 'S':
                    name, _, title = rest.partition(' ')
                    name = '/'.join([name] + list(values.values()))
                    cur = Set(name, title, '%s:%d'
                              % (os.path.basename(path), no))
                    self.sets.append(cur)
                elif letter == 'M':
                    conn = list(connections(rest))
                    cur.connections += conn
                elif letter == 'R':
                    cur.requests += request_lines(rest, self.counter)
                elif letter in 'DE' and conn is not None:
                    rule, n, text = (rest + ' ').split(' ', 2)
                    for c in conn:
                        c.rules[int(n)] = (rule, octets(c.put(text[:-1])))
                elif letter == 'L' and conn is not None:
                    rule, _, text = rest.partition(' ')
                    for c in conn:
                        if c.log is None:
                            c.log = (rule, [])
                        if text:
                            c.log[1].append(octets(c.put(text)))
                elif letter in 'DEL':
                    self.rule(cur, letter, rest)
                elif letter == 'X':
                    rule, status, text = (rest + ' ').split(' ', 2)
                    cur.refused = (rule, int(status), text.strip())
                elif letter == 'W':
                    cur.wait = int(rest)
                elif letter == 'C':
                    cur.conf.append(rest)
                elif letter == 'F':
                    cur.files.append((rest, []))
                elif letter == 'f':
                    cur.files[-1][1].append(octets(rest))
                elif letter == 'Z':
                    cur.zone.append(rest)
                elif letter == '>':
                    for c in conn:
                        c.steps.append(c.put(rest))
                elif letter not in 'OV':
                    raise SetError('what is ' + letter)
            except (SetError, ValueError, IndexError, AttributeError) as e:
                raise SetError('%s:%d: %s' % (path, no, e)) from None

    @staticmethod
    def rule(cur, letter, rest):
        words = rest.split(' ', 2)
        rule, name = words[0], words[1]
        found = [r for r in cur.requests if r.name == name]
        if not found:
            raise SetError('no request ' + name)
        for r in found:
            if letter == 'L':
                r.log_rule = rule
            else:
                text = words[2] if len(words) > 2 else ''
                r.rule = (rule, octets(text), letter == 'E')


def read(folder, version):
    """The sets of a folder for that version of the original."""
    reader = Reader(version)
    for path in sorted(glob.glob(os.path.join(HERE, folder, '*.set'))):
        reader.read(path)
    names = set()
    for s in reader.sets:
        if s.name in names:
            raise SetError('%s: set %s is there twice' % (s.where, s.name))
        names.add(s.name)
        seen = set()
        for r in s.requests + s.connections:
            if r.name in seen:
                raise SetError('%s: %s/%s is there twice'
                               % (s.where, s.name, r.name))
            seen.add(r.name)
    return reader.sets


def zone(sets):
    with open(BASE, encoding='ascii') as f:
        lines = f.read().splitlines()
    for s in sets:
        for line in s.zone:
            if line not in lines:
                lines.append(line)
    return lines


def rules():
    """name -> reason, of rules.txt."""
    out = {}
    with open(os.path.join(HERE, 'rules.txt'), encoding='ascii') as f:
        for line in f:
            line = line.rstrip('\n')
            if line and not line.startswith('#'):
                name, _, reason = line.partition(' ')
                out[name] = reason.strip()
    return out
