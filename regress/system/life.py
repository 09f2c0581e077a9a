#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Start, stop, PID file, sockets, bad configurations, exit codes, reload."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('life')
from daemon import (MILTER, PIDFILE, POLICY, Daemon, check, finish, status,
                    wait)
import product

PROGRAM = product.wanted('life', 'pyspf-milter')


def run(*args, seconds=20):
    p = subprocess.run([PROGRAM, *args], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=seconds, cwd='/')
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def conf(text, name='c.conf'):
    os.makedirs('/run/conf', exist_ok=True)
    return product.write_file('/run/conf/' + name, text)


# --- usage and -n
for opt in ('-h', '--help', '-?'):
    code, out, err = run(opt)
    check('life/usage%s' % opt, code == 1 and out.startswith(
        'usage: pyspf-milter'), (code, out, err))
code, out, err = run('-n', conf('debugLevel = 1\n'))
check('life/n-good', code == 0, (code, err))
code, out, err = run('-n', conf('debugLevel = x\n'))
check('life/n-bad-value', code == 78 and 'c.conf:1' in err and
      'debugLevel' in err, (code, err))
code, out, err = run('-n', conf('\n\nHELO_rejct = Fail\n'))
check('life/n-nearest-key', code == 0 and 'c.conf:3' in err and
      'HELO_reject' in err, (code, err))
code, out, err = run('-n', '/run/conf/none.conf')
check('life/n-missing-file', code == 78, (code, err))
code, out, err = run('-nv', conf('Lookup_Time = 7\n'))
check('life/nv-prints', code == 0 and 'Lookup_Time = 7' in out, out)
again = conf(out, 'again.conf')
code, out2, err = run('-nv', again)
check('life/nv-is-a-fixed-point', code == 0 and out2 == out, err)

# --- start and stop
with Daemon() as d:
    st = os.stat(PIDFILE)
    with open(PIDFILE, encoding='ascii') as f:
        text = f.read()
    check('life/pid-file-names-parent', text.strip() == str(d.pid), text)
    dirst = os.stat(os.path.dirname(PIDFILE))
    check('life/pid-directory-is-roots', dirst.st_uid == 0, dirst)
    check('life/pid-directory-not-for-all', not dirst.st_mode & 0o002)
    check('life/pid-directory-sticky', dirst.st_mode & stat.S_ISVTX or
          not dirst.st_mode & 0o020, oct(dirst.st_mode))
    for path in (MILTER, POLICY):
        m = os.stat(path)
        check('life/socket-mode-' + os.path.basename(path),
              stat.S_IMODE(m.st_mode) == 0o770, oct(m.st_mode))
    check('life/start-line', any(
        'pyspf-milter started:%d user:pyspf-milter' % d.pid in r
        for r in d.log.records), d.log.records)
    # a second one does not take over
    code, out, err = run(d.conf)
    check('life/second-start-refused', code == 69, code)
    check('life/second-start-says-why', wait(lambda: any(
        'running already' in r for r in d.log.records), 3))
    check('life/first-lives-on', d.p.p.poll() is None)
    with d.milter() as c:
        check('life/first-serves-on', c.mail('<u@pass.test>') == ['c'])
    # nor one with another PID file on the same socket
    code, out, err = run(conf('PidFile = /run/pyspf-milter/other.pid\n'))
    check('life/live-socket-not-taken', code == 69, code)
    check('life/failed-start-leaves-no-pid-file',
          not os.path.exists('/run/pyspf-milter/other.pid'))
    # a message in progress is finished
    c = d.milter()
    c.mail('<u@pass.test>')
    start = time.monotonic()
    d.p.p.send_signal(signal.SIGTERM)
    wait(lambda: not os.path.exists(MILTER), 3)
    r = c.eom()
    check('life/term-finishes-messages', r[-1] == 'c', r)
    c.close()
    code = d.p.p.wait(15)
    check('life/term-exit-0', code == 0, code)
    check('life/term-in-time', time.monotonic() - start < 12)
    for path in (MILTER, POLICY, PIDFILE):
        check('life/term-removes-' + os.path.basename(path),
              not os.path.exists(path))

# --- stale files
os.makedirs('/run/pyspf-milter', exist_ok=True)
with open(PIDFILE, 'w', encoding='ascii') as f:
    f.write('1')           # alive, but no daemon of ours
s = socket.socket(socket.AF_UNIX)
s.bind(MILTER)
s.close()
with Daemon() as d:
    check('life/stale-files-taken-over', d.p.p.poll() is None)
    with d.milter() as c:
        check('life/stale-files-serves', c.mail('<u@pass.test>') == ['c'])
    os.kill(d.pid, signal.SIGKILL)
    kids = d.children()
    check('life/children-end-with-parent', wait(lambda: all(
        status(k).get('State', 'Z')[0] == 'Z' for k in kids), 5))
# A reader's lock on the file that was left behind keeps nobody from starting.
reader = subprocess.Popen(
    ['/usr/bin/python3', '-c', 'import fcntl, os, sys, time\n'
     'os.setuid(65534)\nf = open(sys.argv[1])\n'
     'fcntl.flock(f, fcntl.LOCK_EX)\nprint("held", flush=True)\n'
     'time.sleep(60)', PIDFILE], stdout=subprocess.PIPE)
check('life/pid-file-lock-held', reader.stdout.readline() == b'held\n')
with Daemon() as d:
    check('life/starts-after-kill-9', d.p.p.poll() is None)
reader.kill()
reader.wait()

# --- a file in the way is kept
product.write_file('/run/conf/inway', 'mine')
code, out, err = run(conf('Socket = local:/run/conf/inway\n'
                          'PidFile = none\n'))
check('life/file-in-the-way', code == 69 and
      open('/run/conf/inway', encoding='ascii').read() == 'mine', code)
code, out, err = run(conf('UserID = nobody-of-that-name\n'))
check('life/unknown-user', code == 67, code)
code, out, err = run(conf('UserID = root\n'))
check('life/root-is-no-user', code == 67, code)

# --- inet, and no PID file
with Daemon(conf='Socket = inet:8899@127.0.0.1\nPidFile = none\n'
            'UMask = 0117\n', where=('127.0.0.1', 8899)) as d:
    with d.milter() as c:
        check('life/inet-serves', c.mail('<u@fail.test>')[0].startswith(
            'y 550 5.7.23'))
    check('life/no-pid-file', not os.path.exists(PIDFILE))
    check('life/umask-is-octal', stat.S_IMODE(os.stat(POLICY).st_mode) ==
          0o660, oct(os.stat(POLICY).st_mode))

# --- not root
with Daemon(start=False) as d:
    product.folder('/run/mine', 'pyspf-milter')
    own = conf('Socket = local:/run/mine/s\nPidFile = /run/mine/p\n')
    p = subprocess.Popen([PROGRAM, own], user='pyspf-milter',
                         group='pyspf-milter', extra_groups=[], cwd='/')
    check('life/not-root-starts', wait(lambda: os.path.exists(
        '/run/mine/s'), 5), d.log.records)
    d.where = '/run/mine/s'
    wait(lambda: status(p.pid).get('Seccomp') == '2')
    with d.milter() as c:
        check('life/not-root-serves', c.mail('<u@pass.test>') == ['c'])
    check('life/not-root-is-confined', status(p.pid)['Seccomp'] == '2')
    p.terminate()
    check('life/not-root-exit-0', p.wait(15) == 0)
    check('life/not-root-removes', os.listdir('/run/mine') == [])

# --- reload
with Daemon(conf='Mail_From_reject = Fail\n') as d:
    old = set(d.children())
    product.write_file(d.conf, 'Mail_From_reject = False\n'
                       'PolicySocket = local:%s\n' % POLICY)
    held = d.milter()
    held.mail('<u@pass.test>')
    for sig in (signal.SIGHUP, signal.SIGUSR1):
        d.p.p.send_signal(sig)
        check('life/reload-new-children-%d' % sig, wait(
            lambda: len(set(d.children()) - old) >= 3), d.log.records)
        wait(lambda: any('reloaded' in r for r in d.log.records))
        old = set(d.children())

    def lenient():
        with d.milter() as c:
            return c.mail('<u@fail.test>') == ['c']
    check('life/reload-is-in-force', wait(lenient, 5))
    r = held.eom()
    check('life/reload-finishes-old', r[-1] == 'c', r)
    held.close()
    check('life/reload-old-ones-end', wait(
        lambda: len(d.children()) == 3, 5), len(d.children()))
    product.write_file(d.conf, 'Lookup_Time = soon\n')
    d.p.p.send_signal(signal.SIGHUP)
    check('life/bad-reload-says-why', wait(lambda: any(
        'pyspf-milter.conf:1' in r for r in d.log.records)),
        d.log.records[-3:])
    check('life/bad-reload-changes-nothing', wait(lenient, 3))
    check('life/bad-reload-lives', d.p.p.poll() is None)
finish()
