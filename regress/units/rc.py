#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The scripts for rc.subr and System V, by several shells, with the daemon."""

import os
import shutil
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import ns
ns.enter('rc')
import product
from daemon import (MILTER, PIDFILE, Daemon, becomes, check, equal, finish,
                    holds, skip, wait)
from milterclient import rejects, verdict

HERE = os.path.dirname(os.path.abspath(__file__))
CONF = '/etc/pyspf-milter/pyspf-milter.conf'
DEFAULTS = '/etc/default/pyspf-milter'
RUNDIR = os.path.dirname(PIDFILE)
NOBODY = {'user': 'nobody', 'group': 'nogroup', 'extra_groups': []}
SOME = tuple(range(1, 8))       # any exit status of a failure
d = Daemon(start=False)


def conf(text=''):
    os.makedirs(os.path.dirname(CONF), exist_ok=True)
    product.write_file(CONF, text)


def pids():
    """Daemons; their children and the dead do not count."""
    out = []
    for name in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/cmdline' % name, 'rb') as f:
                argv = f.read().split(b'\0')
        except OSError:
            continue
        if argv[0] == d.program.encode() and argv[1:2] != [b'-x']:
            out.append(int(name))
    return out


def pid_in_file():
    try:
        with open(PIDFILE, encoding='ascii') as f:
            return int(f.read() or 0)
    except OSError:
        return None


def judges(name):
    check(name, wait(lambda: rejects(MILTER)), verdict(MILTER))


class Script:
    def __init__(self, shell, path, **more):
        self.shell, self.path, self.more = shell, path, more

    def __call__(self, action, **more):
        """Exit status; what it printed is in said."""
        p = subprocess.run(
            [self.shell, self.path] + ([action] if action else []),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=60, cwd='/',
            env={'PATH': '/usr/sbin:/usr/bin:/sbin:/bin'}, **more)
        self.said = p.stdout.decode(errors='replace')
        return p.returncode


class Walk:
    """One script under one shell through all of a daemon's life. down, dead:
    what status says when there is no daemon; when it was killed."""

    def __init__(self, name, run, down, dead):
        self.name, self.run, self.down, self.dead = name + '/', run, down, dead
        d.log.take()
        conf()
        shutil.rmtree(RUNDIR, ignore_errors=True)
        self.life()
        self.stale_pid_file()
        self.stranger()
        self.refused()

    def ends(self, what, action, want):
        """The exit status of an action, or one of several."""
        code = self.run(action)
        check(self.name + what, code in want if isinstance(want, tuple) else
              code == want, (code, self.run.said, d.log.records[-3:]))

    def life(self):
        name, run = self.name, self.run
        self.ends('status-not-running', 'status', self.down)
        self.ends('stop-not-running', 'stop', 0)
        self.ends('start-without-run-directory', 'start', 0)
        judges(name + 'start-judges')
        equal(name + 'start-one-daemon', pids(), [pid_in_file()])
        pid = pid_in_file()
        if name.startswith('init'):
            check(name + 'start-leaves-the-session',
                  os.getsid(pid) != os.getsid(0))
        self.ends('status-running', 'status', 0)
        self.ends('start-twice', 'start', 0)
        equal(name + 'start-twice-same-daemon', pids(), [pid])
        self.ends('configtest-good', 'configtest', 0)
        conf('Mail_From_reject = False\n')
        self.ends('reload', 'reload', 0)
        becomes(name + 'reload-in-force', lambda: verdict(MILTER), 'c')
        conf('\nLookup_Time = soon\n')
        self.ends('configtest-bad', 'configtest', SOME + (78,))
        holds(name + 'configtest-bad-says-where', run.said, CONF + ':2')
        self.ends('reload-bad', 'reload', SOME)
        self.ends('restart-bad', 'restart', SOME)
        equal(name + 'bad-file-changes-nothing', (pids(), verdict(MILTER)),
              ([pid], 'c'))
        self.ends('status-with-bad-file', 'status', 0)
        conf()
        self.ends('restart', 'restart', 0)
        judges(name + 'restart-judges')
        check(name + 'restart-another-daemon', len(pids()) == 1 and
              pids() != [pid], (pid, pids()))
        self.ends('stop', 'stop', 0)
        equal(name + 'stop-nothing-left', (pids(), os.listdir(RUNDIR)),
              ([], []))
        self.ends('stop-twice', 'stop', 0)

    def kill(self):
        """kill -9: its PID file stays."""
        pid = pid_in_file()
        os.kill(pid, signal.SIGKILL)
        wait(lambda: pids() == [])
        return pid

    def stale_pid_file(self):
        self.run('start')
        wait(lambda: rejects(MILTER))
        old = self.kill()
        self.ends('status-stale-pid-file', 'status', self.dead)
        equal(self.name + 'stale-pid-file-is-there', pid_in_file(), old)
        self.ends('start-stale-pid-file', 'start', 0)
        judges(self.name + 'start-stale-pid-file-judges')
        self.kill()

    def stranger(self):
        """The number in the PID file was given to another program."""
        name = self.name
        stranger = subprocess.Popen(['sleep', '600'])
        product.write_file(PIDFILE, '%d\n' % stranger.pid)
        self.ends('status-strangers-pid', 'status', self.dead)
        self.ends('stop-strangers-pid', 'stop', 0)
        equal(name + 'stop-leaves-strangers', stranger.poll(), None)
        product.write_file(PIDFILE, '%d' % stranger.pid)
        self.ends('start-strangers-pid', 'start', 0)
        equal(name + 'start-leaves-strangers', stranger.poll(), None)
        judges(name + 'start-strangers-pid-judges')
        self.run('stop')
        stranger.kill()
        stranger.wait()
        product.write_file(PIDFILE, 'no number\n')
        self.ends('start-garbage-in-pid-file', 'start', 0)
        self.ends('stop-after-garbage', 'stop', 0)

    def refused(self):
        conf('Lookup_Time = soon\n')
        self.ends('start-bad-file', 'start', SOME)
        conf()
        if os.path.exists(MILTER):
            os.unlink(MILTER)
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(MILTER)
            other.listen()
            self.ends('start-socket-in-use', 'start', SOME)
            check(self.name + 'failed-starts-leave-nothing', pids() == [] and
                  not os.path.exists(PIDFILE), (pids(), os.listdir(RUNDIR)))
        os.unlink(MILTER)
        self.ends('unknown-action', 'frobnicate', SOME)
        holds(self.name + 'unknown-action-usage', self.run.said, 'usage')


def defaults(more=''):
    product.write_file(DEFAULTS, 'DAEMON=%s\n%s' % (d.program, more))


def system_v(shell, init):
    run, name = Script(shell, init), 'init-' + shell
    defaults()
    Walk(name, run, 3, 1)
    for action, code in (('reload', 7), ('try-restart', 0),
                         ('force-reload', 7), ('', 2)):
        check('%s/%s-not-running' % (name, action or 'no-action'),
              run(action) == code, run.said)
    run('start')
    before = pids()
    check(name + '/try-restart', run('try-restart') == 0 and
          len(pids()) == 1 and pids() != before, (before, pids(), run.said))
    check(name + '/not-root', run('stop', **NOBODY) == 4, run.said)
    check(name + '/status-needs-no-root', run('status', **NOBODY) == 0,
          run.said)
    # PidFile elsewhere: the configuration's is the one that counts
    run('stop')
    conf('PidFile = /run/elsewhere/pid\n')
    check(name + '/pid-file-elsewhere', run('start') == 0 and
          run('status') == 0 and os.path.exists('/run/elsewhere/pid') and
          run('stop') == 0 and pids() == [], (run.said, pids()))
    conf('PidFile = none\n')
    check(name + '/no-pid-file-is-refused', run('start') == 6 and
          'PidFile' in run.said, run.said)
    conf()
    # a daemon that hangs is ended after its time
    defaults('STOP_SECONDS=2\n')
    run('start')
    os.kill(pid_in_file(), signal.SIGSTOP)
    check(name + '/hanging-daemon-is-ended', run('stop') == 0 and wait(
        lambda: pids() == [], 3), (run.said, pids()))
    check(name + '/start-after-hanging', run('start') == 0 and wait(
        lambda: rejects(MILTER)), run.said)
    run('stop')


def init_script(init):
    """Whatever the shell."""
    product.write_file(DEFAULTS, 'DAEMON=/nowhere/daemon\n')
    run = Script('sh', init)
    check('init/removed-but-not-purged', run('start') == 0 and
          run('stop') == 0 and run('status') == 4, run.said)
    with open(init, encoding='ascii') as f:
        text = f.read()
    check('init/no-start-stop-daemon', 'start-stop-daemon' not in text)
    lsb = text.split('### BEGIN INIT INFO')[1].split('### END INIT INFO')[0]
    check('init/lsb-header', all('# %s:' % k in lsb for k in (
        'Provides', 'Required-Start', 'Required-Stop', 'Default-Start',
        'Default-Stop', 'Short-Description')), lsb)


def rc_script():
    """With our stand-in for rc.subr."""
    path = '/etc/rc.d/pyspf_milter'
    os.makedirs('/etc/rc.d', exist_ok=True)
    shutil.copy(os.path.join(HERE, 'rc.subr'), '/etc/rc.d/rc.subr')
    with open(os.path.join(product.TOP, 'conf/rc/pyspf-milter.rc'),
              encoding='ascii') as f:
        product.write_file(path, f.read().replace(
            '/usr/bin/pyspf-milter', d.program), 0o755)
    return path


with d:
    shells = []
    for s in ('sh', 'dash', 'mksh'):
        if shutil.which(s):
            shells.append(s)
        else:
            skip('rc/' + s, 'not installed')
    init = os.path.join(product.TOP, 'conf/rc/pyspf-milter.init')
    os.makedirs(os.path.dirname(DEFAULTS), exist_ok=True)
    for shell in shells:
        system_v(shell, init)
    init_script(init)
    rc = rc_script()
    for shell in shells:
        Walk('rc-' + shell, Script(shell, rc), SOME, SOME)
finish()
