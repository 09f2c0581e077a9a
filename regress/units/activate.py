#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""What the daemon tells a service manager, and listeners that it is given."""

import os
import re
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import ns
ns.enter('activate')
from control import Control
from daemon import (MILTER, PIDFILE, POLICY, Daemon, check, children_of,
                    finish, role, status, wait)
from manager import Manager, listener
import product
from milterclient import MilterClient
from policyclient import PolicyClient

d = Daemon(start=False)
log = d.log.records


def conf(text, name='a.conf'):
    return product.write_file('/run/conf/' + name, text)


def judge(where=MILTER, sender='<u@fail.test>'):
    with MilterClient(where, 20) as c:
        c.negotiate()
        c.macros('C', {'j': ns.HOSTNAME, '{daemon_name}': 'smtpd'})
        c.connect('client.none.test', '192.0.2.1')
        c.helo('mail.none.test')
        return c.mail(sender)[0]


def rejects(where=MILTER):
    return judge(where).startswith('y 550 5.7.23')


# --- NOTIFY_SOCKET: as root and not, by path and by abstract name
for who in ('root', 'pyspf-milter'):
    for address in ('/run/notify', '@spf-notify-test'):
        name = 'notify/%s-%s' % (
            'root' if who == 'root' else 'user',
            'path' if address[0] == '/' else 'abstract')
        product.folder('/run/mine', 'pyspf-milter')
        m = Manager(d.program, conf(
            'Socket = local:/run/mine/s\nPidFile = none\n'
            'ControlSocket = none\n'), notify=address, user=who)
        check(name + '-ready', m.wait('READY=1') is not None,
              (m.messages, log[-5:]))
        check(name + '-ready-means-serving', rejects('/run/mine/s'))
        equal(name + '-sent-by-parent', m.senders, {m.pid})
        check(name + '-status-says-generation', any(
            'STATUS=generation 1 serves' in x for x in m.messages),
            m.messages)
        code = m.stop()
        check(name + '-stopping', m.wait('STOPPING=1', 5) is not None,
              m.messages)
        equal(name + '-exit-0', code, 0)

# --- reload, good and bad
cf = conf('Socket = local:/run/mine/s\nPidFile = none\n'
          'ControlSocket = none\n')
m = Manager(d.program, cf, notify='/run/notify')
m.wait('READY=1')
env = b''.join(open('/proc/%d/environ' % p, 'rb').read()
               for p in children_of(m.pid))
equal('notify/children-have-no-environment', env, b'')
for what, text in (('good', None), ('bad', 'Lookup_Time = soon\n')):
    m.clear()
    if text is not None:
        product.write_file(cf, text)
    before = time.monotonic_ns() // 1000
    os.kill(m.pid, signal.SIGHUP)
    seen = m.wait('READY=1')
    first = next((x for x in m.messages if 'RELOADING=1' in x), '')
    usec = re.search(r'MONOTONIC_USEC=(\d+)', first)
    check('notify/%s-reload-reloading-then-ready' % what,
          seen is not None and m.messages and m.messages[0] == first,
          m.messages)
    check('notify/%s-reload-monotonic-usec' % what, usec and
          before <= int(usec.group(1)) <= time.monotonic_ns() // 1000, first)
    generation = [x for x in m.messages if 'READY=1' in x][-1:]
    check('notify/%s-reload-generation' % what,
          generation and 'generation 2 serves' in generation[0], generation)
m.stop()

# --- the watchdog hears of us while all answer
product.write_file(cf, 'Socket = local:/run/mine/s\nPidFile = none\n'
                   'ControlSocket = none\n')
m = Manager(d.program, cf, notify='/run/notify', watchdog_us=400000)
m.wait('READY=1')
m.clear()
time.sleep(2)
beats = sum('WATCHDOG=1' in x for x in m.messages)
check('watchdog/at-half-the-time', 7 <= beats <= 11, beats)
for what in ('worker', 'dns'):
    stopped = next(p for p in children_of(m.pid) if role(p) == what)
    os.kill(stopped, signal.SIGSTOP)
    time.sleep(0.6)
    m.clear()
    time.sleep(1)
    check('watchdog/silent-when-%s-hangs' % what, not any(
        'WATCHDOG=1' in x for x in m.messages), m.messages)
    os.kill(stopped, signal.SIGCONT)
    check('watchdog/again-when-%s-answers' % what,
          m.wait('WATCHDOG=1', 3) is not None)
worker = next(p for p in children_of(m.pid) if role(p) == 'worker')
os.kill(worker, signal.SIGKILL)
m.clear()
check('watchdog/lives-through-a-restarted-worker',
      m.wait('WATCHDOG=1', 3) is not None)
os.kill(m.pid, signal.SIGSTOP)
m.clear()
time.sleep(0.8)
empty('watchdog/silent-when-the-parent-hangs', m.messages)
os.kill(m.pid, signal.SIGCONT)
m.stop()
# one that mail never waits for is no reason to start all of it anew
product.write_file(cf, 'Socket = local:/run/mine/s\nPidFile = none\n'
                   'ControlSocket = none\nSecond_Opinion = libspf2\n')
m = Manager(d.program, cf, notify='/run/notify', watchdog_us=400000)
m.wait('READY=1')


def shadows():
    return [p for p in children_of(m.pid) if role(p) == 'shadow']


wait(shadows)
for p in shadows():
    os.kill(p, signal.SIGSTOP)
time.sleep(0.6)
m.clear()
check('watchdog/hears-while-the-shadow-hangs',
      m.wait('WATCHDOG=1', 2) is not None, m.messages)
end = time.monotonic() + 4
while time.monotonic() < end:
    for p in shadows():
        os.kill(p, signal.SIGKILL)
    time.sleep(0.01)
m.clear()
check('watchdog/hears-while-the-shadow-dies',
      m.wait('WATCHDOG=1', 1) is not None, m.messages)
m.stop()
product.write_file(cf, 'Socket = local:/run/mine/s\nPidFile = none\n'
                   'ControlSocket = none\n')
m = Manager(d.program, cf, notify='/run/notify', watchdog_us=400000,
            watchdog_pid=1)
m.wait('READY=1')
time.sleep(1)
check('watchdog/of-another-process', not any(
    'WATCHDOG=1' in x for x in m.messages), m.messages)
m.stop()

# --- a manager whose queue is full still learns of READY
m = Manager(d.program, cf, notify='/run/notify', deaf=True)
check('notify/full-queue-does-not-stop-us', wait(
    lambda: os.path.exists('/run/mine/s') and rejects('/run/mine/s'), 10))
m.hear()
check('notify/full-queue-ready-comes-later',
      m.wait('READY=1', 5) is not None, m.messages[-3:])
m.stop()

# --- a bad NOTIFY_SOCKET is said, and the daemon runs
m = Manager(d.program, cf, notify='vsock:2:1')
check('notify/unknown-address-runs', wait(
    lambda: os.path.exists('/run/mine/s') and rejects('/run/mine/s'), 10))
check('notify/unknown-address-is-said', wait(lambda: any(
    'NOTIFY_SOCKET vsock:2:1' in r for r in log)), log[-3:])
m.stop()

# --- listeners that are given, as root and not
for who in ('root', 'pyspf-milter'):
    name = 'listen/' + ('root' if who == 'root' else 'user')
    ours = listener('/run/mine/m.sock'), listener('/run/mine/p.sock')
    control = listener('/run/mine/c.sock', socket.SOCK_SEQPACKET)
    cf = conf('Socket = local:/run/mine/unused\nPidFile = none\n'
              'PolicySocket = none\n')
    m = Manager(d.program, cf, notify='/run/notify', user=who,
                fds=list(ours) + [control], names='milter:policy:control')
    check(name + '-ready', m.wait('READY=1') is not None, log[-3:])
    check(name + '-milter', rejects('/run/mine/m.sock'))
    with PolicyClient('/run/mine/p.sock', timeout=20) as c:
        r = d.ask(c, 'u@fail.test')
    check(name + '-policy', '550 5.7.23' in str(r), r)
    try:
        with Control('/run/mine/c.sock', timeout=5) as c:
            seen = c.ask('CTL_STATUS')[0]
    except OSError as e:
        seen = [(repr(e), {})]
    check(name + '-control', any(kind == 'DAEMON' and v['pid'] == m.pid
                                 for kind, v in seen), seen)
    check(name + '-configured-one-not-made',
          not os.path.exists('/run/mine/unused'))
    check(name + '-set-non-blocking', not ours[0].getblocking() or
          os.get_blocking(ours[0].fileno()) is False)
    env = open('/proc/%d/environ' % m.pid, 'rb').read() if who == 'root' \
        else b''
    open_in_children = [p for p in children_of(m.pid) if role(p) == 'dns'
                        and any('socket:[%d]' % os.stat(
                            s.fileno()).st_ino == os.readlink(
                            '/proc/%d/fd/%s' % (p, f))
                            for s in ours
                            for f in os.listdir('/proc/%d/fd' % p))]
    equal(name + '-not-for-dns', open_in_children, [])
    code = m.stop()
    equal(name + '-exit-0', code, 0)
    for path in ('m', 'p', 'c'):
        check('%s-%s-not-removed' % (name, path),
              os.path.exists('/run/mine/%s.sock' % path))
    for s in ours + (control,):
        path = s.getsockname()
        s.close()
        os.unlink(path)

# --- without names the order decides; TCP gets no delay
a, b = listener(('127.0.0.1', 8893)), listener('/run/mine/p.sock')
m = Manager(d.program, cf, notify='/run/notify', fds=[a, b])
m.wait('READY=1')
check('listen/order-milter', rejects(('127.0.0.1', 8893)))
with PolicyClient('/run/mine/p.sock', timeout=20) as c:
    r = d.ask(c, 'u@fail.test')
check('listen/order-policy', '550 5.7.23' in str(r), r)
check('listen/inet-nodelay', a.getsockopt(
    socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)
# a reload keeps them
os.kill(m.pid, signal.SIGHUP)
m.clear()
m.wait('READY=1')
check('listen/after-reload', rejects(('127.0.0.1', 8893)))
m.stop()
# for another process: not ours
m = Manager(d.program, conf('Socket = local:/run/mine/s\nPidFile = none\n'),
            notify='/run/notify', fds=[a, b], listen_pid=1)
m.wait('READY=1')
check('listen/of-another-process-is-not-ours', rejects('/run/mine/s'))
m.stop()

# --- what is not as it should be is refused, with a reason
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
    del log[:]
    m = Manager(d.program, cf, notify='/run/notify', fds=fds, names=names)
    code = m.exit_code(10)
    # the record may come after the end of who wrote it
    check('listen/refuses-' + name, wait(lambda: any(
        words in r for r in log), 3) and code == 69, (code, log))
    m.stop()
for s in (a, b, plain, dgram):
    s.close()
os.unlink('/run/mine/p.sock')

# --- a restart under load: no connect is refused, no message unanswered
where = ('127.0.0.1', 8893)
keep, keepu = listener(where), listener('/run/mine/m.sock')
counts = {'done': 0, 'refused': 0, 'broken': 0}
mutex = threading.Lock()
over = threading.Event()


def load(target):
    while not over.is_set():
        try:
            c = MilterClient(target, 30)
        except OSError:
            with mutex:
                counts['refused'] += 1
            continue
        try:
            with c:
                c.negotiate()
                c.macros('C', {'j': ns.HOSTNAME})
                c.connect('client.none.test', '192.0.2.1')
                c.helo('mail.none.test')
                good = c.mail('<u@fail.test>')[0].startswith('y 550')
        except Exception:
            good = False
        with mutex:
            counts['done' if good else 'broken'] += 1


names = 'milter'
cf = conf('PidFile = none\nControlSocket = none\n')
for target, sock in ((where, keep), ('/run/mine/m.sock', keepu)):
    kind = 'inet' if target == where else 'local'
    counts.update(done=0, refused=0, broken=0)
    over.clear()
    m = Manager(d.program, cf, notify='/run/notify', fds=[sock], names=names)
    m.wait('READY=1')
    threads = [threading.Thread(target=load, args=(target,))
               for _ in range(4)]
    for t in threads:
        t.start()
    restarts = 0
    for _ in range(10):
        time.sleep(0.3)
        code = m.stop()
        m = Manager(d.program, cf, notify='/run/notify', fds=[sock],
                    names=names)
        if code == 0 and m.wait('READY=1') is not None:
            restarts += 1
    time.sleep(0.3)
    over.set()
    for t in threads:
        t.join()
    print('%s: %d restarts, %s' % (kind, restarts, counts), flush=True)
    equal('restart/%s-10-times' % kind, restarts, 10)
    check('restart/%s-no-connect-refused' % kind, counts['refused'] == 0 and
          counts['done'] > 100, counts)
    check('restart/%s-no-message-lost' % kind, counts['broken'] == 0, counts)
    m.stop()

# --- the sanity of the counter: without held listeners connects are refused
counts.update(done=0, refused=0, broken=0)
keep.close()
over.clear()
t = threading.Thread(target=load, args=(where,))
t.start()
time.sleep(0.3)
over.set()
t.join()
check('restart/counter-can-count', counts['refused'] > 0, counts)
d.dns.stop()
finish()
