#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""CPU and time per message, ours beside a no-op libmilter filter and the
Python original, in one run: only the ratios mean something on a shared
machine. usage: bench.py [-n MESSAGES] [-r ROUNDS] [-c CONNECTIONS]"""

import argparse
import os
import statistics
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('bench')
from client import listens
from daemon import above, below, check, children_of, equal, finish, wait
import product
import syslogd

B = os.environ.get('B', 'build')
ZONE = '''$ORIGIN .
. 3600 IN SOA ns.test. admin.test. 1 3600 900 86400 900
. 3600 IN NS ns.test.
ns.test. 3600 IN A 127.0.0.1
mail.none.test. 3600 IN A 192.0.2.98
*.spf.test. 3600 IN TXT "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 -all"
'''
NSD = '''server:
  ip-address: 127.0.0.1
  port: 53
  username: ""
  zonesdir: "/run/nsd"
  database: ""
  pidfile: "/run/nsd/nsd.pid"
  logfile: "/run/nsd/log"
  xfrdfile: ""
  zonelistfile: "/run/nsd/list"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "."
  zonefile: "root.zone"
'''


def start_nsd():
    os.makedirs('/run/nsd', exist_ok=True)
    product.write_file('/run/nsd/root.zone', ZONE)
    product.write_file('/run/nsd/nsd.conf', NSD)
    p = subprocess.Popen(['nsd', '-d', '-c', '/run/nsd/nsd.conf'],
                         stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    if not wait(answers) or p.poll() is not None:
        check('bench/nsd', False, 'does not start')
        finish()
    return p


def answers():
    """Does nsd? A query for the root's SOA."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.2)
        s.connect(('127.0.0.1', 53))
        try:
            s.send(bytes.fromhex('000100000001000000000000' '0000060001'))
            return s.recv(512) != b''
        except OSError:
            return False


def tree(pid):
    out = [pid]
    for c in children_of(pid):
        out += tree(c)
    return out


class Peer:
    def __init__(self, name, argv, where, dom):
        self.name, self.where, self.dom = name, where, dom
        self.rows = []
        self.p = subprocess.Popen(argv, cwd='/', stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL)
        if not wait(lambda: listens(where), 15):
            check('bench/' + name, False, 'does not start')
            finish()

    def run(self, n, conns, serial):
        pids = ','.join(str(p) for p in tree(self.p.pid))
        dom = self.dom.replace('@', str(serial))
        out = subprocess.run(
            [os.path.join(os.path.abspath(B), 'bench/mload'), '-c',
             str(conns), '-n', str(n), '-d', dom, '-p', pids,
             'unix:' + self.where], stdout=subprocess.PIPE, check=True)
        w = out.stdout.decode().split()
        self.rows.append(dict(zip(w[::2], map(float, w[1::2]))))

    def median(self, key):
        return statistics.median(r[key] for r in self.rows)


ap = argparse.ArgumentParser()
ap.add_argument('-n', type=int, default=6000)
ap.add_argument('-r', type=int, default=5)
ap.add_argument('-c', type=int, default=8)
args = ap.parse_args()
log = syslogd.Collector()       # it takes what the filters log
start_nsd()
ours = product.wanted('bench', 'pyspf-milter')
noop = product.reachable(os.path.join(os.path.abspath(B), 'bench/noop'))
os.makedirs('/run/b', exist_ok=True)
peers = []


def daemon(name, more, dom):
    sock = '/run/b/%s.sock' % name
    conf = product.write_file('/run/b/%s.conf' % name, 'Socket = local:%s\n'
                              'PidFile = /run/b/%s.pid\n' % (sock, name) +
                              more)
    peers.append(Peer(name, [ours, conf], sock, dom))


peers.append(Peer('noop', [noop, 'local:/run/b/noop.sock'],
                  '/run/b/noop.sock', 'h.spf.test'))
daemon('hot', '', 'h.spf.test')
daemon('cold', '', 'd%d-@.spf.test')
daemon('libmilter-hot', 'Milter_Frontend = libmilter\n', 'h.spf.test')
if os.path.exists(product.ORIGINAL['pyspf-milter']):
    os.makedirs('/run/o', exist_ok=True)
    conf = product.write_file('/run/o/c', 'Socket = local:/run/o/s\n'
                              'PidFile = /run/o/p\n')
    product.folder('/run/o', 'pyspf-milter')
    peers.append(Peer('original', [product.ORIGINAL['pyspf-milter'], conf],
                      '/run/o/s', 'h.spf.test'))

for r in range(args.r):
    for p in peers:
        p.run(args.n if p.name != 'original' else args.n // 8, args.c, r)
print('%-16s %12s %10s %10s %18s' % ('', 'messages/s', 'p50 ms', 'p99 ms',
                                     'CPU ms per 1000'))
for p in peers:
    print('%-16s %12.0f %10.3f %10.3f %18.1f' % (
        p.name, p.median('per_second'), p.median('p50_ms'),
        p.median('p99_ms'), p.median('cpu_ms_per_1000')))
by = {p.name: p for p in peers}


def ratio(a, b):
    return statistics.median(x['cpu_ms_per_1000'] / y['cpu_ms_per_1000']
                             for x, y in zip(by[a].rows, by[b].rows))


# spf-engine's threads disturb each other now and then: its refusals are not
# ours to judge.
for p in peers:
    if p.name != 'original':
        equal('bench/%s-refuses-none' % p.name,
              sum(r['rejected'] for r in p.rows), 0)
print('CPU of hot / noop libmilter filter: %.2f' % ratio('hot', 'noop'))
print('CPU of cold / noop libmilter filter: %.2f' % ratio('cold', 'noop'))
# 1.15 to 1.2 on a quiet machine; both ends of the ratio are noisy
below('bench/cpu-near-a-noop-filter-hot', ratio('hot', 'noop'), 1.6)
if 'original' in by:
    print('CPU of the original / ours hot: %.0f' % ratio('original', 'hot'))
    above('bench/original-costs-5-times-more', ratio('original', 'hot'), 5)
finish()
