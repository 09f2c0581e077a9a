#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The units as make install puts them: what systemd's own tools say of them,
and the daemon with their settings applied."""

import grp
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import ns
ns.enter('units')
import confine
import product
import syslogd
from daemon import (MILTER, POLICY, Daemon, becomes, begins, check,
                    children_of, equal, finish, holds, role, skip, status,
                    wait)
from manager import Notify, listener
from milterclient import rejects, verdict
from policyclient import PolicyClient

TOP = product.TOP
B = os.environ.get('B', os.path.join(TOP, 'build'))
EXPOSURE = 1.2
OURS = ('pyspf-milter.service', 'pyspf-milter.socket',
        'pyspf-milter-policy.socket', 'pyspf-milter-metrics.service',
        'pyspf-milter-metrics.timer')
QUEUE = '/run/spool/pyspf-milter'
JOURNAL = '/run/systemd/journal'
ENV = {'PATH': '/usr/bin:/bin', 'NOTIFY_SOCKET': '/run/notify'}
# What the unit forbids, tried in Python.
FORBIDDEN = (
    ('other-families', 'import socket; socket.socket(socket.AF_NETLINK, '
     'socket.SOCK_RAW, 0)'),
    ('writing-to-etc', 'open("/etc/x", "w")'),
    ('writing-to-run', 'open("/run/x", "w")'),
    ('mount', 'import ctypes,os; l = ctypes.CDLL(None, use_errno=True); '
     'assert l.mount(b"x", b"/tmp", b"tmpfs", 0, None) == 0'),
    ('namespaces', 'import ctypes; assert ctypes.CDLL(None).unshare('
     '0x10000000) == 0'),
    ('writable-code', 'import mmap; mmap.mmap(-1, 4096, prot=7)'),
    ('set-user-id', 'import os; open("/tmp/x", "w"); '
     'os.chmod("/tmp/x", 0o4755)'),
    ('other-users-processes', 'import os; os.listdir("/proc/1/")'),
    ('kernel-settings', 'open("/proc/sys/kernel/hostname")'))
# A program that is started with a listener, as by systemd.
LAUNCH = """import os, sys
os.dup2(int(sys.argv[1]), 3)
os.closerange(4, 1000)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1',
                  LISTEN_FDNAMES='milter')
os.execv(sys.argv[2], sys.argv[2:])"""


def run(*argv, env=None):
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=60, env=dict(os.environ, **(env or {})))
    return p.returncode, p.stdout.decode(errors='replace')


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def make_install(dest, *settings):
    return run('make', '-C', TOP, 'B=' + B, 'install-service',
               'DESTDIR=' + dest, *settings)


def installed(dest, other):
    code, out = make_install(dest)
    check('units/make-install', code == 0, out[-300:])
    equal('units/all-there', sorted(os.listdir(
        dest + '/usr/lib/systemd/system')), sorted(OURS))
    for path, mode in (('etc/init.d/pyspf-milter', 0o755),
                       ('usr/share/pyspf-milter/rc.d/pyspf-milter', 0o755),
                       ('usr/lib/sysusers.d/pyspf-milter.conf', 0o644),
                       ('usr/lib/tmpfiles.d/pyspf-milter.conf', 0o644)):
        full = os.path.join(dest, path)
        check('units/installed-' + path.replace('/', '-'),
              os.path.isfile(full) and os.stat(full).st_mode & 0o777 == mode)
    code, out = make_install(other, 'PREFIX=/opt/spf', 'SYSCONFDIR=/opt/etc')
    text = ''.join(read(os.path.join(folder, f))
                   for folder, _, files in os.walk(other) for f in files)
    check('units/other-places', code == 0 and '/opt/spf/bin/spfctl' in text
          and '/opt/etc/pyspf-milter/pyspf-milter.conf' in text and
          '/usr/bin/pyspf-milter' not in text and
          '/usr/bin/spfctl' not in text and
          '/etc/pyspf-milter/pyspf-milter.conf' not in
          text.replace('/opt/etc/', ''), out[-200:])


def prepare_verify(dest, units):
    """Units that name programs below dest, so that the test does not depend
    on what this machine has in /usr/bin, and their manual pages."""
    bindir = dest + '/usr/bin'
    os.makedirs(bindir)
    for name in ('pyspf-milter', 'spfctl'):
        built = product.path_of(name)
        if built is None:
            check('units/%s-is-built' % name, False)
            finish()
        shutil.copy2(built, bindir)
    for name in OURS:
        text = read('%s/usr/lib/systemd/system/%s' % (dest, name))
        product.write_file(os.path.join(units, name), text.replace(
            '/usr/bin/pyspf-milter', bindir + '/pyspf-milter').replace(
                '/usr/bin/spfctl', bindir + '/spfctl'))
    for name in os.listdir(os.path.join(TOP, 'man')):
        if name[-2:] in ('.1', '.5', '.8'):
            folder = '%s/usr/share/man/man%s' % (dest, name[-1])
            os.makedirs(folder, exist_ok=True)
            shutil.copy(os.path.join(TOP, 'man', name), folder)


def systemd_tools(dest, units):
    """What systemd's own tools say."""
    prepare_verify(dest, units)
    env = {'SYSTEMD_UNIT_PATH': units + ':',
           'MANPATH': dest + '/usr/share/man'}
    man = 'yes' if shutil.which('man') else 'no'
    for name in OURS:
        code, out = run('systemd-analyze', 'verify', '--man=' + man,
                        os.path.join(units, name), env=env)
        # what it says of other packages' units is none of ours
        ours = [x for x in out.splitlines() if 'spf' in x]
        check('units/verify-' + name, code == 0 and not ours, ours or out)
    bad = product.write_file(os.path.join(units, 'bad.service'),
                             '[Service]\nExecStart=/nowhere/spf\n'
                             'ProtectSytem=yes\n')
    code, out = run('systemd-analyze', 'verify', '--man=no', bad, env=env)
    check('units/verify-can-fail', code != 0 and 'spf' in out, out)
    for name in ('pyspf-milter.service', 'pyspf-milter-metrics.service'):
        code, out = run('systemd-analyze', 'security', '--offline=true',
                        '--no-pager', '%s/usr/lib/systemd/system/%s'
                        % (dest, name))
        m = re.search(r'Overall exposure level for \S+: ([0-9.]+)', out)
        figure = float(m.group(1)) if m else 99
        print('%s: exposure %s' % (name, figure))
        check('units/exposure-' + name, figure <= EXPOSURE, figure)


def users_and_directories(root):
    os.makedirs(root + '/etc')
    code, out = run('systemd-sysusers', '--root=' + root, os.path.join(
        TOP, 'systemd/pyspf-milter.sysusers'))
    passwd = {x.split(':')[0]: x.split(':')
              for x in read(root + '/etc/passwd').splitlines()}
    check('units/sysusers', code == 0 and {'pyspf-milter', 'policyd-spf'} <=
          set(passwd) and all(p[6] == '/usr/sbin/nologin' and p[5] ==
                              '/nonexistent' for p in passwd.values()),
          (out, passwd))
    lines = read(os.path.join(TOP, 'systemd/pyspf-milter.tmpfiles'))
    product.write_file('/run/tmpfiles.conf', lines)
    code, out = run('systemd-tmpfiles', '--create', '/run/tmpfiles.conf')
    st = os.stat('/run/pyspf-milter')
    check('units/tmpfiles', code == 0 and st.st_uid == ME.pw_uid and
          st.st_gid == ME.pw_gid and st.st_mode & 0o7777 == 0o755, out)
    # the line for Postfix, uncommented, in a place of its own
    try:
        grp.getgrnam('postfix')
    except KeyError:
        with open('/etc/group', 'a', encoding='ascii') as f:
            f.write('postfix:x:993:\n')
    os.makedirs('/run/spool')
    product.write_file('/run/tmpfiles.conf', re.search(
        r'^#(d /var/spool/.*)$', lines, re.M).group(1).replace(
            '/var/spool/postfix', '/run/spool') + '\n')
    code, out = run('systemd-tmpfiles', '--create', '/run/tmpfiles.conf')
    check('units/tmpfiles-postfix', code == 0 and os.path.isdir(QUEUE) and
          os.stat(QUEUE).st_mode & 0o7777 == 0o2750, out)
    shutil.rmtree('/run/pyspf-milter')


def start(unit):
    """The daemon with the unit's settings."""
    product.write_file(site.conf, 'debugLevel = 1\nSocket = local:%s\n'
                       'PolicySocket = local:%s\n' % (MILTER, POLICY))
    with open('/run/stderr', 'w+b') as err:
        p = confine.popen(unit, [site.program, site.conf], stderr=err,
                          stdin=subprocess.DEVNULL,
                          env=dict(ENV, WATCHDOG_USEC='1000000'))
    ready = hear.wait('READY=1', 20)
    check('confined/ready', ready is not None,
          (read('/run/stderr'), log.records, p.poll()))
    if ready is None:
        finish()
    return p


def confined(unit, p):
    """Its state, as /proc tells of it."""
    print('applied: ' + ' '.join(sorted(set(unit.applied))))
    print('left to systemd: ' + ' '.join(sorted(set(unit.left))))
    equal('confined/nothing-missing', [
        r for r in log.records if 'missing' in r or 'warn' in r.lower()], [])
    st = status(p.pid)
    equal('confined/user', st['Uid'].split(), [str(ME.pw_uid)] * 4)
    check('confined/no-capabilities', all(
        int(st[k], 16) == 0 for k in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd',
                                      'CapAmb')), st)
    equal('confined/no-new-privileges', st['NoNewPrivs'], '1')
    # systemd adds the user's own group, see privsep/README; no other
    equal('confined/no-other-group', [
        g for k in [p.pid] + children_of(p.pid)
        for g in status(k)['Groups'].split() if g != str(ME.pw_gid)], [])
    # six of the unit's filters and the daemon's own
    filters = int(st.get('Seccomp_filters', 0))
    check('confined/filters', filters >= 6, filters)
    if subprocess.run(['unshare', '-U', 'true'],
                      stderr=subprocess.DEVNULL).returncode == 0:
        check('confined/own-user-namespace', os.readlink(
            '/proc/%d/ns/user' % p.pid) != os.readlink('/proc/self/ns/user'))
    else:
        skip('confined/own-user-namespace',
             'none can be had here (a chroot)')
    equal('confined/children', sorted(role(k) for k in children_of(p.pid)),
          ['dns', 'worker', 'worker'])


def works(unit, p):
    """It judges, logs, reloads and restarts its children."""
    begins('confined/milter-judges', verdict(MILTER), 'y 550 5.7.23')
    with PolicyClient(POLICY, timeout=20) as c:
        holds('confined/policy-judges', site.ask(c, 'u@pass.test'),
              'Received-SPF: Pass')
    check('confined/log-goes-to-the-journal', log.wait(
        '(?i)spf.*pass|pass.*spf', 3), log.records)
    check('confined/watchdog', hear.wait('WATCHDOG=1', 3) is not None)
    hear.clear()
    product.write_file(site.conf, 'Mail_From_reject = False\n'
                       'PolicySocket = local:%s\n' % POLICY)
    os.kill(p.pid, signal.SIGHUP)
    holds('confined/reload', str(hear.wait('READY=1', 10)), 'generation 2')
    becomes('confined/reload-in-force', lambda: verdict(MILTER), 'c', 5)
    kid = next(k for k in children_of(p.pid) if role(k) == 'worker')
    os.kill(kid, signal.SIGKILL)
    check('confined/respawn', wait(lambda: len(children_of(p.pid)) == 3 and
                                   kid not in children_of(p.pid), 5))
    # the second line of ExecReload, by the same user, and the first
    q = confine.popen(unit, [site.program, '-n', site.conf])
    equal('confined/exec-reload-checks', q.wait(10), 0)
    product.write_file(site.conf, 'Lookup_Time = soon\n')
    q = confine.popen(unit, [site.program, '-n', site.conf],
                      stderr=subprocess.PIPE)
    q.communicate(timeout=10)
    equal('confined/exec-reload-refuses', q.returncode, 78)
    q = confine.popen(unit, ['/bin/kill', '-HUP', str(p.pid)])
    check('confined/exec-reload-signals', q.wait(10) == 0 and log.wait(
        'reload refused'), q.returncode)
    p.terminate()
    equal('confined/exit-0', p.wait(20), 0)
    equal('confined/removes-its-files', os.listdir('/run/pyspf-milter'), [])


def python(unit, code):
    q = confine.popen(unit, ['/usr/bin/python3', '-c', code],
                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return q.communicate(timeout=20)[0].decode(), q.returncode


def filters_bite(unit):
    for name, code in FORBIDDEN:
        out, status = python(unit, code)
        check('confined/forbids-' + name, status == 1 and 'Error' in out,
              (status, out[-200:]))
    out, _ = python(unit, 'open("/run/pyspf-milter/x", "w").close(); '
                    'open("/tmp/y", "w"); print("fine")')
    equal('confined/allows-its-own-place', out, 'fine\n')
    os.unlink('/run/pyspf-milter/x')


def metrics_service(units):
    unit = confine.Unit(os.path.join(units, 'pyspf-milter-metrics.service'))
    script = unit.service['ExecStart'][0].split("'")[1]
    spfctl = product.reachable(product.path_of('spfctl'))
    if 'usage:' in run(spfctl, 'metrics')[1]:
        skip('metrics/file', 'this spfctl has no metrics')
        return
    os.makedirs('/etc/pyspf-milter', exist_ok=True)
    shutil.copy(site.conf, '/etc/pyspf-milter/pyspf-milter.conf')
    q = confine.popen(unit, ['/bin/sh', '-c', script.replace(
        '/usr/bin/spfctl', spfctl)], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env={'PATH': '/usr/bin:/bin'})
    out = q.communicate(timeout=20)[0].decode()
    try:
        prom = read('/run/pyspf-milter-metrics/pyspf-milter.prom')
    except OSError as e:
        prom = repr(e)
    check('metrics/file', q.returncode == 0 and re.search(
        r'^# TYPE \S+ counter$', prom, re.M), (q.returncode, out, prom[:99]))
    equal('metrics/no-half-file', os.listdir('/run/pyspf-milter-metrics'),
          ['pyspf-milter.prom'])


def held_listener(unit, units):
    """With a listener that systemd holds, where the daemon may not write,
    and the metrics service beside it."""
    product.write_file(site.conf, 'PolicySocket = none\n')
    path = QUEUE + '/m.sock'
    held = listener(path)
    hear.clear()
    p = confine.popen(unit, ['/usr/bin/python3', '-c', LAUNCH,
                             str(held.fileno()), site.program, site.conf],
                      pass_fds=[held.fileno()], env=ENV)
    check('confined/held-listener-ready',
          hear.wait('READY=1', 10) is not None, log.records[-3:])
    check('confined/held-listener-judges', rejects(path), verdict(path))
    metrics_service(units)
    p.terminate()
    equal('confined/held-listener-exit-0', p.wait(20), 0)
    check('confined/held-listener-stays', os.path.exists(path))


ME = pwd.getpwnam('pyspf-milter')
with tempfile.TemporaryDirectory(prefix='spf-units.') as tmp:
    dest, other, units, root = (product.folder('%s/%d' % (tmp, n))
                                for n in range(4))
    os.chmod(tmp, 0o755)
    installed(dest, other)
    if shutil.which('systemd-analyze') is None:
        skip('units/systemd', 'systemd-analyze is not installed')
        finish()
    systemd_tools(dest, units)
    users_and_directories(root)
    installed_units = dest + '/usr/lib/systemd/system'
    with Daemon(start=False) as site:
        os.makedirs(JOURNAL)
        log = syslogd.Collector(JOURNAL + '/dev-log')
        hear = Notify('/run/notify')
        unit, unit2 = (confine.Unit(installed_units +
                                    '/pyspf-milter.service')
                       for _ in range(2))
        p = start(unit)
        confined(unit, p)
        works(unit2, p)
        filters_bite(unit2)
        held_listener(unit2, installed_units)
finish()
