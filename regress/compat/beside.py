# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""What policy_compat.py and milter_compat.py share: the sets that are named,
the zone, the log, the threads that play sets, and the table at the end."""

import getopt
import os
import queue
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'lib'))
sys.path.insert(0, HERE)
import product      # noqa: E402
import sets as data                     # noqa: E402
import syslogd      # noqa: E402
from dnsd import DnsServer              # noqa: E402


class Beside:
    """kind: "policy" or "milter", the folder of sets. A subclass has
    run_set(s)."""

    def __init__(self, argv, kind, name, program, jobs):
        opts, names = getopt.gnu_getopt(argv, 'vj:')
        self.jobs = int(dict(opts).get('-j', jobs))
        self.name = name
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
            test = '%s/%s/%s' % (self.name, s.name, name)
            if wrong:
                print('not ok %s - %s (%s)' % (test, wrong, s.where),
                      flush=True)
            else:
                print('ok ' + test)

    def work(self, todo):
        while True:
            try:
                s = todo.get_nowait()
            except queue.Empty:
                return
            try:
                self.run_set(s)
            except Exception as e:      # one set must not end the others
                self.note(s, 'run', None, '%s: %s' % (type(e).__name__, e))

    def run_sets(self, ordered):
        todo = queue.Queue()
        for s in ordered:
            todo.put(s)
        threads = [threading.Thread(target=self.work, args=(todo,))
                   for _ in range(self.jobs)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def finish(self, seen, enough):
        """The table; the exit status. seen: what was compared, in words."""
        print('# ' + seen)
        for key in sorted(self.table, key=lambda k: (
                ['same', 'different'].index(k) if k in
                ('same', 'different') else 2, k)):
            print('# %-20s %5d  %s' % (key, self.table[key],
                                       self.rules.get(key, '')))
        if self.all:
            print('%s %s/size%s' % ('ok' if enough else 'not ok', self.name,
                                    '' if enough else ' - ' + seen))
        return 1 if self.table['different'] else 0
