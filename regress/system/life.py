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
from daemon import (MILTER, PIDFILE, POLICY, Daemon, becomes, begins, below,
                    check, equal, finish, status, wait)
import product

PROGRAM = product.wanted('life', 'pyspf-milter')


def run(*args, seconds=20):
    p = subprocess.run([PROGRAM, *args], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=seconds, cwd='/')
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def conf(text, name='c.conf'):
    os.makedirs('/run/conf', exist_ok=True)
    return product.write_file('/run/conf/' + name, text)


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def serves(d):
    with d.milter() as c:
        return c.mail('<u@pass.test>') == ['c']


def usage():
    for opt in ('-h', '--help', '-?'):
        code, out, err = run(opt)
        check('life/usage%s' % opt, code == 1 and out.startswith(
            'usage: pyspf-milter'), (code, out, err))
    code, _, err = run('-n', conf('debugLevel = 1\n'))
    check('life/n-good', code == 0, (code, err))
    code, _, err = run('-n', conf('debugLevel = x\n'))
    check('life/n-bad-value', code == 78 and 'c.conf:1' in err and
          'debugLevel' in err, (code, err))
    code, _, err = run('-n', conf('\n\nHELO_rejct = Fail\n'))
    check('life/n-nearest-key', code == 0 and 'c.conf:3' in err and
          'HELO_reject' in err, (code, err))
    code, _, err = run('-n', '/run/conf/none.conf')
    check('life/n-missing-file', code == 78, (code, err))
    code, out, err = run('-nv', conf('Lookup_Time = 7\n'))
    check('life/nv-prints', code == 0 and 'Lookup_Time = 7' in out, out)
    again = conf(out, 'again.conf')
    equal('life/nv-is-a-fixed-point', run('-nv', again)[:2], (0, out))


def files(d):
    with open(PIDFILE, encoding='ascii') as f:
        equal('life/pid-file-names-parent', f.read().strip(), str(d.pid))
    st = os.stat(os.path.dirname(PIDFILE))
    equal('life/pid-directory-is-roots', st.st_uid, 0)
    equal('life/pid-directory-not-for-all', st.st_mode & 0o002, 0)
    check('life/pid-directory-sticky', st.st_mode & stat.S_ISVTX or
          not st.st_mode & 0o020, oct(st.st_mode))
    for path in (MILTER, POLICY):
        equal('life/socket-mode-' + os.path.basename(path), mode(path), 0o770)
    check('life/start-line', d.said('pyspf-milter started:%d '
                                    'user:pyspf-milter' % d.pid),
          d.log.records)


def second(d):
    """Another one takes over neither its PID file nor its socket."""
    equal('life/second-start-refused', run(d.conf)[0], 69)
    check('life/second-start-says-why', d.log.wait('running already', 3),
          d.log.records)
    equal('life/first-lives-on', d.p.p.poll(), None)
    check('life/first-serves-on', serves(d))
    code, _, _ = run(conf('PidFile = /run/pyspf-milter/other.pid\n'))
    equal('life/live-socket-not-taken', code, 69)
    equal('life/failed-start-leaves-no-pid-file',
          os.path.exists('/run/pyspf-milter/other.pid'), False)


def stop(d):
    """A message in progress is finished."""
    with d.milter() as c:
        c.mail('<u@pass.test>')
        start = time.monotonic()
        d.send(signal.SIGTERM)
        wait(lambda: not os.path.exists(MILTER), 3)
        equal('life/term-finishes-messages', c.eom()[-1], 'c')
    equal('life/term-exit-0', d.p.p.wait(15), 0)
    below('life/term-in-time', time.monotonic() - start, 12)
    for path in (MILTER, POLICY, PIDFILE):
        equal('life/term-removes-' + os.path.basename(path),
              os.path.exists(path), False)


def stale():
    """Files of a daemon that ended as it should not."""
    os.makedirs('/run/pyspf-milter', exist_ok=True)
    product.write_file(PIDFILE, '1')        # alive, but no daemon of ours
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(MILTER)
    with Daemon() as d:
        equal('life/stale-files-taken-over', d.p.p.poll(), None)
        check('life/stale-files-serves', serves(d))
        d.send(signal.SIGKILL)
        kids = d.children()
        check('life/children-end-with-parent', wait(lambda: all(
            status(k).get('State', 'Z')[0] == 'Z' for k in kids), 5))
    # A reader's lock on the file keeps nobody from starting.
    reader = subprocess.Popen(
        ['/usr/bin/python3', '-c', 'import fcntl, os, sys, time\n'
         'os.setuid(65534)\nf = open(sys.argv[1])\n'
         'fcntl.flock(f, fcntl.LOCK_EX)\nprint("held", flush=True)\n'
         'time.sleep(60)', PIDFILE], stdout=subprocess.PIPE)
    equal('life/pid-file-lock-held', reader.stdout.readline(), b'held\n')
    with Daemon() as d:
        equal('life/starts-after-kill-9', d.p.p.poll(), None)
    reader.kill()
    reader.wait()


def refused():
    path = product.write_file('/run/conf/inway', 'mine')
    code, _, _ = run(conf('Socket = local:%s\nPidFile = none\n' % path))
    with open(path, encoding='ascii') as f:
        equal('life/file-in-the-way', (code, f.read()), (69, 'mine'))
    code, _, _ = run(conf('UserID = nobody-of-that-name\n'))
    equal('life/unknown-user', code, 67)
    code, _, _ = run(conf('UserID = root\n'))
    equal('life/root-is-no-user', code, 67)


def inet():
    """And no PID file."""
    with Daemon(conf='Socket = inet:8899@127.0.0.1\nPidFile = none\n'
                'UMask = 0117\n', where=('127.0.0.1', 8899)) as d:
        with d.milter() as c:
            begins('life/inet-serves', c.mail('<u@fail.test>')[0],
                   'y 550 5.7.23')
        equal('life/no-pid-file', os.path.exists(PIDFILE), False)
        equal('life/umask-is-octal', mode(POLICY), 0o660)


def not_root():
    with Daemon(start=False) as d:
        product.folder('/run/mine', 'pyspf-milter')
        own = conf('Socket = local:/run/mine/s\nPidFile = /run/mine/p\n')
        p = subprocess.Popen([PROGRAM, own], user='pyspf-milter',
                             group='pyspf-milter', extra_groups=[], cwd='/')
        check('life/not-root-starts', wait(lambda: os.path.exists(
            '/run/mine/s'), 5), d.log.records)
        d.where = '/run/mine/s'
        wait(lambda: status(p.pid).get('Seccomp') == '2')
        check('life/not-root-serves', serves(d))
        equal('life/not-root-is-confined', status(p.pid)['Seccomp'], '2')
        p.terminate()
        equal('life/not-root-exit-0', p.wait(15), 0)
        equal('life/not-root-removes', os.listdir('/run/mine'), [])


def reload():
    with Daemon(conf='Mail_From_reject = Fail\n') as d:
        def judged():
            with d.milter() as c:
                return c.mail('<u@fail.test>')
        old = set(d.children())
        product.write_file(d.conf, 'Mail_From_reject = False\n'
                           'PolicySocket = local:%s\n' % POLICY)
        held = d.milter()
        held.mail('<u@pass.test>')
        for sig in (signal.SIGHUP, signal.SIGUSR1):
            d.send(sig)
            check('life/reload-new-children-%d' % sig, wait(
                lambda: len(set(d.children()) - old) >= 3), d.log.records)
            d.log.wait('reloaded')
            old = set(d.children())
        becomes('life/reload-is-in-force', judged, ['c'], 5)
        equal('life/reload-finishes-old', held.eom()[-1], 'c')
        held.close()
        becomes('life/reload-old-ones-end', lambda: len(d.children()), 3, 5)
        product.write_file(d.conf, 'Lookup_Time = soon\n')
        d.send(signal.SIGHUP)
        check('life/bad-reload-says-why', d.log.wait(
            r'pyspf-milter\.conf:1', 10), d.log.records[-3:])
        becomes('life/bad-reload-changes-nothing', judged, ['c'], 3)
        equal('life/bad-reload-lives', d.p.p.poll(), None)


usage()
with Daemon() as d:
    files(d)
    second(d)
    stop(d)
stale()
refused()
inet()
not_root()
reload()
finish()
