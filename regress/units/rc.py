#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The scripts for rc.subr and System V, by several shells, with the daemon."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import ns
ns.enter('rc')
import product
from daemon import (MILTER, PIDFILE, Daemon, check, finish, role, status,
                    wait)
from milterclient import MilterClient

HERE = os.path.dirname(os.path.abspath(__file__))
CONF = '/etc/pyspf-milter/pyspf-milter.conf'
RUNDIR = os.path.dirname(PIDFILE)
d = Daemon(start=False)


def conf(text=''):
    os.makedirs(os.path.dirname(CONF), exist_ok=True)
    product.write_file(CONF, text)


def pids():
    """Daemons; their children and the dead do not count."""
    out = []
    for name in os.listdir('/proc'):
        if not name.isdigit():
            continue
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


def judges():
    try:
        with MilterClient(MILTER, 20) as c:
            c.negotiate()
            c.macros('C', {'j': ns.HOSTNAME, '{daemon_name}': 'smtpd'})
            c.connect('client.none.test', '192.0.2.1')
            c.helo('mail.none.test')
            return c.mail('<u@fail.test>')[0]
    except Exception as e:
        return repr(e)


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


def walk(name, run, down, dead):
    """down, dead: what status says when there is no daemon; when it was
    killed."""
    def is_(what, code, want):
        good = code in want if isinstance(want, tuple) else code == want
        check('%s/%s' % (name, what), good, (code, run.said,
                                             d.log.records[-3:]))

    some = tuple(range(1, 8))
    del d.log.records[:]
    conf()
    shutil.rmtree(RUNDIR, ignore_errors=True)
    is_('status-not-running', run('status'), down)
    is_('stop-not-running', run('stop'), 0)
    is_('start-without-run-directory', run('start'), 0)
    up = wait(lambda: judges().startswith('y 550'), 10)
    check(name + '/start-judges', up, judges())
    check(name + '/start-one-daemon', pids() == [pid_in_file()],
          (pids(), pid_in_file()))
    pid = pid_in_file()
    if name.startswith('init'):
        check(name + '/start-leaves-the-session',
              os.getsid(pid) != os.getsid(0))
    is_('status-running', run('status'), 0)
    is_('start-twice', run('start'), 0)
    equal(name + '/start-twice-same-daemon', pids(), [pid])
    is_('configtest-good', run('configtest'), 0)
    conf('Mail_From_reject = False\n')
    is_('reload', run('reload'), 0)
    check(name + '/reload-in-force', wait(lambda: judges() == 'c', 10),
          judges())
    conf('\nLookup_Time = soon\n')
    is_('configtest-bad', run('configtest'), some + (78,))
    holds(name + '/configtest-bad-says-where', run.said, CONF + ':2')
    is_('reload-bad', run('reload'), some)
    is_('restart-bad', run('restart'), some)
    check(name + '/bad-file-changes-nothing', pids() == [pid] and
          judges() == 'c', (pids(), judges()))
    is_('status-with-bad-file', run('status'), 0)
    conf()
    is_('restart', run('restart'), 0)
    check(name + '/restart-judges', wait(
        lambda: judges().startswith('y 550'), 10), judges())
    check(name + '/restart-another-daemon', len(pids()) == 1 and
          pids() != [pid], (pid, pids()))
    is_('stop', run('stop'), 0)
    check(name + '/stop-nothing-left', pids() == [] and
          os.listdir(RUNDIR) == [], (pids(), os.listdir(RUNDIR)))
    is_('stop-twice', run('stop'), 0)

    # killed: its PID file stays
    run('start')
    wait(lambda: judges().startswith('y 550'), 10)
    old = pid_in_file()
    os.kill(old, signal.SIGKILL)
    wait(lambda: pids() == [])
    is_('status-stale-pid-file', run('status'), dead)
    equal(name + '/stale-pid-file-is-there', pid_in_file(), old)
    is_('start-stale-pid-file', run('start'), 0)
    check(name + '/start-stale-pid-file-judges', wait(
        lambda: judges().startswith('y 550'), 10), judges())
    pid = pid_in_file()
    os.kill(pid, signal.SIGKILL)
    wait(lambda: pids() == [])
    # its number was given to somebody else
    stranger = subprocess.Popen(['sleep', '600'])
    product.write_file(PIDFILE, '%d\n' % stranger.pid)
    is_('status-strangers-pid', run('status'), dead)
    is_('stop-strangers-pid', run('stop'), 0)
    check(name + '/stop-leaves-strangers', stranger.poll() is None)
    product.write_file(PIDFILE, '%d' % stranger.pid)
    is_('start-strangers-pid', run('start'), 0)
    check(name + '/start-leaves-strangers', stranger.poll() is None)
    check(name + '/start-strangers-pid-judges', wait(
        lambda: judges().startswith('y 550'), 10), judges())
    run('stop')
    stranger.kill()
    stranger.wait()
    product.write_file(PIDFILE, 'no number\n')
    is_('start-garbage-in-pid-file', run('start'), 0)
    is_('stop-after-garbage', run('stop'), 0)

    conf('Lookup_Time = soon\n')
    is_('start-bad-file', run('start'), some)
    conf()
    other = socket.socket(socket.AF_UNIX)
    if os.path.exists(MILTER):
        os.unlink(MILTER)
    other.bind(MILTER)
    other.listen()
    is_('start-socket-in-use', run('start'), some)
    check(name + '/failed-starts-leave-nothing', pids() == [] and
          not os.path.exists(PIDFILE), (pids(), os.listdir(RUNDIR)))
    other.close()
    os.unlink(MILTER)
    is_('unknown-action', run('frobnicate'), some)
    holds(name + '/unknown-action-usage', run.said, 'usage')


shells = [s for s in ('sh', 'dash', 'mksh') if shutil.which(s)]
for s in ('sh', 'dash', 'mksh'):
    if s not in shells:
        print('skip rc/%s - not installed' % s)

# --- System V
init = os.path.join(product.TOP, 'conf/rc/pyspf-milter.init')
os.makedirs('/etc/default', exist_ok=True)
product.write_file('/etc/default/pyspf-milter', 'DAEMON=%s\n' % d.program)
for shell in shells:
    run = Script(shell, init)
    name = 'init-' + shell
    walk(name, run, 3, 1)
    for action, code in (('reload', 7), ('try-restart', 0),
                         ('force-reload', 7), ('', 2)):
        check('%s/%s-not-running' % (name, action or 'no-action'),
              run(action) == code, run.said)
    run('start')
    before = pids()
    check(name + '/try-restart', run('try-restart') == 0 and
          len(pids()) == 1 and pids() != before, (before, pids(), run.said))
    check(name + '/not-root', run('stop', user='nobody', group='nogroup',
                                  extra_groups=[]) == 4, run.said)
    check(name + '/status-needs-no-root', run(
        'status', user='nobody', group='nogroup', extra_groups=[]) == 0,
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
    product.write_file('/etc/default/pyspf-milter',
                       'DAEMON=%s\nSTOP_SECONDS=2\n' % d.program)
    run('start')
    os.kill(pid_in_file(), signal.SIGSTOP)
    check(name + '/hanging-daemon-is-ended', run('stop') == 0 and wait(
        lambda: pids() == [], 3), (run.said, pids()))
    check(name + '/start-after-hanging', run('start') == 0 and wait(
        lambda: judges().startswith('y 550'), 10), run.said)
    run('stop')
    product.write_file('/etc/default/pyspf-milter',
                       'DAEMON=%s\n' % d.program)
product.write_file('/etc/default/pyspf-milter', 'DAEMON=/nowhere/daemon\n')
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

# --- rc.d, with our stand-in for rc.subr
os.makedirs('/etc/rc.d', exist_ok=True)
shutil.copy(os.path.join(HERE, 'rc.subr'), '/etc/rc.d/rc.subr')
with open(os.path.join(product.TOP, 'conf/rc/pyspf-milter.rc'),
          encoding='ascii') as f:
    product.write_file('/etc/rc.d/pyspf_milter', f.read().replace(
        '/usr/bin/pyspf-milter', d.program), 0o755)
for shell in shells:
    walk('rc-' + shell, Script(shell, '/etc/rc.d/pyspf_milter'),
         tuple(range(1, 8)), tuple(range(1, 8)))
d.dns.stop()
finish()
