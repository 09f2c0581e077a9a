# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The one normalisation that holds everywhere ("quote", and "fold" in the
milter): what ours quotes is unquoted, after its grammar was checked, so that
the content is compared octet by octet with what the original wrote."""

import re

ATEXT = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\x80-\xff]"
DOT_ATOM = re.compile(ATEXT + rb'+(?:\.' + ATEXT + rb'+)*')
QUOTED = re.compile(rb'"((?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*)"')
PAIR = re.compile(rb'\\(.)', re.S)
SPF_START = re.compile(rb'(Received-SPF: \w+ )\(')
SPF_KEYS = (b'identity', b'client-ip', b'helo', b'envelope-from',
            b'receiver')


class Grammar(Exception):
    """A header of ours that RFC 7208 9.1 or RFC 8601 2.2 does not allow."""


def comment(text, start):
    """(octets without quoted-pairs, end) of the comment whose '(' is at
    start - 1."""
    out, i, depth = b'', start, 1
    while i < len(text):
        c = text[i:i + 1]
        if c == b'\\':
            out += text[i + 1:i + 2]
            i += 2
            continue
        depth += (c == b'(') - (c == b')')
        if depth == 0:
            return out, i + 1
        out += c
        i += 1
    raise Grammar('a comment does not end')


def value(text, start):
    """(content, end) of a dot-atom or quoted-string at start."""
    m = QUOTED.match(text, start)
    if m:
        return PAIR.sub(rb'\1', m.group(1)), m.end()
    m = DOT_ATOM.match(text, start)
    if m:
        return m.group(0), m.end()
    raise Grammar('neither a dot-atom nor a quoted-string at %r'
                  % text[start:start + 40])


def received_spf(text):
    """Received-SPF of ours, unquoted."""
    m = SPF_START.match(text)
    if m is None:
        raise Grammar('not Received-SPF')
    inner, at = comment(text, m.end())
    out = m.group(1) + b'(' + inner + b') '
    if text[at:at + 1] != b' ':
        raise Grammar('no blank after the comment')
    at += 1
    for n, key in enumerate(SPF_KEYS):
        if n:
            if text[at:at + 2] != b'; ':
                raise Grammar('no "; " before ' + key.decode())
            at += 2
            out += b'; '
        if text[at:at + len(key) + 1] != key + b'=':
            raise Grammar('no ' + key.decode())
        at += len(key) + 1
        if key == b'identity' and text[at:at + 1] == b'"':
            raise Grammar('identity is quoted')
        content, at = value(text, at)
        out += key + b'=' + content
    if text[at:] != b' ':
        raise Grammar('%r at the end' % text[at:])
    return out + b' '


def authentication_results(text):
    """Authentication-Results of ours: its comments without quoted-pairs."""
    out, at = b'', 0
    while at < len(text):
        c = text[at:at + 1]
        if c == b'(':
            inner, at = comment(text, at + 1)
            out += b'(' + inner + b')'
        elif c == b'"':
            m = QUOTED.match(text, at)
            if m is None:
                raise Grammar('a quoted-string does not end')
            out += m.group(0)
            at = m.end()
        elif c == b')':
            raise Grammar('")" without "("')
        else:
            out += c
            at += 1
    return out


def line(text):
    """A line of ours that may hold a header, whatever stands before it."""
    i = text.find(b'Received-SPF: ')
    if i != -1 and SPF_START.match(text, i):
        return text[:i] + received_spf(text[i:])
    i = text.find(b'Authentication-Results: ')
    if i != -1:
        return text[:i] + authentication_results(text[i:])
    return text


def unfold(text):
    """A header value as one line; every fold must be at white space."""
    if re.search(rb'\n(?![ \t])', text) or b'\r' in text:
        raise Grammar('a line break without white space after it')
    if re.search(rb'\n[ \t]*(?:\n|$)', text):
        raise Grammar('a line of nothing but white space')
    if max(len(x) for x in text.split(b'\n')) > 998:
        raise Grammar('a line over 998 octets')
    # Ours breaks behind a blank, which stays; the indentation goes.
    return re.sub(rb'\n[ \t]+', b'', text)


def log_unescape(text):
    """A log record of ours as it was before it was made printable."""
    return re.sub(rb'\\(?:x([0-9a-fA-F]{2})|(\\))', lambda m: bytes(
        [int(m.group(1), 16)]) if m.group(1) else b'\\', text)
