#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""policyd-spf beside the Python original: the same configurations, zone and
requests (policy/*.set), live. Answers, exit status and result lines of the
log must be the same, or differ by a named rule in the way the rule says.

usage: policy_compat.py [-v] [-j N] [-r VERSION] [-w FILE] [SET ...]
SET is the name of a set or of a file; -r and -w are those of beside.py.
ORIGINAL names the original's program, POLICYD_SPF ours.
"""

import re
import sys

import beside     # which puts lib into the path
import normal
import ns
import product
import sets as data
from check import wait

RESULT = re.compile(r'^<\d+>policyd-spf\[(\d+)\]: ((?:\S*: )?'
                    r'(?:550 |defer_if_permit |prepend |result_only |'
                    r'Header field not prepended: ).*)$', re.S)
MINIMUM = (300, 40, 300)    # requests, configurations, log records


class Side:
    """One of the programs with one configuration."""

    def __init__(self, program, conf, errors):
        self.program, self.conf, self.errors = program, conf, errors
        self.p = None
        self.seconds = product.REPLY_SECONDS
        self.pids = []
        self.statuses = []

    def ask(self, request):
        if self.p is None or self.p.closed:
            self.finish()
            self.p = product.Policyd([self.program, self.conf],
                                     stderr=self.errors)
            self.pids.append(self.p.p.pid)
        return self.p.ask(request.attributes, self.seconds)

    def finish(self):
        if self.p is not None:
            self.statuses.append(self.p.end())
            self.p = None


def join(reply):
    return b'(none)' if reply is None else b'\n'.join(reply)


def fields(request, template):
    """What {mf}, {he}, {mfail} and {hfail} stand for."""
    a = dict(request.attributes)

    def spf(identity):
        # Domain names and the HELO are written in lower case by both.
        rcpt = a.get(b'recipient', b'')
        rcpt = rcpt.split(b'@', 1)[-1] if rcpt else b'none'
        return b'identity=%s; client-ip=%s; helo=%s; envelope-from=%s; ' \
            b'receiver=%s ' % (identity, a.get(b'client_address', b''),
                               a.get(b'helo_name', b''),
                               a.get(b'sender', b'') or b'<>', rcpt)

    def fail(scope, ident):
        rcpt = a.get(b'recipient', b'')
        rcpt = rcpt.split(b'@', 1)[-1] if rcpt else b'none'
        return b'550 5.7.23 Message rejected due to: SPF fail - not ' \
            b'authorized. Please see http://www.openspf.net/Why?s=%s;' \
            b'id=%s;ip=%s;r=%s' % (scope, ident, a[b'client_address'], rcpt)
    for mark, text in ((b'{mf}', spf(b'mailfrom')), (b'{he}', spf(b'helo')),
                       (b'{mfail}', fail(b'mfrom', a.get(b'sender', b''))),
                       (b'{hfail}', fail(b'helo', a.get(b'helo_name', b'')))):
        template = template.replace(mark, text)
    return template


class Comparison(beside.Beside):
    def __init__(self, argv):
        super().__init__(argv, 'policy', 'compat-policy', 'policyd-spf', 6)
        self.plain = (lambda x: x) if self.alone else normal.line
        self.unlog = (lambda x: x) if self.alone else normal.log_unescape
        self.requests = self.records = 0

    def judge(self, s, request, theirs, ours):
        theirs, ours = join(theirs), join(ours)
        try:
            plain = self.plain(ours)
        except normal.Grammar as e:
            self.note(s, request.name, None, 'broken header: %s in %r'
                      % (e, ours))
            return None
        if request.rule is None:
            same = plain == theirs
            self.note(s, request.name,
                      None if ours == theirs else 'quote',
                      None if same else 'ours %r, original %r'
                      % (ours, theirs))
            return plain if same else None
        rule, text, exact = request.rule
        self.named(s, request.name, rule, ours if exact else plain,
                   b'action=' + fields(request, text), theirs)
        return None

    def state(self, side):
        """What can be known of a program that does not answer."""
        self.log.settle()
        pid = side.pids[-1]
        return 'stream %s, status %r, last records %r' % (
            'closed' if side.p.closed else 'open', side.p.p.poll(),
            [x for x in self.log.records if '[%d]' % pid in x][-4:])

    def result_lines(self, side):
        """Result records of a side's processes, in order."""
        pids = set(map(str, side.pids))
        out = []
        for r in list(self.log.records):
            m = RESULT.match(r)
            if m and m.group(1) in pids:
                out.append(m.group(2))
        return out

    def wait_log(self, side, count):
        wait(lambda: len(self.result_lines(side)) >= count, 3, 0.05)
        return self.result_lines(side)

    def ask_original(self, s, side, request):
        """(its reply, its result lines)"""
        if self.recorded is not None:
            return self.recorded[s.name, request.name]
        before = len(self.result_lines(side))
        reply = side.ask(request)
        self.log.settle()
        logged = self.result_lines(side)[before:]
        self.record(s, request.name, reply, logged)
        return reply, logged

    def run_set(self, s):
        folder = product.folder('/run/c/' + s.name.replace('/', '_'))
        conf = product.write_file(folder + '/conf',
                                  b''.join(data.octets(c) + b'\n'
                                           for c in s.conf))
        self.write_files(s)
        errors = [open('%s/%s' % (folder, n), 'w+b')
                  for n in ('theirs', 'ours')]
        a = Side(self.original, conf, errors[0])
        b = Side(self.ours, conf, errors[1])
        if s.wait is not None:
            a.seconds = s.wait
        if s.refused is not None:
            self.refusal(s, b, errors[1])
            return
        expected = []
        for r in s.requests:
            theirs, logged = self.ask_original(s, a, r)
            ours = b.ask(r)
            if ours is None:
                print('# %s/%s: no reply: %s' % (s.name, r.name,
                                                 self.state(b)))
            plain = self.judge(s, r, theirs, ours)
            if r.log_rule is not None:
                if not logged:
                    self.note(s, r.name + '/log-rule', None,
                              'rule %s does not apply' % r.log_rule)
            elif r.rule is None:
                expected += [x.encode('utf-8', 'surrogateescape')
                             for x in logged]
            else:
                expected += self.log_of(r, ours)    # ours: it may be quoted
            if plain is None and r.rule is None:
                expected.append(None)   # the failure is told already
        a.finish()
        b.finish()
        with self.lock:
            self.requests += len(s.requests)
        self.note(s, 'exit', None, None if b.statuses == [0] else
                  'exit status %r; %s' % (b.statuses,
                                          self.last(errors[1])))
        self.compare_logs(s, b, expected)

    def log_of(self, request, reply):
        """The record that belongs to a reply of ours."""
        if not reply or not reply[0].startswith(b'action='):
            return []
        text = reply[0][7:]
        a = dict(request.attributes)
        q = a[b'queue_id'] + b': ' if b'queue_id' in a else b''
        if text.split(b' ')[0] in (b'550', b'defer_if_permit', b'prepend'):
            return [self.plain(q + text)]
        if text == b'dunno' or text.startswith(b'dunno mock'):
            return []
        return [q + b'result_only ' + text]

    def compare_logs(self, s, side, expected):
        with self.lock:
            self.records += len(expected)
        if None in expected:
            return
        got = self.wait_log(side, len(expected))
        try:
            plain = [self.plain(self.unlog(
                g.encode('utf-8', 'surrogateescape'))) for g in got]
        except normal.Grammar as e:
            self.note(s, 'log', None, 'broken header in the log: %s' % e)
            return
        want = expected
        wrong = None
        if plain != want:
            i = next((i for i, (p, w) in enumerate(zip(plain, want))
                      if p != w), min(len(plain), len(want)))
            wrong = 'record %d of %d (original: %d): ours %r, original %r' % (
                i + 1, len(plain), len(want), plain[i:i + 1], want[i:i + 1])
        self.note(s, 'log', None, wrong)

    @staticmethod
    def last(f):
        f.seek(0)
        return f.read()[-400:]

    def refusal(self, s, side, errors):
        rule, status, text = s.refused
        p = product.Policyd([self.ours, side.conf], stderr=errors)
        reply = p.ask(data.Request('', [
            (k.encode(), (v or 'x').encode())
            for k, v in data.POLICY_DEFAULTS]).attributes, 3)
        got = p.end()
        self.log.settle()
        said = self.last(errors).decode('utf-8', 'backslashreplace') + \
            '\n'.join(r for r in self.log.records
                      if 'policyd-spf[%d]' % p.p.pid in r)
        wrong = None
        if rule not in self.rules:
            wrong = 'no rule ' + rule
        elif got != status or reply is not None:
            wrong = 'exit status %r, reply %r' % (got, reply)
        elif text not in said:
            wrong = 'does not say %r but %r' % (text, said[-300:])
        self.note(s, 'refused', rule, wrong)

    def run(self):
        # Those that wait for time-outs first.
        self.run_sets(sorted(self.sets, key=lambda s: -sum(
            b'temp' in b''.join(v for _, v in r.attributes)
            for r in s.requests)))
        counts = (self.requests, len(self.sets), self.records)
        self.finish('%d requests, %d configurations, %d log records'
                           % counts, all(n >= least for n, least in
                                         zip(counts, MINIMUM)))


def main(argv):
    ns.enter('compat-policy')
    Comparison(argv).run()


if __name__ == '__main__':
    main(sys.argv[1:])
