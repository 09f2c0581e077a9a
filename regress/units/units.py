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
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import ns
ns.enter('units')
import confine
import product
import syslogd
from daemon import Daemon, check, children_of, finish, role, status, wait
from manager import Manager, listener
from milterclient import MilterClient
from policyclient import PolicyClient

TOP = product.TOP
EXPOSURE = 1.2
OURS = ('pyspf-milter.service', 'pyspf-milter.socket',
        'pyspf-milter-policy.socket', 'pyspf-milter-metrics.service',
        'pyspf-milter-metrics.timer')


def run(*argv, env=None):
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=60, env=dict(os.environ, **(env or {})))
    return p.returncode, p.stdout.decode(errors='replace')


# --- make install
dest = tempfile.mkdtemp(prefix='spf-units.')
b = os.environ.get('B', os.path.join(TOP, 'build'))
code, out = run('make', '-C', TOP, 'B=' + b, 'install-service',
                'DESTDIR=' + dest)
check('units/make-install', code == 0, out[-300:])
units = dest + '/usr/lib/systemd/system'
check('units/all-there', sorted(os.listdir(units)) == sorted(OURS),
      os.listdir(units))
for path, mode in (('etc/init.d/pyspf-milter', 0o755),
                   ('usr/share/pyspf-milter/rc.d/pyspf-milter', 0o755),
                   ('usr/lib/sysusers.d/pyspf-milter.conf', 0o644),
                   ('usr/lib/tmpfiles.d/pyspf-milter.conf', 0o644)):
    full = os.path.join(dest, path)
    check('units/installed-' + path.replace('/', '-'), os.path.isfile(full)
          and os.stat(full).st_mode & 0o777 == mode)
other = tempfile.mkdtemp(prefix='spf-units.')
code, out = run('make', '-C', TOP, 'B=' + b, 'install-service',
                'DESTDIR=' + other, 'PREFIX=/opt/spf', 'SYSCONFDIR=/opt/etc')
text = ''
for folder, _, files in os.walk(other):
    for f in files:
        with open(os.path.join(folder, f), encoding='utf-8') as fh:
            text += fh.read()
check('units/other-places', code == 0 and '/opt/spf/bin/spfctl' in text and
      '/opt/etc/pyspf-milter/pyspf-milter.conf' in text and
      '/usr/bin/pyspf-milter' not in text and
      '/usr/bin/spfctl' not in text and
      '/etc/pyspf-milter/pyspf-milter.conf' not in
      text.replace('/opt/etc/', ''), out[-200:])
shutil.rmtree(other)

# --- systemd's own tools
if shutil.which('systemd-analyze') is None:
    print('skip units/systemd - systemd-analyze is not installed')
    finish()
# The programs must be there for verify; a place of their own, so that the
# test does not depend on what this machine has in /usr/bin.
bindir = dest + '/usr/bin'
os.makedirs(bindir)
for name in ('pyspf-milter', 'spfctl'):
    built = product.path_of(name)
    if built is None:
        check('units/%s-is-built' % name, False)
        finish()
    shutil.copy2(built, bindir)
check_units = tempfile.mkdtemp(prefix='spf-units.')
for name in OURS:
    with open(os.path.join(units, name), encoding='utf-8') as f:
        product.write_file(os.path.join(check_units, name), f.read().replace(
            '/usr/bin/pyspf-milter', bindir + '/pyspf-milter').replace(
            '/usr/bin/spfctl', bindir + '/spfctl'))
env = {'SYSTEMD_UNIT_PATH': check_units + ':', 'MANPATH': '%s/usr/share/man'
       % dest}
for name in os.listdir(os.path.join(TOP, 'man')):
    if name[-2:] in ('.1', '.5', '.8'):
        folder = '%s/usr/share/man/man%s' % (dest, name[-1])
        os.makedirs(folder, exist_ok=True)
        shutil.copy(os.path.join(TOP, 'man', name), folder)
for name in OURS:
    man = shutil.which('man') is not None
    code, out = run('systemd-analyze', 'verify', '--man=%s'
                    % ('yes' if man else 'no'),
                    os.path.join(check_units, name), env=env)
    # what it says of other packages' units is none of ours
    ours = [l for l in out.splitlines() if 'spf' in l]
    check('units/verify-' + name, code == 0 and not ours, ours or out)
with open(os.path.join(check_units, 'bad.service'), 'w',
          encoding='ascii') as f:
    f.write('[Service]\nExecStart=/nowhere/spf\nProtectSytem=yes\n')
code, out = run('systemd-analyze', 'verify', '--man=no',
                os.path.join(check_units, 'bad.service'), env=env)
check('units/verify-can-fail', code != 0 and 'spf' in out, out)
for name in ('pyspf-milter.service', 'pyspf-milter-metrics.service'):
    code, out = run('systemd-analyze', 'security', '--offline=true',
                    '--no-pager', os.path.join(units, name))
    m = re.search(r'Overall exposure level for \S+: ([0-9.]+)', out)
    figure = float(m.group(1)) if m else 99
    print('%s: exposure %s' % (name, figure))
    check('units/exposure-' + name, figure <= EXPOSURE, figure)

# --- users and directories
root = tempfile.mkdtemp(prefix='spf-units.')
os.makedirs(root + '/etc')
code, out = run('systemd-sysusers', '--root=' + root, os.path.join(
    TOP, 'systemd/pyspf-milter.sysusers'))
with open(root + '/etc/passwd', encoding='ascii') as f:
    passwd = {l.split(':')[0]: l.rstrip('\n').split(':') for l in f}
check('units/sysusers', code == 0 and {'pyspf-milter', 'policyd-spf'} <=
      set(passwd) and all(p[6] == '/usr/sbin/nologin' and p[5] ==
                          '/nonexistent' for p in passwd.values()),
      (out, passwd))
with open(os.path.join(TOP, 'systemd/pyspf-milter.tmpfiles'),
          encoding='ascii') as f:
    lines = f.read()
product.write_file('/run/tmpfiles.conf', lines)
code, out = run('systemd-tmpfiles', '--create', '/run/tmpfiles.conf')
st = os.stat('/run/pyspf-milter')
me = pwd.getpwnam('pyspf-milter')
check('units/tmpfiles', code == 0 and st.st_uid == me.pw_uid and
      st.st_gid == me.pw_gid and st.st_mode & 0o7777 == 0o755, out)
# the line for Postfix, uncommented, in a place of its own
try:
    grp.getgrnam('postfix')
except KeyError:
    with open('/etc/group', 'a', encoding='ascii') as f:
        f.write('postfix:x:993:\n')
queue = '/run/spool/pyspf-milter'
os.makedirs('/run/spool')
product.write_file('/run/tmpfiles.conf', re.search(
    r'^#(d /var/spool/.*)$', lines, re.M).group(1).replace(
        '/var/spool/postfix', '/run/spool') + '\n')
code, out = run('systemd-tmpfiles', '--create', '/run/tmpfiles.conf')
check('units/tmpfiles-postfix', code == 0 and os.path.isdir(queue) and
      os.stat(queue).st_mode & 0o7777 == 0o2750, out)
shutil.rmtree(root)
shutil.rmtree('/run/pyspf-milter')

# --- the daemon with the unit's settings
unit = confine.Unit(os.path.join(units, 'pyspf-milter.service'))
d = Daemon(start=False)
os.makedirs('/run/systemd/journal')
log = syslogd.Collector('/run/systemd/journal/dev-log')
product.write_file(d.conf, 'debugLevel = 1\nSocket = local:/run/pyspf-milter/'
                   'pyspf-milter.sock\nPolicySocket = local:/run/'
                   'pyspf-milter/policy.sock\n')
hear = Manager.__new__(Manager)
hear.messages, hear.senders = [], set()
hear.more = threading.Condition()
hear.open('/run/notify', False)
err = open('/run/stderr', 'w+b')
p = confine.popen(unit, [d.program, d.conf], stderr=err, stdin=subprocess.
                  DEVNULL, env={'PATH': '/usr/bin:/bin',
                                'NOTIFY_SOCKET': '/run/notify',
                                'WATCHDOG_USEC': '1000000'})
ready = hear.wait('READY=1', 20)
with open('/run/stderr', encoding='utf-8') as f:
    said = f.read()
check('confined/ready', ready is not None, (said, log.records, p.poll()))
if ready is None:
    finish()
print('applied: ' + ' '.join(sorted(set(unit.applied))))
print('left to systemd: ' + ' '.join(sorted(set(unit.left))))
check('confined/nothing-missing', not any(
    'missing' in r or 'warn' in r.lower() for r in log.records), log.records)
st = status(p.pid)
check('confined/user', st['Uid'].split() == [str(me.pw_uid)] * 4, st['Uid'])
check('confined/no-capabilities', all(
    int(st[k], 16) == 0 for k in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd',
                                  'CapAmb')), st)
equal('confined/no-new-privileges', st['NoNewPrivs'], '1')
# six of the unit's filters and the daemon's own
filters = int(st.get('Seccomp_filters', 0))
check('confined/filters', filters >= 6, filters)
if subprocess.run(['unshare', '-U', 'true'],
                  stderr=subprocess.DEVNULL).returncode == 0:
    check('confined/own-user-namespace', os.readlink(
        '/proc/%d/ns/user' % p.pid) != os.readlink('/proc/self/ns/user'))
else:
    print('skip confined/own-user-namespace - none can be had here (a chroot)')
check('confined/children', sorted(role(k) for k in children_of(p.pid)) ==
      ['dns', 'worker', 'worker'], [role(k) for k in children_of(p.pid)])


def rejects(where='/run/pyspf-milter/pyspf-milter.sock'):
    with MilterClient(where, 20) as c:
        c.negotiate()
        c.macros('C', {'j': ns.HOSTNAME, '{daemon_name}': 'smtpd'})
        c.connect('client.none.test', '192.0.2.1')
        c.helo('mail.none.test')
        return c.mail('<u@fail.test>')[0]


begins('confined/milter-judges', rejects(), 'y 550 5.7.23')
with PolicyClient('/run/pyspf-milter/policy.sock', timeout=20) as c:
    r = d.ask(c, 'u@pass.test')
check('confined/policy-judges', 'Received-SPF: Pass' in str(r), r)
check('confined/log-goes-to-the-journal', wait(lambda: any(
    'spf' in r.lower() and 'pass' in r.lower() for r in log.records), 3),
    log.records)
check('confined/watchdog', hear.wait('WATCHDOG=1', 3) is not None)
hear.clear()
product.write_file(d.conf, 'Mail_From_reject = False\nPolicySocket = local:'
                   '/run/pyspf-milter/policy.sock\n')
os.kill(p.pid, signal.SIGHUP)
seen = hear.wait('READY=1', 10)
check('confined/reload', seen is not None and 'generation 2' in seen,
      (hear.messages, log.records[-3:]))
check('confined/reload-in-force', wait(lambda: rejects() == 'c', 5))
kid = next(k for k in children_of(p.pid) if role(k) == 'worker')
os.kill(kid, signal.SIGKILL)
check('confined/respawn', wait(lambda: len(children_of(p.pid)) == 3 and
                               kid not in children_of(p.pid), 5))
# the second line of ExecReload, by the same user, and the first
unit2 = confine.Unit(os.path.join(units, 'pyspf-milter.service'))
q = confine.popen(unit2, [d.program, '-n', d.conf])
check('confined/exec-reload-checks', q.wait(10) == 0, q.returncode)
product.write_file(d.conf, 'Lookup_Time = soon\n')
q = confine.popen(unit2, [d.program, '-n', d.conf], stderr=subprocess.PIPE)
q.communicate(timeout=10)
equal('confined/exec-reload-refuses', q.returncode, 78)
q = confine.popen(unit2, ['/bin/kill', '-HUP', str(p.pid)])
check('confined/exec-reload-signals', q.wait(10) == 0 and wait(
    lambda: any('reload refused' in r for r in log.records)), q.returncode)
p.terminate()
check('confined/exit-0', p.wait(20) == 0, p.returncode)
equal('confined/removes-its-files', os.listdir('/run/pyspf-milter'), [])

# --- the filters bite: what the unit forbids is forbidden
for name, code in (
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
        ('kernel-settings', 'open("/proc/sys/kernel/hostname")')):
    q = confine.popen(unit2, ['/usr/bin/python3', '-c', code],
                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out = q.communicate(timeout=20)[0].decode()
    check('confined/forbids-' + name, q.returncode == 1 and 'Error' in out,
          (q.returncode, out[-200:]))
q = confine.popen(unit2, ['/usr/bin/python3', '-c',
                          'open("/run/pyspf-milter/x", "w").close(); '
                          'open("/tmp/y", "w"); print("fine")'],
                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
out = q.communicate(timeout=20)[0].decode()
equal('confined/allows-its-own-place', out, 'fine\n')
os.unlink('/run/pyspf-milter/x')

# --- with a listener that systemd holds, where the daemon may not write
product.write_file(d.conf, 'PolicySocket = none\n')
held = listener(queue + '/m.sock')
hear.clear()
launch = """import os, sys
os.dup2(int(sys.argv[1]), 3)
os.closerange(4, 1000)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1',
                  LISTEN_FDNAMES='milter')
os.execv(sys.argv[2], sys.argv[2:])"""
p = confine.popen(unit2, ['/usr/bin/python3', '-c', launch,
                          str(held.fileno()), d.program, d.conf],
                  pass_fds=[held.fileno()],
                  env={'PATH': '/usr/bin:/bin',
                       'NOTIFY_SOCKET': '/run/notify'})
check('confined/held-listener-ready', hear.wait('READY=1', 10) is not None,
      log.records[-3:])
begins('confined/held-listener-judges', rejects(queue + '/m.sock'),
       'y 550 5.7.23')

# --- the metrics service beside it
metrics = confine.Unit(os.path.join(units, 'pyspf-milter-metrics.service'))
script = metrics.service['ExecStart'][0].split("'")[1]
spfctl = product.reachable(product.path_of('spfctl'))
code, out = run(spfctl, 'metrics')
if 'usage:' in out:
    print('skip metrics/file - this spfctl has no metrics')
else:
    os.makedirs('/etc/pyspf-milter', exist_ok=True)
    shutil.copy(d.conf, '/etc/pyspf-milter/pyspf-milter.conf')
    q = confine.popen(metrics, ['/bin/sh', '-c', script.replace(
        '/usr/bin/spfctl', spfctl)], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env={'PATH': '/usr/bin:/bin'})
    out = q.communicate(timeout=20)[0].decode()
    try:
        with open('/run/pyspf-milter-metrics/pyspf-milter.prom',
                  encoding='utf-8') as f:
            prom = f.read()
    except OSError as e:
        prom = repr(e)
    check('metrics/file', q.returncode == 0 and re.search(
        r'^# TYPE \S+ counter$', prom, re.M), (q.returncode, out, prom[:99]))
    equal('metrics/no-half-file', os.listdir('/run/pyspf-milter-metrics'),
          ['pyspf-milter.prom'])
p.terminate()
check('confined/held-listener-exit-0', p.wait(20) == 0, p.returncode)
check('confined/held-listener-stays', os.path.exists(queue + '/m.sock'))
d.dns.stop()
shutil.rmtree(dest)
shutil.rmtree(check_units)
finish()
