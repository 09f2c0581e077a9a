#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""50 reloads under load lose nothing; datasets and the per-user file reload
too; the old generation finishes under its configuration; dns follows
resolv.conf."""

import concurrent.futures
import os
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('reload')
import dnsd
import product
from daemon import (POLICY, ZONE, Daemon, above, becomes, check, empty, equal,
                    finish, wait)
from load import Load, milter, policy

RELOADS = 50


def under_load():
    with Daemon() as d:
        turns = [milter(d, 10, whole=True), policy(d, 10, again=True)]
        good = 0
        with Load(*turns * 2) as load:
            for n in range(RELOADS):
                good += d.reload(signal.SIGHUP if n % 2 else
                                 signal.SIGUSR1) is not None
        print('log: %d reloads, %d messages' % (good, load.done))
        equal('reload/50-reloads', good, RELOADS)
        above('reload/under-load', load.done, 500)
        empty('reload/nothing-lost', load.lost + ['refused'] * load.refused)
        empty('reload/nothing-wrong', load.wrong)
        becomes('reload/old-generations-end', lambda: len(d.children()), 3,
                20)
        equal('reload/parent-lives', d.p.p.poll(), None)


def dataset():
    product.folder('/run/conf')
    data = product.write_file('/run/conf/internal', '127.0.0.1\n')
    with Daemon(conf='InternalHosts = file:%s\n' % data) as d:
        def skipped():
            with d.milter() as c:
                c.mail('<u@pass.test>')
                return len(c.eom()) == 1
        equal('reload/dataset-before', skipped(), False)
        product.write_file(data, '127.0.0.1\n192.0.2.0/24\n')
        d.send(signal.SIGHUP)
        check('reload/dataset-is-read-again', wait(skipped, 5))


def user_file():
    """The per-user file needs no signal."""
    users = product.write_file('/run/conf/users', 'a@dest.test,'
                               'Mail_From_reject=False\n')
    with Daemon(conf='Per_User = text,%s\n' % users) as d:
        def answer(rcpt):
            with d.policy() as c:
                return d.ask(c, 'u@fail.test', recipient=rcpt)[:7]

        def a():
            return answer('a@dest.test')

        def b():
            return answer('b@dest.test')
        equal('reload/user-before', a(), 'prepend')
        equal('reload/other-user', b(), '550 5.7')
        b_alone = 'b@dest.test,Mail_From_reject=False\n'
        product.write_file(users, b_alone)
        becomes('reload/user-file-is-read-again', b, 'prepend', 8)
        becomes('reload/user-file-forgets', a, '550 5.7', 3)
        os.unlink(users)
        becomes('reload/user-file-gone', b, '550 5.7', 8)
        product.write_file(users, b_alone)
        becomes('reload/user-file-back', b, 'prepend', 8)


def included():
    product.folder('/run/conf/parts')
    part = product.write_file('/run/conf/parts/10.conf', 'TestOnly = 1\n')
    with Daemon(conf='Include = /run/conf/parts/*.conf\n') as d:
        def rejects():
            with d.policy() as c:
                return d.ask(c, 'u@fail.test')[:7] == '550 5.7'

        def after(name, want):
            since = len(d.log.records)
            d.reload(signal.SIGHUP)
            becomes('reload/include-' + name, rejects, want, 8)
            return since
        equal('reload/include-before', rejects(), True)
        product.write_file(part, 'TestOnly = 0\n')
        after('changed', False)
        new = product.write_file('/run/conf/parts/20.conf', 'TestOnly = 1\n')
        after('new', True)
        os.unlink(new)
        after('removed', False)
        product.write_file(new, 'TestOnly = 1\nVoid_Limit = many\n')
        since = len(d.log.records)
        d.p.p.send_signal(signal.SIGHUP)
        got = d.log.wait('parts/20.conf:2: Void_Limit: ', 8, since)
        check('reload/include-bad-is-named', got is not None,
              d.log.records[since:])
        equal('reload/include-bad-changes-nothing', rejects(), False)


# ---- resolv.conf

RESOLV = '/etc/resolv.conf'
PLACES = ('/run/systemd/resolve', '/run/resolvconf', '/run/elsewhere')
# The other server knows the sender's domain by another record.
OTHER = [line.replace('ip4:192.0.2.1 ', '')
         for line in ZONE]


def replace(path, text):
    """As daemons do: a new file in the place of the old one."""
    product.write_file(path + '.new', text)
    os.rename(path + '.new', path)


def link(target):
    os.symlink(target, RESOLV + '.new')
    os.rename(RESOLV + '.new', RESOLV)


def one(d):
    """The server that the answer came from: 1 or 2."""
    with d.policy() as c:
        return 1 if d.ask(c, 'u@pass.test').startswith(
            'prepend Received-SPF: Pass') else 2


def stays(name, d, text):
    since = len(d.log.records)
    replace(RESOLV, text)
    got = d.log.wait('resolv.conf: .*; the resolvers in use stay', 8, since)
    check('reload/resolv-%s-warns' % name, got is not None,
          d.log.records[since:])
    equal('reload/resolv-%s-stays' % name, one(d), 2)


def resolv_follows(d):
    equal('reload/resolv-before', one(d), 1)
    before = d.children('worker')
    product.write_file(RESOLV, 'nameserver 127.0.0.2\n')
    becomes('reload/resolv-written', lambda: one(d), 2, 8)
    replace(RESOLV, 'nameserver 127.0.0.1\n')
    becomes('reload/resolv-replaced', lambda: one(d), 1, 8)
    for n, place in enumerate(PLACES[:2]):
        product.write_file(place + '/resolv.conf',
                           'nameserver 127.0.0.%d\n' % (2 - n))
        link(os.path.relpath(place + '/resolv.conf', '/etc'))
        becomes('reload/resolv-link-' + place.split('/')[2],
                lambda n=n: one(d), 2 - n, 8)
    replace(PLACES[1] + '/resolv.conf', 'nameserver 127.0.0.2\n')
    becomes('reload/resolv-target-replaced', lambda: one(d), 2, 8)
    equal('reload/resolv-workers-stay', d.children('worker'), before)
    since = len(d.log.records)
    replace(RESOLV, '# by a machine\nnameserver 127.0.0.2\n')
    time.sleep(5)
    empty('reload/resolv-same-servers', [r for r in d.log.records[since:]
                                         if 'resolv.conf' in r])


def resolv_broken(d):
    stays('empty', d, '')
    stays('broken', d, 'nameserver \0x\n\1\n')
    os.chmod(product.write_file(RESOLV + '.root', 'nameserver 127.0.0.1\n'),
             0o600)
    since = len(d.log.records)
    os.rename(RESOLV + '.root', RESOLV)
    check('reload/resolv-unreadable', d.log.wait(
        'Permission denied; the resolvers', 8, since) is not None)
    product.write_file(PLACES[2] + '/resolv.conf', 'nameserver 127.0.0.1\n')
    since = len(d.log.records)
    link(PLACES[2] + '/resolv.conf')
    check('reload/resolv-unknown-place', d.log.wait(
        'Permission denied; the resolvers', 8, since) is not None)
    os.unlink(RESOLV)
    check('reload/resolv-gone', d.log.wait(
        'No such file or directory; the resolvers', 8, since) is not None)
    equal('reload/resolv-reload-without', d.reload() is not None, True)
    equal('reload/resolv-reload-stays', one(d), 2)
    product.write_file(RESOLV, 'nameserver 127.0.0.1\n')
    becomes('reload/resolv-back', lambda: one(d), 1, 8)


def resolv_under_load(d):
    """Each change replaces dns while questions are in flight."""
    turns = [milter(d, 10, whole=True), policy(d, 10, again=True)]
    since = len(d.log.records)
    with Load(*turns * 2) as load:
        for n in range(4):
            mark = len(d.log.records)
            replace(RESOLV, 'nameserver %s\n' % ('::1', '127.0.0.1')[n % 2])
            check('reload/resolv-load-%d' % n, d.log.wait(
                'resolv.conf changed', 8, mark) is not None)
    above('reload/resolv-under-load', load.done, 100)
    empty('reload/resolv-nothing-lost', load.lost + ['refused'] *
          load.refused)
    empty('reload/resolv-nothing-wrong', load.wrong)
    empty('reload/resolv-no-failure', [
        r for r in d.log.records[since:] if 'signal' in r or 'status 1' in r])


def resolv_silent(d):
    """A question that a dead server leaves open is answered by the next."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(('127.0.0.3', 53))
        since = len(d.log.records)
        replace(RESOLV, 'nameserver 127.0.0.3\n')
        d.log.wait('resolv.conf changed', 8, since)
        s.settimeout(20)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            got = pool.submit(one, d)
            while b'\4pass\4test' not in s.recv(2000):
                pass
            replace(RESOLV, 'nameserver 127.0.0.1\n')
            equal('reload/resolv-silent-server', got.result(), 1)


def resolv():
    for place in PLACES:
        os.makedirs(place, exist_ok=True)
    other = dnsd.DnsServer(addr=['127.0.0.2'], port=53)
    other.start(OTHER)
    with Daemon() as d:
        resolv_follows(d)
        resolv_broken(d)
        resolv_silent(d)
    with Daemon(latency=0.05) as d:
        resolv_under_load(d)
    replace(RESOLV, 'nameserver 127.0.0.1\n')
    with Daemon(conf='Nameservers = 127.0.0.1\n') as d:
        replace(RESOLV, 'nameserver 127.0.0.2\n')
        time.sleep(5)
        equal('reload/resolv-not-with-nameservers', one(d), 1)
        product.write_file(d.conf, 'PolicySocket = local:%s\n' % POLICY)
        d.reload()
        becomes('reload/resolv-nameservers-removed', lambda: one(d), 2, 8)
        replace(RESOLV, 'nameserver 127.0.0.1\n')
        becomes('reload/resolv-follows-then', lambda: one(d), 1, 8)
    other.stop()


under_load()
dataset()
user_file()
included()
resolv()
finish()
