# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""What policy_compat.py and milter_compat.py share: the sets that are named,
the zone, the log, the threads that play sets, and the table at the end.

The original's version decides which sets and rules hold. With -r VERSION its
part comes from recorded/KIND-VERSION.txt, a line a request or connection:
[set, name, what it answered, what it logged]; -w FILE writes such a file from
what the installed one does.
"""

import getopt
import json
import os
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import product
import sets as data
import syslogd
from check import Checks, finish
from dnsd import DnsServer


HERE = os.path.dirname(os.path.abspath(__file__))
MODULE = '/usr/lib/python3/dist-packages/spf_engine/__init__.py'


def installed():
    """The version of the original on this machine."""
    with open(MODULE, encoding='utf-8') as f:
        return re.search(r'^__version__ = "(.*)"$', f.read(), re.M).group(1)


def recording(kind, version):
    """{(set, name): (what was answered, what was logged)}"""
    with open(os.path.join(HERE, 'recorded', '%s-%s.txt' % (kind, version)),
              encoding='ascii') as f:
        lines = [json.loads(x) for x in f]
    return {(s, name): ([x.encode('latin-1') for x in answer]
                        if answer is not None else None, logged)
            for s, name, answer, logged in lines}


class Beside(Checks):
    """kind: "policy" or "milter", the folder of sets. A subclass has
    run_set(s)."""

    def __init__(self, argv, kind, name, program, jobs):
        opts, names = getopt.gnu_getopt(argv, 'vj:r:w:')
        opts = dict(opts)
        self.version = opts.get('-r') or installed()
        super().__init__(name + ('-%s/' % self.version if '-r' in opts
                                 else '/'))
        self.jobs = int(opts.get('-j', jobs))
        self.original = os.environ.get('ORIGINAL') or product.ORIGINAL[program]
        self.ours = product.wanted(name, program)
        # To prove the comparison itself: the original beside itself.
        self.alone = product.is_original(self.ours)
        every = data.read(kind, self.version)
        self.sets = [s for s in every if not names or s.name in names or
                     s.name.split('/')[0] in names or s.file in names]
        self.all = not names and '-r' not in opts
        self.recorded = None
        if '-r' in opts:
            self.recorded = recording(kind, self.version)
            known = {s for s, _ in self.recorded}
            self.sets = [s for s in self.sets if s.name in known]
        self.file = opts.get('-w')
        self.lines = {}
        self.rules = data.rules()
        self.log = syslogd.Collector(pids=True)
        self.dns = DnsServer(addr=['127.0.0.1', '::1'], port=53)
        self.dns.start(data.zone(every))
        self.lock = threading.Lock()
        self.table = {'same': 0, 'different': 0}

    def note(self, s, name, rule, wrong):
        """One compared thing: same, better by a rule, or different."""
        with self.lock:
            key = 'different' if wrong else rule or 'same'
            self.table[key] = self.table.get(key, 0) + 1
            self.check('%s/%s' % (s.name, name), not wrong,
                       '%s (%s)' % (wrong, s.where))

    def named(self, s, name, rule, got, want, theirs):
        """Ours must differ from the original as the rule says."""
        wrong = None
        if rule not in self.rules:
            wrong = 'no rule ' + rule
        elif got != want:
            wrong = 'ours %r, by rule %s %r' % (got, rule, want)
        elif theirs == got:
            wrong = 'rule %s does not apply: both say %r' % (rule, theirs)
        self.note(s, name, rule, wrong)

    def write_files(self, s):
        for path, lines in s.files:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            product.write_file(path, b''.join(x + b'\n' for x in lines))

    def record(self, s, name, answer, logged):
        """Keeps what the original did, for -w."""
        with self.lock:
            self.lines[s.name, name] = [
                s.name, name, None if answer is None else
                [x.decode('latin-1') for x in answer], logged]

    def one_set(self, s):
        try:
            self.run_set(s)
        except Exception as e:      # one set must not end the others
            self.note(s, 'run', None, '%s: %s' % (type(e).__name__, e))

    def run_sets(self, ordered):
        with ThreadPoolExecutor(self.jobs) as pool:
            list(pool.map(self.one_set, ordered))

    def finish(self, seen, enough):
        """The table, and the end. seen: what was compared, in words."""
        print('# spf-engine %s%s: %s' % (
            self.version, '' if self.recorded is None else ', recorded',
            seen))
        if self.file:
            with open(self.file, 'w', encoding='ascii') as f:
                for k in sorted(self.lines):
                    f.write(json.dumps(self.lines[k]) + '\n')
        for key in sorted(self.table, key=lambda k: (
                ['same', 'different'].index(k) if k in
                ('same', 'different') else 2, k)):
            print('# %-20s %5d  %s' % (key, self.table[key],
                                       self.rules.get(key, '')))
        if self.all:
            self.check('size', enough, seen)
        finish()
