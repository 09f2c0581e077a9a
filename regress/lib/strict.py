# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Strict readers of the fields that we write, made from the grammars alone:
Received-SPF by RFC 7208 9.1, Authentication-Results by python3-authres and a
reader of RFC 8601 2.2 of our own; and one that is as lax as can be.

Values are as headers() of pf.py gives them: folds are LF and white space.
A broken field raises Broken.
"""

import re

import authres

RESULTS = ('none', 'neutral', 'pass', 'fail', 'softfail', 'temperror',
           'permerror')
ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
ATEXT8 = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a0-\U0010ffff-]"
# RFC 2045 5.1
TOKEN = r'[^\x00-\x20\x7f-\U0010ffff()<>@,;:\\"/\[\]?=]+'
NAME = r'[A-Za-z][A-Za-z0-9._-]*'


class Broken(Exception):
    pass


def line_rules(value, name, utf8=False):
    """What holds for every field: RFC 5322 2.1.1 and 2.2."""
    lines = (name + ': ' + value).split('\n')
    for n, line in enumerate(lines):
        if len(line.encode('utf-8', 'surrogateescape')) > 998:
            raise Broken('a line of %d octets' % len(line))
        if n > 0 and line[:1] not in (' ', '\t'):
            raise Broken('a continuation without white space')
        if not line.strip():
            raise Broken('a line of white space')
        for c in line:
            if (c < ' ' and c != '\t') or c == '\x7f' or \
                    '\x80' <= c < '\xa0' or '\ud800' <= c < '\ue000':
                raise Broken('octet %#x' % ord(c))
            if c > '~' and not utf8:
                raise Broken('octet above ASCII')


class Reader:
    """A cursor over an unfolded value."""

    def __init__(self, value, utf8=False):
        self.s, self.n, self.utf8 = value.replace('\n', ''), 0, utf8

    def rest(self):
        return self.s[self.n:]

    def take(self, pattern, what):
        m = re.compile(pattern).match(self.s, self.n)
        if m is None:
            raise Broken('no %s at %r' % (what, self.rest()[:40]))
        self.n = m.end()
        return m.group(0)

    def fws(self):
        self.take(r'[ \t]+', 'white space')

    def comment(self):
        """One comment with what is nested in it."""
        self.take(r'\(', 'comment')
        depth = 1
        while depth:
            c = self.take(r'\\[ -~\t\u00a0-\U0010ffff]|[^\\]', 'comment')
            depth += (c == '(') - (c == ')')

    def cfws(self):
        while self.rest()[:1] in (' ', '\t', '('):
            if self.rest()[0] == '(':
                self.comment()
            else:
                self.fws()

    def quoted(self):
        text = self.take(r'"(?:[^"\\]|\\.)*"', 'quoted-string')
        return re.sub(r'\\(.)', r'\1', text[1:-1])

    def dot_atom(self):
        a = ATEXT8 if self.utf8 else ATEXT
        return self.take(r'%s+(?:\.%s+)*' % (a, a), 'dot-atom')

    def value(self):
        if self.rest()[:1] == '"':
            return self.quoted()
        if self.utf8:
            return self.take(r'[^\x00-\x20\x7f()<>@,;:\\"/\[\]?=]+', 'value')
        return self.take(TOKEN, 'value')

    def end(self):
        if self.rest():
            raise Broken('text at the end: %r' % self.rest()[:40])


def received_spf(value, utf8=False):
    """(result, {key: value}) of a Received-SPF field. Stricter than the
    RFC: one comment, known keys only, each once, all of ours there."""
    line_rules(value, 'Received-SPF', utf8)
    r = Reader(value, utf8)
    result = r.take('[A-Za-z]+', 'result').lower()
    if result not in RESULTS:
        raise Broken('result ' + result)
    r.fws()
    r.comment()
    r.fws()
    pairs = {}
    while True:
        key = r.take(NAME, 'key').lower()
        if key in pairs:
            raise Broken('twice: ' + key)
        r.cfws()
        r.take('=', '=')
        # dot-atom = [CFWS] dot-atom-text [CFWS], and so quoted-string
        r.cfws()
        pairs[key] = r.quoted() if r.rest()[:1] == '"' else r.dot_atom()
        r.cfws()
        if not r.rest():
            break
        r.take(';', 'semicolon')
        r.cfws()
    if set(pairs) != {'identity', 'client-ip', 'helo', 'envelope-from',
                      'receiver'}:
        raise Broken('keys: %s' % sorted(pairs))
    if not re.match(r'Received-SPF: \S+ \(.*\) identity=(?:mailfrom|helo);',
                    'Received-SPF: ' + r.s):
        raise Broken('identity is not where readers look for it')
    return result, pairs


def own_ar(value, utf8=False):
    """(authserv-id, method, result, property, its value)."""
    r = Reader(value, utf8)
    r.cfws()
    ident = r.value()
    r.cfws()
    r.take(';', 'semicolon')
    r.cfws()
    method = r.take(NAME, 'method')
    r.cfws()
    if method == 'none':
        r.end()
        return ident, 'none', None, None, None
    r.take('=', '=')
    r.cfws()
    result = r.take('[A-Za-z]+', 'result')
    r.cfws()
    prop = r.take(r'[a-z]+\.[a-z-]+', 'property')
    r.cfws()
    r.take('=', '=')
    r.cfws()
    text = r.value()
    r.cfws()
    r.end()
    return ident, method, result, prop, text


def authentication_results(value, utf8=False):
    """The same five, which both readers agree upon. (authres leaves the
    quoted-pairs of a quoted-string as they are.)"""
    line_rules(value, 'Authentication-Results', utf8)
    mine = own_ar(value, utf8)
    if mine[1] != 'spf' or mine[2] not in RESULTS or \
            mine[3] not in ('smtp.mailfrom', 'smtp.helo'):
        raise Broken('reads as %s' % (mine,))
    if not value.isascii():
        return mine             # authres knows no RFC 6532
    try:
        theirs = authres.AuthenticationResultsHeader.parse(
            'Authentication-Results: ' + value.replace('\n', ''))
    except Exception as e:      # it has no end of kinds
        raise Broken('authres: %s' % e) from e
    got = [(theirs.authserv_id, r.method, r.result, p.type + '.' + p.name,
            re.sub(r'\\(.)', r'\1', p.value))
           for r in theirs.results for p in r.properties]
    if len(theirs.results) != 1 or got != [mine]:
        raise Broken('authres reads %s, we %s' % (got, mine))
    return mine


def may_be_id(value, ident):
    """Does a reader, however lax, take ident for the authserv-id?"""
    text = value.replace('\n', '')
    seen = set()
    try:
        r = Reader(text, True)
        r.cfws()
        seen.add(r.value())
    except Broken:
        pass
    flat = text
    while True:
        shorter = re.sub(r'\((?:[^()\\]|\\.)*\)', '', flat)
        if shorter == flat:
            break
        flat = shorter
    head = re.sub(r'[\s"\\]', '', flat.split(';')[0])
    seen.add(head)
    seen.add(re.sub(r'\d+$', '', head))
    seen.add(re.split(r'[;\s]', text.lstrip(' \t"'))[0].strip('"'))
    return ident.lower() in {s.lower().rstrip('.') for s in seen}
