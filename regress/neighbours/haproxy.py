#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""HAProxy in front of two daemons, milter and policy, with plain TCP checks.
Postfix uses them through it under load while one is killed (-9, all its
processes), comes back, and then the other is killed.

usage: haproxy.py [-v] [SECONDS between two events]
FRONTEND=libmilter runs the milters with that front end.

HAProxy cannot move a connection that is open to the dead one. So "nothing is
lost" means: every message is judged rightly in the end, if its sender tries
again as a mail server does after a 4xx; no message is judged wrongly, comes
twice, or comes without its field; and TROUBLE seconds after a kill nobody is
put off any more. Postfix's policy client tries again by itself: there not
even a 4xx is seen.
"""

import os
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import ns
import pf
import product
import strict
from client import connect_socket
from daemon import RUN, Site, wait
from load import Load
from milterclient import session
from policyclient import PolicyClient

ID = 'mx.example.test'
NAMES = ('a', 'b')
MILTER, POLICY = ('127.0.0.1', 8890), ('127.0.0.1', 8880)
PORTS = {'milter': 10501, 'policy': 10502}
THREADS = {'milter': 12, 'policy': 6}
PER_SESSION = 3
TROUBLE = 2.0
RETRY = 0.2
TRIES = 3
CONF = """global
	stats socket /run/t/haproxy.sock mode 600 level admin
	maxconn 1000
defaults
	mode tcp
	timeout connect 2s
	timeout client 10m
	timeout server 10m
	timeout check 1s
	retries 3
	option redispatch 1
	default-server inter 200ms fall 2 rise 2 \
	    on-marked-down shutdown-sessions
listen milter
	bind 127.0.0.1:8890
	balance roundrobin
	server a 127.0.0.1:8891 check
	server b 127.0.0.1:8892 check
listen policy
	bind 127.0.0.1:8880
	balance roundrobin
	server a 127.0.0.1:8881 check
	server b 127.0.0.1:8882 check
"""
# Every message is of a new name below one of these, and the DNS is slow, so
# that a kill meets checks under way.
LATENCY = 0.03
ZONE = ['*.pass.test TXT "v=spf1 ip4:192.0.2.1 -all"',
        '*.fail.test TXT "v=spf1 -all"', '*.soft.test TXT "v=spf1 ~all"',
        'fail.test TXT "v=spf1 -all"', 'none.test A 192.0.2.99']
# domain: (is accepted, result)
KINDS = {'pass.test': (True, 'pass'), 'fail.test': (False, 'fail'),
         'soft.test': (True, 'softfail')}


class Haproxy:
    def __init__(self):
        conf = product.write_file(RUN + '/haproxy.cfg', CONF)
        self.err = open(RUN + '/haproxy.err', 'wb')
        self.p = subprocess.Popen(['haproxy', '-db', '-f', conf],
                                  stdin=subprocess.DEVNULL, stdout=self.err,
                                  stderr=self.err, cwd='/')

    def end(self):
        product.end(self.p)
        self.err.close()

    @staticmethod
    def ask(command):
        with connect_socket(RUN + '/haproxy.sock', 10) as s:
            s.sendall(command.encode() + b'\n')
            out = b''
            while True:
                more = s.recv(65536)
                if not more:
                    return out.decode()
                out += more

    def servers(self):
        """{(listener, name): (status, sessions so far)}"""
        lines = self.ask('show stat').lstrip('# ').split('\n')
        head = lines[0].split(',')
        out = {}
        for line in lines[1:]:
            row = dict(zip(head, line.split(',')))
            if row.get('svname') in NAMES:
                out[row['pxname'], row['svname']] = (row['status'],
                                                     int(row['stot']))
        return out

    def up(self, *names):
        """Are just these up, on both listeners?"""
        return {k[1] for k, v in self.servers().items()
                if v[0].startswith('UP')} == set(names) and \
            all((k[1] in names) == v[0].startswith('UP')
                for k, v in self.servers().items())


class Senders:
    """Those that send messages through Postfix, and try again after a 4xx or
    a lost connection, and probes that speak to HAProxy themselves. Their
    turns are for Load."""

    def __init__(self):
        self.lock = threading.Lock()
        self.number = 0
        self.messages = []      # (number, way, domain, reply, tries, seconds)
        # when, and what was seen
        self.trouble = {'milter': [], 'policy': [], 'probe': []}
        self.probes = 0
        self.load = Load(*[self.sender(w) for w in THREADS
                           for _ in range(THREADS[w])], self.probe)

    def note(self, way, what):
        with self.lock:
            self.trouble[way].append((time.monotonic(), what))

    def sender(self, way):
        """A turn is a connection, or several when they are lost."""
        def turn(*_):
            s = pf.Smtp(PORTS[way])
            for _ in range(PER_SESSION):
                with self.lock:
                    self.number += 1
                    number = self.number
                domain = list(KINDS)[number % len(KINDS)]
                began, tries, reply = time.monotonic(), 0, ''
                while reply[:1] not in ('2', '5') and tries < 20:
                    if tries > 0:
                        self.note(way, reply)
                        s.quit()
                        time.sleep(RETRY)
                        s = pf.Smtp(PORTS[way])
                    tries += 1
                    reply = self.transaction(s, number, domain)
                with self.lock:
                    self.messages.append((number, way, domain, reply, tries,
                                          time.monotonic() - began))
                yield True
            s.quit()
        return turn

    @staticmethod
    def transaction(s, number, domain):
        """The last reply of a message; '' when the connection was lost."""
        try:
            s.cmd('EHLO none.test')
            for line in ('MAIL FROM:<u@n%d.%s>' % (number, domain),
                         'RCPT TO:<a@dest.test>'):
                got = s.cmd(line)
                if not got.startswith('250'):
                    s.cmd('RSET')
                    return got
            return s.message(b'X-Case: %d\r\nFrom: u@b.test\r\n\r\nhi\r\n'
                             % number)
        except OSError:
            return ''

    def probe(self, *_):
        """A turn: a fail by each protocol."""
        try:
            with session(MILTER, 10, helo='none.test') as c:
                got = c.mail('<u@fail.test>')[0].removeprefix('y ')
            if got.startswith('550 5.7.23'):
                with PolicyClient(POLICY, 10) as c:
                    got = c.ask(client_address='192.0.2.1',
                                helo_name='none.test', sender='u@fail.test',
                                recipient='a@dest.test')
        except Exception as e:      # whatever was lost
            got = repr(e)
        if not got.startswith('550 5.7.23'):
            self.note('probe', got)
        self.probes += 1
        yield True
        time.sleep(0.02)


class Tests(Site):
    def __init__(self, seconds):
        self.front = os.environ.get('FRONTEND', 'native')
        super().__init__('haproxy/' if self.front == 'native' else
                         'haproxy-%s/' % self.front, ZONE, LATENCY)
        self.seconds = seconds
        self.events = []
        self.proxy = None
        milter, policy = ('inet:%s:%d' % w for w in (MILTER, POLICY))
        self.pf = pf.Postfix({
            str(PORTS['milter']): ['smtpd_milters = ' + milter,
                                   'milter_default_action = tempfail'],
            str(PORTS['policy']): ['smtpd_recipient_restrictions = '
                                   'reject_unauth_destination, '
                                   'check_policy_service ' + policy]},
            main=['in_flow_delay = 0'])

    def start(self, name):
        n = NAMES.index(name) + 1
        self.daemon(name, [
            'Milter_Frontend = ' + self.front,
            'Socket = inet:889%d@127.0.0.1' % n,
            'PolicySocket = inet:888%d@127.0.0.1' % n,
            'ControlSocket = none', 'PidFile = none', 'Workers = 1'],
            ('127.0.0.1', 8890 + n), 'daemon-%s-starts' % name)

    def quiet_checks(self):
        """HAProxy's checks come and go without a word in the log."""
        self.check('both-up', wait(lambda: self.proxy.up('a', 'b')),
                   self.proxy.servers())
        self.log.take()
        time.sleep(1.5)
        self.log.settle()
        said = [r for r in self.log.take() if 'spf' in r]
        self.empty('checks-are-not-logged', said)

    def kill(self, name, senders):
        """The daemon dies; HAProxy must see it and the other one serve."""
        when = time.monotonic()
        self.kill_daemon(name)
        self.events.append(when)
        other = NAMES[1 - NAMES.index(name)]
        self.check('%s-killed/seen' % name,
                   wait(lambda: self.proxy.up(other), TROUBLE),
                   self.proxy.servers())
        before = len(senders.messages)
        time.sleep(self.seconds)
        self.check('%s-killed/other-serves' % name,
                   len(senders.messages) > before + 20,
                   len(senders.messages) - before)

    def restart(self, name):
        self.start(name)
        self.check('%s-again/up' % name,
                   wait(lambda: self.proxy.up('a', 'b')),
                   self.proxy.servers())
        before = self.proxy.servers()
        time.sleep(self.seconds)
        after = self.proxy.servers()
        for way in PORTS:
            got = {n: after[way, n][1] - before[way, n][1] for n in NAMES}
            self.check('%s-again/%s-is-shared' % (name, way),
                       min(got.values()) * 3 >= max(got.values()) > 0, got)

    def window(self, when):
        """Seconds since the kill before it, or None when there was none."""
        past = [e for e in self.events if e <= when]
        return when - past[-1] if past else None

    def judge(self, senders):
        messages = senders.messages
        # A message of fail.test is refused for ever, others are accepted.
        bad = [m for m in messages if m[3][:3] !=
               ('250' if KINDS[m[2]][0] else '550')
               or (m[3][:3] == '550' and '5.7.23' not in m[3])]
        self.check('every-message-judged', len(messages) == senders.number and
                   not bad, bad[:5])
        accepted = {m[0]: m for m in messages if m[3].startswith('250')}
        seen = {}
        for data in self.pf.delivered(len(accepted), 30):
            fields = pf.headers(data)
            number = int(dict(fields)['X-Case'])
            seen.setdefault(number, []).append(fields)
        self.check('accepted-is-delivered-once',
                   set(seen) == set(accepted) and
                   all(len(v) == 1 for v in seen.values()),
                   (len(seen), len(accepted)))
        wrong = [n for n, m in accepted.items()
                 if n in seen and self.result(m[1], seen[n][0]) !=
                 [KINDS[m[2]][1]]]
        self.empty('every-field-is-right', wrong)
        tries = max(m[4] for m in messages)
        self.check('tries-at-most-%d' % TRIES, tries <= TRIES, tries)
        self.figures(senders, tries)

    @staticmethod
    def result(way, fields):
        """What the one field of ours says."""
        out = []
        for n, v in fields:
            if way == 'milter' and n.lower() == 'authentication-results' \
                    and strict.may_be_id(v, ID):
                out += re.findall(r';\s+spf=(\w+)', v)
            elif way == 'policy' and n.lower() == 'received-spf':
                out.append(v.split()[0].lower())
        return out

    def figures(self, senders, tries):
        for way, troubles in senders.trouble.items():
            since = [self.window(t) for t, _ in troubles]
            self.check('%s-only-after-a-kill' % way, None not in since and
                       all(s <= TROUBLE for s in since if s is not None),
                       troubles[:5])
            print('log: %s: %d put off, the last %.2f s after a kill'
                  % (way, len(troubles),
                     max([s for s in since if s is not None] or [0])),
                  flush=True)
        # An open connection may die under each; more would be a new one.
        most = (THREADS['milter']) * len(self.events)
        self.check('milter-put-off-only-open-ones',
                   len(senders.trouble['milter']) <= most,
                   senders.trouble['milter'])
        # Else no kill met what it is about.
        self.check('load-was-on', senders.trouble['milter'] and
                   len(senders.messages) > 100 * self.seconds,
                   len(senders.messages))
        self.empty('policy-never-puts-off', senders.trouble['policy'])
        self.check('probes-lost-at-most-one-a-kill',
                   len(senders.trouble['probe']) <= len(self.events),
                   senders.trouble['probe'])
        took = sorted(m[5] for m in senders.messages)
        print('log: %d messages, %d probes, %d kills; at most %d tries; '
              'median %.0f ms, slowest %.2f s' % (
                  len(took), senders.probes, len(self.events), tries,
                  took[len(took) // 2] * 1000, took[-1]), flush=True)

    def run(self):
        product.folder(RUN)
        for name in NAMES:
            self.start(name)
        self.proxy = Haproxy()
        wait(lambda: os.path.exists(RUN + '/haproxy.sock'))
        self.quiet_checks()
        self.pf.start()
        senders = Senders()
        with senders.load:
            time.sleep(self.seconds)
            self.kill('a', senders)
            self.restart('a')
            self.kill('b', senders)
        self.judge(senders)

    def stop(self):
        self.pf.stop()
        if self.proxy is not None:
            self.proxy.end()
        super().stop()


if __name__ == '__main__':
    ns.enter('haproxy')
    numbers = [float(a) for a in sys.argv[1:] if a != '-v']
    Tests(numbers[0] if numbers else 3.0).play()
