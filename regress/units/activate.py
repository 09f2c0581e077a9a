#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""What the daemon tells a service manager, and listeners that it is given."""

import os
import re
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import ns
ns.enter('activate')
import product
from control import Control
from daemon import (Daemon, above, check, children_of, empty, equal, finish,
                    holds, kill_all, role, wait)
from load import Load, rejected
from manager import Manager, listener
from milterclient import rejects, session
from policyclient import PolicyClient

NOTIFY, SOCKET = '/run/notify', '/run/mine/s'
PLAIN = 'Socket = local:%s\nPidFile = none\nControlSocket = none\n' % SOCKET
WATCHDOG_US = 400000


def conf(text=PLAIN, name='a.conf'):
    return product.write_file('/run/conf/' + name, text)


def start(text=PLAIN, **more):
    """A daemon that said READY, or had its time to."""
    m = Manager(site.program, conf(text), notify=NOTIFY, **more)
    m.ready = m.wait('READY=1')
    return m


def running(m, what):
    return [p for p in children_of(m.pid) if role(p) == what]


def policy_rejects(path):
    with PolicyClient(path, timeout=20) as c:
        return '550 5.7.23' in site.ask(c, 'u@fail.test')


def notify(user, address):
    """NOTIFY_SOCKET: as root and not, by path and by abstract name."""
    name = 'notify/%s-%s' % ('root' if user == 'root' else 'user',
                             'path' if address[0] == '/' else 'abstract')
    m = Manager(site.program, conf(), notify=address, user=user)
    check(name + '-ready', m.wait('READY=1') is not None,
          (m.messages, site.log.records[-5:]))
    check(name + '-ready-means-serving', rejects(SOCKET))
    equal(name + '-sent-by-parent', m.senders, {m.pid})
    check(name + '-status-says-generation',
          m.count('STATUS=generation 1 serves'), m.messages)
    code = m.stop()
    check(name + '-stopping', m.wait('STOPPING=1', 5) is not None,
          m.messages)
    equal(name + '-exit-0', code, 0)


def reload():
    m = start()
    env = b''
    for p in children_of(m.pid):
        with open('/proc/%d/environ' % p, 'rb') as f:
            env += f.read()
    equal('notify/children-have-no-environment', env, b'')
    for what, text in (('good', PLAIN), ('bad', 'Lookup_Time = soon\n')):
        conf(text)
        m.clear()
        before = time.monotonic_ns() // 1000
        os.kill(m.pid, signal.SIGHUP)
        seen = m.wait('READY=1')
        first = next((x for x in m.messages if 'RELOADING=1' in x), '')
        usec = re.search(r'MONOTONIC_USEC=(\d+)', first)
        check('notify/%s-reload-reloading-then-ready' % what,
              seen is not None and m.messages and m.messages[0] == first,
              m.messages)
        check('notify/%s-reload-monotonic-usec' % what, usec and
              before <= int(usec.group(1)) <= time.monotonic_ns() // 1000,
              first)
        holds('notify/%s-reload-generation' % what, str(seen),
              'generation 2 serves')
    m.stop()


def fed(name, m, seconds):
    check(name, m.wait('WATCHDOG=1', seconds) is not None, m.messages)


def watchdog():
    """It is fed while the parent runs."""
    m = start(watchdog_us=WATCHDOG_US)
    m.clear()
    time.sleep(2)
    beats = m.count('WATCHDOG=1')
    check('watchdog/at-half-the-time', 7 <= beats <= 11, beats)
    # a hanging child is the parent's business (regress/system/compromised.py)
    stopped = running(m, 'worker')[0]
    os.kill(stopped, signal.SIGSTOP)
    time.sleep(0.6)
    m.clear()
    fed('watchdog/fed-when-a-worker-hangs', m, 3)
    os.kill(stopped, signal.SIGCONT)
    os.kill(running(m, 'worker')[0], signal.SIGKILL)
    m.clear()
    fed('watchdog/lives-through-a-restarted-worker', m, 3)
    os.kill(m.pid, signal.SIGSTOP)
    m.clear()
    time.sleep(0.8)
    empty('watchdog/silent-when-the-parent-hangs', m.messages)
    os.kill(m.pid, signal.SIGCONT)
    m.stop()


def watchdog_and_shadow():
    """Mail never waits for the shadow: it is no reason to restart all."""
    m = start(PLAIN + 'Second_Opinion = libspf2\n', watchdog_us=WATCHDOG_US)
    wait(lambda: running(m, 'shadow'))
    kill_all(running(m, 'shadow'), signal.SIGSTOP)
    time.sleep(0.6)
    m.clear()
    fed('watchdog/hears-while-the-shadow-hangs', m, 2)
    end = time.monotonic() + 4
    while time.monotonic() < end:
        kill_all(running(m, 'shadow'))
        time.sleep(0.01)
    m.clear()
    fed('watchdog/hears-while-the-shadow-dies', m, 1)
    m.stop()


def watchdog_of_another():
    m = start(watchdog_us=WATCHDOG_US, watchdog_pid=1)
    time.sleep(1)
    equal('watchdog/of-another-process', m.count('WATCHDOG=1'), 0)
    m.stop()


def bad_sockets():
    """A manager whose queue is full still learns of READY. An address that
    is unknown is said, and the daemon runs."""
    m = Manager(site.program, conf(), notify=NOTIFY, deaf=True)
    check('notify/full-queue-does-not-stop-us', wait(
        lambda: rejects(SOCKET), 10))
    m.hear()
    check('notify/full-queue-ready-comes-later',
          m.wait('READY=1', 5) is not None, m.messages[-3:])
    m.stop()
    m = Manager(site.program, conf(), notify='vsock:2:1')
    check('notify/unknown-address-runs', wait(lambda: rejects(SOCKET), 10))
    check('notify/unknown-address-is-said', site.log.wait(
        'NOTIFY_SOCKET vsock:2:1'), site.log.records[-3:])
    m.stop()


def has_open(pid, sockets):
    """Which of our listeners the process has open."""
    links = {os.readlink('/proc/%d/fd/%s' % (pid, f))
             for f in os.listdir('/proc/%d/fd' % pid)}
    return links & {'socket:[%d]' % os.fstat(s.fileno()).st_ino
                    for s in sockets}


def listeners(user):
    """Three that are given, as root and not."""
    name = 'listen/' + ('root' if user == 'root' else 'user')
    ours = listener('/run/mine/m.sock'), listener('/run/mine/p.sock')
    control = listener('/run/mine/c.sock', socket.SOCK_SEQPACKET)
    m = start('Socket = local:/run/mine/unused\nPidFile = none\n'
              'PolicySocket = none\n', user=user, fds=[*ours, control],
              names='milter:policy:control')
    check(name + '-ready', m.ready is not None, site.log.records[-3:])
    check(name + '-milter', rejects('/run/mine/m.sock'))
    check(name + '-policy', policy_rejects('/run/mine/p.sock'))
    with Control('/run/mine/c.sock', 5) as c:
        equal(name + '-control', [
            values['pid'] for kind, values in c.ask('CTL_STATUS')[0]
            if kind == 'DAEMON'], [m.pid])
    equal(name + '-configured-one-not-made',
          os.path.exists('/run/mine/unused'), False)
    equal(name + '-set-non-blocking', os.get_blocking(ours[0].fileno()),
          False)
    equal(name + '-not-for-dns', [p for p in running(m, 'dns')
                                  if has_open(p, ours)], [])
    equal(name + '-exit-0', m.stop(), 0)
    for path in ('m', 'p', 'c'):
        check('%s-%s-not-removed' % (name, path),
              os.path.exists('/run/mine/%s.sock' % path))
    for s in (*ours, control):
        os.unlink(s.getsockname())
        s.close()


def order(a, b):
    """Without names the order decides; TCP gets no delay."""
    where = '127.0.0.1', 8893
    m = start('Socket = local:/run/mine/unused\nPidFile = none\n'
              'PolicySocket = none\n', fds=[a, b])
    check('listen/order-milter', rejects(where))
    check('listen/order-policy', policy_rejects('/run/mine/p.sock'))
    check('listen/inet-nodelay', a.getsockopt(
        socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)
    # a reload keeps them
    m.clear()
    os.kill(m.pid, signal.SIGHUP)
    m.wait('READY=1')
    check('listen/after-reload', rejects(where))
    m.stop()
    m = start('Socket = local:%s\nPidFile = none\n' % SOCKET, fds=[a, b],
              listen_pid=1)
    check('listen/of-another-process-is-not-ours', rejects(SOCKET))
    m.stop()


def refused(a, b):
    """What is not as it should be is refused, with a reason."""
    plain = socket.socket()
    dgram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    pipe = os.pipe()
    for name, fds, names, words in (
            ('not-listening', [plain], 'milter', 'does not listen'),
            ('datagrams', [dgram], 'milter', 'must be a stream'),
            ('no-socket', [pipe[0]], 'milter', 'descriptor 3 (milter)'),
            ('control-stream', [b], 'control', 'sequential packet'),
            ('unknown-name', [b], 'smtp', 'has the name smtp'),
            ('twice', [a, b], 'milter:milter', 'two descriptors for milter')):
        site.log.take()
        m = Manager(site.program, conf(), notify=NOTIFY, fds=fds, names=names)
        code = m.exit_code(10)
        # the record may come after the end of who wrote it
        said = site.log.wait(re.escape(words), 3)
        check('listen/refuses-' + name, said is not None and code == 69,
              (code, site.log.records))
        m.stop()


def restarts(kind, where, sock):
    """A restart under load: no connect is refused, no message unanswered."""
    text = 'PidFile = none\nControlSocket = none\n'
    m = start(text, fds=[sock], names='milter')
    good = 0
    with Load(*[rejected(lambda: session(where))] * 4) as load:
        for _ in range(10):
            load.more()
            code = m.stop()
            m = start(text, fds=[sock], names='milter')
            good += code == 0 and m.ready is not None
        load.more()
    m.stop()
    broken = load.lost + load.wrong
    print('%s: %d restarts, %d judged, %d refused, %d broken' % (
        kind, good, load.done, load.refused, len(broken)), flush=True)
    equal('restart/%s-10-times' % kind, good, 10)
    equal('restart/%s-no-connect-refused' % kind, load.refused, 0)
    above('restart/%s-under-load' % kind, load.done, 100)
    empty('restart/%s-no-message-lost' % kind, broken)


def counter():
    """Without held listeners connects are refused: that is counted."""
    with Load(rejected(lambda: session(('127.0.0.1', 8893)))) as load:
        wait(lambda: load.refused)
    above('restart/counter-can-count', load.refused, 0)


with Daemon(start=False) as site:
    product.folder('/run/mine', 'pyspf-milter')
    for user in ('root', 'pyspf-milter'):
        for address in (NOTIFY, '@spf-notify-test'):
            notify(user, address)
    reload()
    watchdog()
    watchdog_and_shadow()
    watchdog_of_another()
    bad_sockets()
    for user in ('root', 'pyspf-milter'):
        listeners(user)
    inet, local = listener(('127.0.0.1', 8893)), listener('/run/mine/p.sock')
    order(inet, local)
    refused(inet, local)
    inet.close()
    local.close()
    inet = listener(('127.0.0.1', 8893))
    restarts('inet', ('127.0.0.1', 8893), inet)
    restarts('local', '/run/mine/m.sock', listener('/run/mine/m.sock'))
    inet.close()
    counter()
finish()
