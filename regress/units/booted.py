#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The units under systemd itself, as process 1 of a machine in small: own
process, mount, network and cgroup namespaces. Skipped where a machine has no
cgroup2 hierarchy, or no namespaces, to give."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import dnsd
import ns
import product
import syslogd
from daemon import (MILTER, POLICY, ZONE, above, begins, check,
                    empty, equal, failed, holds, skip,
                    status, wait)
from load import Load, rejected
from milterclient import rejects, session, verdict
from policyclient import PolicyClient

SYSTEMD = '/lib/systemd/systemd'
UNITS = '/run/u'
CONF = '/etc/pyspf-milter/pyspf-milter.conf'
SERVICE = 'pyspf-milter'
MS_BIND, MS_REMOUNT, MS_RDONLY = 0x1000, 32, 1
PATH = '/usr/sbin:/usr/bin:/sbin:/bin'
TARGETS = ('sysinit', 'basic', 'sockets', 'timers', 'multi-user', 'shutdown',
           'network-online', 'nss-lookup', 'default')


def cgroup2():
    with open('/proc/mounts', encoding='ascii') as f:
        for line in f:
            part = line.split()
            if part[2] == 'cgroup2' and 'rw' in part[3].split(','):
                return part[1]
    return None


def remove_cgroup(path):
    def gone():
        for folder, _, _ in os.walk(path, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                pass
        return not os.path.exists(path)
    wait(gone, 2, 0.1)


def outside():
    if not os.path.exists(SYSTEMD):
        return skip('booted', 'systemd is not installed')
    why = ns.reason()
    if why is not None:
        return skip('booted', why)
    if subprocess.run(['unshare', '-U', 'true'],
                      stderr=subprocess.DEVNULL).returncode != 0:
        return skip('booted',
                    'no user namespace for PrivateUsers (in a chroot)')
    top = cgroup2()
    if top is None:
        return skip('booted', 'no cgroup2 hierarchy that may be written to')
    group = os.path.join(top, 'spf-booted-%d' % os.getpid())
    try:
        os.mkdir(group)
    except OSError as e:
        return skip('booted', 'no cgroup of its own: %s' % e)
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(r)
        os.set_inheritable(w, True)
        with open(group + '/cgroup.procs', 'w', encoding='ascii') as f:
            f.write(str(os.getpid()))
        os.execvp('unshare', ['unshare', '-mnupiC', '--fork', '--kill-child',
                              '--mount-proc', '--propagation', 'private',
                              sys.executable, os.path.abspath(__file__),
                              '--inside', str(w)])
    os.close(w)
    signal.signal(signal.SIGTERM, lambda *a: (os.kill(pid, signal.SIGKILL),
                                              remove_cgroup(group),
                                              os._exit(1)))
    # the driver's one word; nothing, when all of them ended
    result = os.read(r, 16)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    remove_cgroup(group)
    if result not in (b'0', b'1', b'skip'):
        check('booted', False, 'ended early: %r' % result)
    sys.exit(1 if result == b'1' else failed())


def inside(w):
    # Settings of the kernel that no namespace holds are not for systemd.
    ns.set_up(False)
    ns.mount('/proc/sys', '/proc/sys', None, MS_BIND)
    ns.mount('/proc/sys', '/proc/sys', None, MS_BIND | MS_REMOUNT | MS_RDONLY)
    subprocess.run(['umount', '-R', '/sys/fs/cgroup'], check=False,
                   stderr=subprocess.DEVNULL)
    ns.mount('none', '/sys/fs/cgroup', 'cgroup2')
    os.mkdir(UNITS)
    for name in TARGETS:
        with open('%s/%s.target' % (UNITS, name), 'w', encoding='ascii') as f:
            f.write('[Unit]\nDefaultDependencies=no\n')
    os.environ[ns.MARK] = '1'
    if os.fork() == 0:
        code = b'1'
        try:
            code = drive() or b'%d' % failed()
        except BaseException:
            check('booted', False, traceback.format_exc())
        finally:
            os.write(w, code)
            os._exit(0)
    os.close(w)
    null = os.open('/dev/null', os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.execve(SYSTEMD, ['systemd', '--system', '--log-target=null'],
              {'container': 'test', 'SYSTEMD_UNIT_PATH': UNITS, 'PATH': PATH})


def ctl(*argv, seconds=90):
    p = subprocess.run(['systemctl', '--no-pager', *argv],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=seconds, env={'PATH': PATH})
    return p.returncode, p.stdout.decode(errors='replace').strip()


def show(key, unit='pyspf-milter.service'):
    return ctl('show', '-P', key, unit)[1]


def state():
    return show('ActiveState'), show('SubState'), show('Result'), \
        show('NRestarts'), show('StatusText')


def main():
    return int(show('MainPID'))


def configure(text=''):
    product.write_file(CONF, text)


def install():
    """As make install does it, but for the programs' place."""
    program = product.wanted('booted', 'pyspf-milter')
    os.makedirs('/run/usr/bin')
    shutil.copy2(program, '/run/usr/bin/pyspf-milter')
    p = subprocess.run(['make', '-C', product.TOP, 'install-service',
                        'B=' + os.environ.get('B', 'build'),
                        'PREFIX=/run/usr', 'SYSTEMDDIR=' + UNITS],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    check('booted/install', p.returncode == 0, p.stdout[-300:])
    os.makedirs(os.path.dirname(CONF), exist_ok=True)


def start(log):
    """The service alone."""
    configure()
    ctl('daemon-reload')
    code, out = ctl('start', SERVICE)
    if not check('booted/start', code == 0, (out, state(), log.records[-5:])):
        print(ctl('status', SERVICE)[1])
        return False
    check('booted/start-means-serving', rejects(MILTER))
    begins('booted/status-text', show('StatusText'), 'generation 1 serves')
    st = status(main())
    check('booted/no-capabilities', int(st['CapBnd'], 16) == 0 and
          int(st['CapEff'], 16) == 0, st)
    check('booted/not-root', '0' not in st['Uid'].split(), st['Uid'])
    check('booted/no-other-group', set(st['Groups'].split()) <=
          {st['Gid'].split()[0]}, (st['Groups'], st['Gid']))
    equal('booted/nothing-missing', [r for r in log.records
                                     if 'missing' in r], [])
    return True


def reload_and_stop():
    pid = main()
    configure('Mail_From_reject = False\n')
    code, out = ctl('reload', SERVICE)
    check('booted/reload', code == 0 and wait(
        lambda: verdict(MILTER) == 'c'), (out, state()))
    equal('booted/reload-same-process', main(), pid)
    check('booted/reload-status-text', wait(lambda: show(
        'StatusText').startswith('generation 2 serves'), 5),
        show('StatusText'))
    configure('Lookup_Time = soon\n')
    code, out = ctl('reload', SERVICE)
    check('booted/bad-reload-fails', code != 0, out)
    equal('booted/bad-reload-changes-nothing',
          (show('ActiveState'), main(), verdict(MILTER)),
          ('active', pid, 'c'))
    ctl('stop', SERVICE)
    equal('booted/stop', state()[:3:2], ('inactive', 'success'))
    equal('booted/stop-leaves-no-socket', os.path.exists(MILTER), False)
    code, out = ctl('start', SERVICE)
    check('booted/bad-file-does-not-start', code != 0 and
          show('ExecMainStatus') == '78', state())
    time.sleep(2)
    equal('booted/bad-file-is-not-tried-again', state()[::3], ('failed', '0'))


def comes_back():
    """After a kill, and when it hangs."""
    configure()
    ctl('start', SERVICE)
    os.kill(main(), signal.SIGKILL)
    check('booted/restarts-after-kill', wait(
        lambda: show('NRestarts') == '1' and rejects(MILTER), 15), state())
    ctl('stop', SERVICE)
    folder = UNITS + '/pyspf-milter.service.d'
    os.makedirs(folder)
    product.write_file(folder + '/test.conf', '[Service]\nWatchdogSec=2s\n')
    ctl('daemon-reload')
    ctl('start', SERVICE)
    time.sleep(5)
    equal('booted/watchdog-is-fed', state()[::3], ('active', '0'))
    os.kill(main(), signal.SIGSTOP)
    check('booted/watchdog-restarts-what-hangs', wait(
        lambda: show('NRestarts') == '1' and show('SubState') == 'running' and
        rejects(MILTER), 30), state())
    ctl('stop', SERVICE)
    shutil.rmtree(folder)
    ctl('daemon-reload')


def sockets():
    """Sockets that systemd holds."""
    configure('PolicySocket = none\n')
    units = ['pyspf-milter.socket', 'pyspf-milter-policy.socket']
    code, out = ctl('start', *units)
    check('booted/sockets', code == 0 and os.path.exists(MILTER) and
          os.path.exists(POLICY) and show('ActiveState') == 'inactive',
          (out, state()))
    equal('booted/socket-mode', os.stat(MILTER).st_mode & 0o777, 0o660)
    check('booted/connection-starts-the-service', rejects(MILTER) and
          show('ActiveState') == 'active', state())
    with PolicyClient(POLICY, timeout=20) as c:
        holds('booted/policy-by-socket', c.ask(
            client_address='192.0.2.1', helo_name='mail.none.test',
            sender='u@fail.test', recipient='r@dest.test'), '550 5.7.23')
    good = 0
    with Load(*[rejected(lambda: session(MILTER))] * 4) as load:
        for _ in range(5):
            load.more()
            good += ctl('restart', SERVICE)[0] == 0
        load.more()
    broken = load.lost + load.wrong
    print('5 restarts under load: %d judged, %d connects refused, %d broken'
          % (load.done, load.refused, len(broken)), flush=True)
    equal('booted/restarts', good, 5)
    above('booted/restart-under-load', load.done, 100)
    equal('booted/restart-refuses-no-connect', load.refused, 0)
    empty('booted/restart-loses-no-message', broken)
    # systemctl warns that the socket may start it again: that is wanted
    ctl('stop', SERVICE)
    check('booted/stopped-service-leaves-sockets', os.path.exists(MILTER) and
          show('ActiveState') == 'inactive', state())
    check('booted/and-is-started-again', rejects(MILTER), state())
    ctl('stop', SERVICE, *units)


def for_postfix():
    """Below Postfix's queue directory, as the socket unit's text says."""
    folder = UNITS + '/pyspf-milter.socket.d'
    os.makedirs(folder)
    with open(UNITS + '/pyspf-milter.socket', encoding='utf-8') as f:
        text = '\n'.join(re.findall(r'^#\t(.*)$', f.read(), re.M)) + '\n'
    queue = '/run/spool/postfix/'
    holds('booted/advice-for-postfix', text, '/var/spool/postfix/')
    product.write_file(folder + '/postfix.conf', text.replace(
        '/var/spool/postfix/', queue).replace(
            'SocketGroup=postfix', 'SocketGroup=nogroup'))
    ctl('daemon-reload')
    code, out = ctl('start', 'pyspf-milter.socket')
    check('booted/socket-for-postfix', code == 0 and rejects(
        queue + 'pyspf-milter/pyspf-milter.sock'), (out, state()))


def drive():
    """The tests, beside systemd; b'skip' when they cannot run."""
    if not wait(lambda: os.path.exists('/run/systemd/private'), 20):
        skip('booted', 'systemd does not start here')
        return b'skip'
    wait(lambda: ctl('is-active', 'default.target')[1] == 'active', 20)
    os.makedirs('/run/systemd/journal', exist_ok=True)
    log = syslogd.Collector('/run/systemd/journal/dev-log')
    dns = dnsd.DnsServer(port=53)
    dns.start(list(ZONE))
    install()
    try:
        if start(log):
            reload_and_stop()
            comes_back()
            sockets()
            for_postfix()
    finally:    # with the folder in /tmp that systemd made for it
        ctl('stop', SERVICE, 'pyspf-milter.socket')
        dns.stop()
    return None


if __name__ == '__main__':
    if sys.argv[1:2] == ['--inside']:
        inside(int(sys.argv[2]))
    outside()
