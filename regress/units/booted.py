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
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import ns

SYSTEMD = '/lib/systemd/systemd'
UNITS = '/run/u'
MS_BIND, MS_REMOUNT, MS_RDONLY = 0x1000, 32, 1
PATH = '/usr/sbin:/usr/bin:/sbin:/bin'
TARGETS = ('sysinit', 'basic', 'sockets', 'timers', 'multi-user', 'shutdown',
           'network-online', 'nss-lookup', 'default')


def skip(why):
    print('skip booted - ' + why, flush=True)
    sys.exit(0)


def cgroup2():
    with open('/proc/mounts', encoding='ascii') as f:
        for line in f:
            part = line.split()
            if part[2] == 'cgroup2' and 'rw' in part[3].split(','):
                return part[1]
    return None


def remove_cgroup(path):
    for _ in range(20):
        for folder, _, _ in os.walk(path, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                pass
        if not os.path.exists(path):
            return
        time.sleep(0.1)


def outside():
    if not os.path.exists(SYSTEMD):
        skip('systemd is not installed')
    why = ns.reason()
    if why is not None:
        skip(why)
    if subprocess.run(['unshare', '-U', 'true'],
                      stderr=subprocess.DEVNULL).returncode != 0:
        skip('no user namespace for PrivateUsers (in a chroot)')
    top = cgroup2()
    if top is None:
        skip('no cgroup2 hierarchy that may be written to')
    group = os.path.join(top, 'spf-booted-%d' % os.getpid())
    try:
        os.mkdir(group)
    except OSError as e:
        skip('no cgroup of its own: %s' % e)
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
        print('not ok booted - ended early: %r' % result)
        sys.exit(1)
    sys.exit(1 if result == b'1' else 0)


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
            code = drive()
        except SystemExit as e:
            code = b'1' if e.code else b'0'
        except BaseException as e:
            print('not ok booted - %r' % e, flush=True)
            import traceback
            traceback.print_exc()
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


def drive():
    import dnsd
    import product
    import syslogd
    import daemon as lib
    from daemon import MILTER, POLICY, check, children_of, role, wait
    from milterclient import MilterClient

    if not wait(lambda: os.path.exists('/run/systemd/private'), 20):
        print('skip booted - systemd does not start here')
        return b'skip'
    wait(lambda: ctl('is-active', 'default.target')[1] == 'active', 20)
    os.makedirs('/run/systemd/journal', exist_ok=True)
    log = syslogd.Collector('/run/systemd/journal/dev-log')
    dns = dnsd.DnsServer(port=53)
    dns.start(list(lib.ZONE))

    # as make install does it, but for the programs' place
    program = product.wanted('booted', 'pyspf-milter')
    os.makedirs('/run/usr/bin')
    shutil.copy2(program, '/run/usr/bin/pyspf-milter')
    p = subprocess.run(['make', '-C', product.TOP, 'install-service',
                        'B=' + os.environ.get('B', 'build'),
                        'PREFIX=/run/usr', 'SYSTEMDDIR=' + UNITS],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    check('booted/install', p.returncode == 0, p.stdout[-300:])
    os.makedirs('/etc/pyspf-milter', exist_ok=True)
    conf = '/etc/pyspf-milter/pyspf-milter.conf'

    def configure(text=''):
        product.write_file(conf, text)

    def rejects(where=MILTER):
        try:
            with MilterClient(where, 20) as c:
                c.negotiate()
                c.macros('C', {'j': ns.HOSTNAME, '{daemon_name}': 'smtpd'})
                c.connect('client.none.test', '192.0.2.1')
                c.helo('mail.none.test')
                return c.mail('<u@fail.test>')[0].startswith('y 550')
        except Exception:
            return None

    def state():
        return show('ActiveState'), show('SubState'), show('Result'), \
            show('NRestarts'), show('StatusText')

    def main():
        return int(show('MainPID'))

    # --- the service alone
    configure()
    ctl('daemon-reload')
    code, out = ctl('start', 'pyspf-milter')
    check('booted/start', code == 0, (out, state(), log.records[-5:]))
    if code != 0:
        print(ctl('status', 'pyspf-milter')[1])
        return b'1'
    check('booted/start-means-serving', rejects())
    begins('booted/status-text', show('StatusText'), 'generation 1 serves')
    st = lib.status(main())
    check('booted/no-capabilities', int(st['CapBnd'], 16) == 0 and
          int(st['CapEff'], 16) == 0, st)
    check('booted/not-root', '0' not in st['Uid'].split(), st['Uid'])
    check('booted/nothing-missing', not any('missing' in r
                                            for r in log.records),
          log.records)
    pid = main()
    configure('Mail_From_reject = False\n')
    code, out = ctl('reload', 'pyspf-milter')
    check('booted/reload', code == 0 and wait(
        lambda: rejects() is False, 10), (out, state()))
    equal('booted/reload-same-process', main(), pid)
    check('booted/reload-status-text', wait(lambda: show(
        'StatusText').startswith('generation 2 serves'), 5),
        show('StatusText'))
    configure('Lookup_Time = soon\n')
    code, out = ctl('reload', 'pyspf-milter')
    check('booted/bad-reload-fails', code != 0, out)
    check('booted/bad-reload-changes-nothing', show('ActiveState') ==
          'active' and main() == pid and rejects() is False, state())
    ctl('stop', 'pyspf-milter')
    check('booted/stop', show('ActiveState') == 'inactive' and
          show('Result') == 'success', state())
    check('booted/stop-leaves-no-socket', not os.path.exists(MILTER))
    code, out = ctl('start', 'pyspf-milter')
    check('booted/bad-file-does-not-start', code != 0 and
          show('ExecMainStatus') == '78', state())
    time.sleep(2)
    check('booted/bad-file-is-not-tried-again', show('NRestarts') == '0' and
          show('ActiveState') == 'failed', state())

    # --- it comes back
    configure()
    ctl('start', 'pyspf-milter')
    os.kill(main(), signal.SIGKILL)
    check('booted/restarts-after-kill', wait(
        lambda: show('NRestarts') == '1' and rejects(), 15), state())
    ctl('stop', 'pyspf-milter')
    folder = UNITS + '/pyspf-milter.service.d'
    os.makedirs(folder)
    product.write_file(folder + '/test.conf', '[Service]\nWatchdogSec=2s\n')
    ctl('daemon-reload')
    ctl('start', 'pyspf-milter')
    time.sleep(5)
    check('booted/watchdog-is-fed', show('NRestarts') == '0' and
          show('ActiveState') == 'active', state())
    kid = next(k for k in children_of(main()) if role(k) == 'worker')
    os.kill(kid, signal.SIGSTOP)
    check('booted/watchdog-restarts-what-hangs', wait(
        lambda: show('NRestarts') == '1' and show('SubState') == 'running' and
        rejects(), 30), state())
    ctl('stop', 'pyspf-milter')
    shutil.rmtree(folder)
    ctl('daemon-reload')

    # --- sockets that systemd holds
    configure('PolicySocket = none\n')
    sockets = ['pyspf-milter.socket', 'pyspf-milter-policy.socket']
    code, out = ctl('start', *sockets)
    check('booted/sockets', code == 0 and os.path.exists(MILTER) and
          os.path.exists(POLICY) and show('ActiveState') == 'inactive',
          (out, state()))
    check('booted/socket-mode', os.stat(MILTER).st_mode & 0o777 == 0o660,
          oct(os.stat(MILTER).st_mode))
    check('booted/connection-starts-the-service', rejects() and
          show('ActiveState') == 'active', state())
    from policyclient import PolicyClient
    with PolicyClient(POLICY, timeout=20) as c:
        r = c.ask({'client_address': '192.0.2.1', 'helo_name':
                   'mail.none.test', 'sender': 'u@fail.test',
                   'recipient': 'r@dest.test'})
    check('booted/policy-by-socket', '550 5.7.23' in str(r), r)
    counts = {True: 0, False: 0, None: 0}
    refused = [0]
    mutex, over = threading.Lock(), threading.Event()

    def load():
        while not over.is_set():
            try:
                s = lib.product.socket.socket(lib.product.socket.AF_UNIX)
                s.connect(MILTER)
            except OSError:
                with mutex:
                    refused[0] += 1
                continue
            good = rejects(s)
            with mutex:
                counts[good] += 1
    threads = [threading.Thread(target=load) for _ in range(4)]
    for t in threads:
        t.start()
    good = 0
    for _ in range(5):
        time.sleep(0.3)
        good += ctl('restart', 'pyspf-milter')[0] == 0
    time.sleep(0.3)
    over.set()
    for t in threads:
        t.join()
    print('5 restarts under load: %d judged, %d connects refused, %d broken'
          % (counts[True], refused[0], counts[None] + counts[False]),
          flush=True)
    check('booted/restart-under-load', good == 5 and counts[True] > 100,
          (good, counts))
    check('booted/restart-refuses-no-connect', refused[0] == 0, refused)
    check('booted/restart-loses-no-message', counts[None] + counts[False] ==
          0, counts)
    # systemctl warns that the socket may start it again: that is wanted
    ctl('stop', 'pyspf-milter')
    check('booted/stopped-service-leaves-sockets', os.path.exists(MILTER) and
          show('ActiveState') == 'inactive', state())
    check('booted/and-is-started-again', rejects(), state())
    ctl('stop', 'pyspf-milter', *sockets)

    # --- below Postfix's queue directory, as the socket unit's text says
    folder = UNITS + '/pyspf-milter.socket.d'
    os.makedirs(folder)
    with open(UNITS + '/pyspf-milter.socket', encoding='utf-8') as f:
        advice = re.findall(r'^#\t(.*)$', f.read(), re.M)
    queue = '/run/spool/postfix/'
    text = '\n'.join(advice) + '\n'
    holds('booted/advice-for-postfix', text, '/var/spool/postfix/')
    product.write_file(folder + '/postfix.conf', text.replace(
        '/var/spool/postfix/', queue).replace(
            'SocketGroup=postfix', 'SocketGroup=nogroup'))
    ctl('daemon-reload')
    code, out = ctl('start', 'pyspf-milter.socket')
    where = queue + 'pyspf-milter/pyspf-milter.sock'
    check('booted/socket-for-postfix', code == 0 and rejects(where),
          (out, state()))
    dns.stop()
    lib.finish()


if __name__ == '__main__':
    if sys.argv[1:2] == ['--inside']:
        inside(int(sys.argv[2]))
    outside()
