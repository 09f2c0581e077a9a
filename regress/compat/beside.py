# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""What policy_compat.py and milter_compat.py share: the sets that are named,
the zone, the log, the threads that play sets, and the table at the end."""

import getopt
import os
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


class Beside(Checks):
    """kind: "policy" or "milter", the folder of sets. A subclass has
    run_set(s)."""

    def __init__(self, argv, kind, name, program, jobs):
        opts, names = getopt.gnu_getopt(argv, 'vj:')
        super().__init__(name + '/')
        self.jobs = int(dict(opts).get('-j', jobs))
        self.original = os.environ.get('ORIGINAL') or product.ORIGINAL[program]
        self.ours = product.wanted(name, program)
        # To prove the comparison itself: the original beside itself.
        self.alone = product.is_original(self.ours)
        every = data.read(kind)
        self.sets = [s for s in every if not names or s.name in names or
                     s.name.split('/')[0] in names]
        self.all = not names
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
        print('# ' + seen)
        for key in sorted(self.table, key=lambda k: (
                ['same', 'different'].index(k) if k in
                ('same', 'different') else 2, k)):
            print('# %-20s %5d  %s' % (key, self.table[key],
                                       self.rules.get(key, '')))
        if self.all:
            self.check('size', enough, seen)
        finish()
