#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""pyspf-milter beside the Python original: the same configurations, zone and
sessions (milter/*.set), live. What becomes of each message and the result
lines of the log must be the same, or differ by a named rule as it says.

usage: milter_compat.py [-v] [-j N] [-r VERSION] [-w FILE] [SET ...]
SET is the name of a set or of a file; -r and -w are those of beside.py.
ORIGINAL names the original's program, PYSPF_MILTER ours. FRONTEND=libmilter
runs ours behind Sendmail's library.
"""

import os
import re
import sys

import beside     # which puts lib into the path
import normal
import ns
import product
import sets as data
from check import wait
from client import ClientError
from milterclient import MilterClient, split_mail

RESULT = re.compile(r'^<\d+>pyspf-milter\[(\d+)\]: '
                    r'((?:connect from |Internal connection: |'
                    r'[45]\.7\.\d+ |prepend |'
                    r'Header field not prepended: ).*)$', re.S)
MACROS = {'j': 'mx.example.test', '{daemon_name}': 'smtpd'}
MINIMUM = 60
INSERT = re.compile(rb'^[ih] (?:index=(\d+) )?name=(\S+) value=(.*)$', re.S)
CHANGE = re.compile(rb'^m index=(\d+) name=(\S+) value=(.*)$', re.S)


class Session:
    """Plays the steps of a connection; outcomes as sets.py describes."""

    def __init__(self, where, plain, unfold):
        self.c = MilterClient(where, timeout=20)
        self.plain, self.unfold = plain, unfold
        self.outcomes = []
        self.passed = False         # 'a' at connect or HELO: all is taken
        self.message_passed = False
        self.begun = False

    def show(self, replies):
        out = []
        for r in replies:
            r = r.encode('utf-8', 'surrogateescape')
            m = INSERT.match(r)
            n = CHANGE.match(r)
            if m:
                value = self.unfold(m.group(3))
                out.append(b'+ ' + self.plain(m.group(2) + b': ' + value))
            elif n:
                out.append(b'- %s %s%s' % (n.group(2), n.group(1), n.group(3)
                                           and b' ' + n.group(3)))
            else:
                # Taken is taken, however the filter says it.
                out.append(b'c' if r in (b'c', b'a') else r)
        return b' | '.join(out)

    def start(self, steps):
        host, address = 'none.test', '192.0.2.1'
        own = {s[0] for s in steps}
        self.c.negotiate()
        for s in steps:
            if s.startswith('C '):
                host, address = s[2:].split(' ')
        if not any(s.startswith('D C') for s in steps):
            self.c.macros('C', MACROS)
        for s in steps:
            if s.startswith('D C'):
                self.macros(s)
        self.hello(host, None if address == '-' else address,
                   data.octets(host), 'H' in own)

    def hello(self, host, address, helo, own_helo):
        got = self.c.connect(data.octets(host), address)
        if got and got[-1] != 'c':
            self.passed = True
            if got[-1] != 'a':
                self.outcomes.append(self.show(got))
            return
        if not own_helo:
            got = self.c.helo(helo)
            self.passed = bool(got) and got[-1] == 'a'

    def macros(self, step):
        stage, *pairs = step[2:].split(' ')
        self.c.macros(stage, dict(p.split('=', 1) for p in pairs if p))

    def mail(self, rest):
        args = [data.octets(a) for a in split_mail(rest)]
        if not args[0].startswith(b'<') and not args[0].startswith(b'!'):
            args[0] = b'<' + args[0] + b'>'
        args[0] = args[0].lstrip(b'!')
        got = self.c.mail(*args)
        self.begun = True
        self.message_passed = bool(got) and got[-1] == 'a'
        if got and got[-1][0] not in 'ca':
            self.outcomes.append(self.show(got))
            self.begun = False

    def end(self):
        if self.message_passed:
            self.outcomes.append(b'c')
            return
        self.c.eoh()
        self.c.body(b'hi\r\n')
        self.outcomes.append(self.show(self.c.eom()))
        self.begun = False

    def play(self, steps):
        self.start(steps)
        for s in steps:
            letter, rest = s[0], s[2:]
            if letter == 'C' or s.startswith('D C'):
                continue
            if self.passed:
                # The MTA asks no more about this connection.
                if letter in 'T.':
                    self.outcomes.append(b'c')
                continue
            if letter == 'D':
                self.macros(s)
            elif letter == 'H':
                got = self.c.helo(data.octets(rest))
                self.passed = bool(got) and got[-1] == 'a'
            elif letter in 'MT':
                self.mail(rest)
                if letter == 'T' and self.begun:
                    self.c.rcpt('<a@dest.test>')
                    self.c.header('From', 'a@b.test')
                    self.end()
            elif letter == 'R':
                self.c.rcpt('<%s>' % rest)
            elif letter == 'L':
                if self.begun and not self.message_passed:
                    name, _, value = rest.partition(': ')
                    self.c.header(name, data.octets(value))
            elif letter == '.':
                if self.begun:
                    self.end()
            elif letter == 'A':
                self.c.abort()
                self.begun = False
            elif letter == 'K':
                self.c.quit_nc()
                self.c.macros('C', MACROS)
                host, address = rest.split(' ')
                self.hello(host, address, data.octets(host), False)
            else:
                raise data.SetError('what is step ' + s)
        self.c.quit()
        self.c.close()
        return self.outcomes


class Comparison(beside.Beside):
    def __init__(self, argv):
        self.frontend = os.environ.get('FRONTEND', '')
        super().__init__(argv, 'milter', 'compat-milter' + (
            '-' + self.frontend if self.frontend else ''), 'pyspf-milter', 5)
        self.connections = self.logged = 0

    def daemon(self, s, program, side):
        folder = product.folder('/run/c/%s-%s' % (s.name.replace('/', '_'),
                                                  side), 'pyspf-milter')
        conf = [data.octets(c) for c in s.conf] + [
            b'Socket = local:%s/s' % folder.encode(),
            b'PidFile = %s/p' % folder.encode()]
        if side == 'ours' and self.frontend and not self.alone:
            conf.append(b'Milter_Frontend = ' + self.frontend.encode())
        path = product.write_file(folder + '/conf',
                                  b''.join(c + b'\n' for c in conf))
        errors = open(folder + '/stderr', 'w+b')
        return product.Milter(program, path, folder + '/s', errors), errors

    def records(self, daemon, since):
        out = []
        for r in self.log.records[since:]:
            m = RESULT.match(r)
            if m and int(m.group(1)) == daemon.p.pid:
                out.append(m.group(2))
        return out

    def play(self, daemon, connection, ours):
        identity = (lambda x: x)
        plain = normal.line if ours and not self.alone else identity
        unfold = normal.unfold if ours and not self.alone else \
            (lambda x: x.replace(b'\n   ', b''))
        session = Session('unix:' + daemon.where, plain, unfold)
        try:
            return session.play(connection.steps), None
        except ClientError as e:
            return session.outcomes + [b'(%s)' % str(e).encode()], None
        except normal.Grammar as e:
            return session.outcomes, 'broken header: %s' % e

    def compare(self, s, c, theirs, ours):
        if len(theirs) != len(ours) and not c.rules:
            self.note(s, c.name, None, 'ours %r, original %r'
                      % (ours, theirs))
            return
        for i in range(max(len(theirs), len(ours))):
            a = theirs[i] if i < len(theirs) else b'(nothing)'
            b = ours[i] if i < len(ours) else b'(nothing)'
            name = '%s/%d' % (c.name, i + 1)
            if i + 1 not in c.rules:
                self.note(s, name, None, None if a == b else
                          'ours %r, original %r' % (b, a))
                continue
            rule, want = c.rules[i + 1]
            self.named(s, name, rule, b, want, a)
        for i in c.rules:
            if i > max(len(theirs), len(ours)):
                self.note(s, '%s/%d' % (c.name, i), None, 'no such outcome')

    def compare_logs(self, s, c, since, theirs, b):
        want = theirs
        if c.log is not None:
            want = [x.decode() for x in c.log[1]]
        with self.lock:
            self.logged += len(want)
        wait(lambda: len(self.records(b, since)) >= len(want), 3, 0.05)
        got = self.records(b, since)
        if not self.alone:
            try:
                got = [normal.line(normal.log_unescape(
                    g.encode('utf-8', 'surrogateescape'))).decode(
                        'utf-8', 'surrogateescape') for g in got]
            except normal.Grammar as e:
                self.note(s, c.name + '/log', None, 'broken header: %s' % e)
                return
        # Ports are the client's, and are the same on both sides.
        wrong = None
        if got != want:
            wrong = 'ours %r, wanted %r' % (got, want)
        elif c.log is not None and theirs == want:
            wrong = 'rule %s does not apply' % c.log[0]
        self.note(s, c.name + '/log', c.log and c.log[0], wrong)

    def run_set(self, s):
        self.write_files(s)
        a = None
        if self.recorded is None:
            a, _ = self.daemon(s, self.original, 'theirs')
        b, errors = self.daemon(s, self.ours, 'ours')
        try:
            if a is not None and not a.wait_ready():
                self.note(s, 'start', None, 'the original does not start')
                return
            if not b.wait_ready():
                errors.seek(0)
                self.note(s, 'start', None, 'does not start, status %r, %r'
                          % (b.p.poll(), errors.read()[-400:]))
                return
            for c in s.connections:
                since = len(self.log.records)
                if a is None:
                    theirs, said = self.recorded[s.name, c.name]
                else:
                    theirs, _ = self.play(a, c, False)
                ours, broken = self.play(b, c, True)
                self.log.settle()
                if a is not None:
                    said = self.records(a, since)
                    self.record(s, c.name, theirs, said)
                if broken:
                    self.note(s, c.name, None, broken)
                    continue
                self.compare(s, c, theirs, ours)
                if c.log is not None or not c.rules:
                    self.compare_logs(s, c, since, said, b)
                with self.lock:
                    self.connections += 1
        finally:
            # The original needs 4 seconds to end by itself.
            if a is not None:
                a.p.kill()
                a.p.wait()
            if self.alone:
                b.p.kill()
                b.p.wait()
            else:
                status = b.end()
                self.note(s, 'exit', None, None if status == 0 else
                          'exit status %r after SIGTERM' % status)

    def run(self):
        self.run_sets(self.sets)
        self.finish(
            '%d connections, %d configurations, %d log records'
            % (self.connections, len(self.sets), self.logged),
            self.connections >= MINIMUM and self.logged >= MINIMUM)


def main(argv):
    ns.enter('compat-milter')
    Comparison(argv).run()


if __name__ == '__main__':
    main(sys.argv[1:])
