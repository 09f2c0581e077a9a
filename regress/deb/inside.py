#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The packages' life in a chroot: over Debian's Python packages, back, over
them again with changed files, to the next version, removed, purged, fresh.

usage: inside.py ROOT, in namespaces of its own (deb.sh). ROOT/debs/1 and 2
hold our packages, apt's cache there the rest.
"""

import glob
import hashlib
import os
import re
import signal
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, 'regress', 'lib'))
import ns
import product
import syslogd
from check import Checks, finish, wait
from client import ClientError, listens
from dnsd import DnsServer
from milterclient import session

ROOT = '/mnt'
PACKAGES = ['pyspf-milter', 'postfix-policyd-spf-python']
USERS = ['pyspf-milter', 'policyd-spf']
MILTER_CONF = '/etc/pyspf-milter/pyspf-milter.conf'
POLICY_CONF = '/etc/postfix-policyd-spf-python/policyd-spf.conf'
CONFS = (MILTER_CONF, POLICY_CONF)
INIT = '/etc/init.d/pyspf-milter'
PIDFILE = '/run/pyspf-milter/pyspf-milter.pid'
WANTS = '/etc/systemd/system/multi-user.target.wants/pyspf-milter.service'
ENV = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C',
       'DEBIAN_FRONTEND': 'noninteractive', 'HOME': '/root'}
START_SECONDS = 20
MILTER = 'inet:127.0.0.1:8893'
ZONE = ('pass.test TXT "v=spf1 ip4:192.0.2.1 -all"\n'
        'fail.test TXT "v=spf1 -all"\n')
report = Checks('deb/')
check, equal, holds = report.check, report.equal, report.holds


def path(p):
    return ROOT + p


def exists(p):
    return os.path.lexists(path(p))


def read(p):
    with open(path(p), 'rb') as f:
        return f.read()


def run(*argv):
    """In the chroot, without a terminal: a question would be an error."""
    print('# ' + ' '.join(argv), flush=True)
    p = subprocess.run(['chroot', ROOT] + list(argv), env=ENV,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=120, check=False)
    text = p.stdout.decode(errors='replace')
    for line in text.splitlines():
        print('    ' + line)
    return p.returncode, text


def need(name, *argv):
    """What follows has no sense without it."""
    status, text = run(*argv)
    if not check(name, status == 0, 'status %d: %s' % (status, text[-300:])):
        finish()


def install(name, *what):
    need(name, 'apt-get', '-q', '-y', '--no-install-recommends', 'install',
         *what)


def ours(version):
    return ['/debs/%d/%s' % (version, os.path.basename(f)) for f in
            sorted(glob.glob(path('/debs/%d/*.deb' % version)))]


def versions():
    out = []
    for p in PACKAGES:
        text = subprocess.run(
            ['chroot', ROOT, 'dpkg-query', '-W', '-f',
             '${db:Status-Abbrev} ${Version}', p], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=ENV, check=False).stdout
        out.append(text.decode())
    return out


def users():
    with open(path('/etc/passwd'), encoding='utf-8') as f:
        return {u: line for line in f for u in USERS
                if line.startswith(u + ':')}


def daemon():
    """(pid, argv) of the one that the PID file names, or None."""
    try:
        pid = int(read(PIDFILE))
        with open('/proc/%d/cmdline' % pid, 'rb') as f:
            return pid, f.read().decode().split('\0')
    except (OSError, ValueError):
        return None


def gone(pid):
    """Ended, though perhaps not yet reaped by us, who are process 1."""
    try:
        with open('/proc/%d/cmdline' % pid, 'rb') as f:
            return f.read() == b''
    except OSError:
        return True


def up():
    """daemon(), once it listens."""
    return daemon() if listens(MILTER) else None


def compiled():
    """Our daemon serves, and no process of it is root's."""
    d = wait(up, START_SECONDS)
    if d is None:
        return 'does not run'
    exe = os.readlink('/proc/%d/exe' % d[0])
    if not exe.endswith('/usr/bin/pyspf-milter'):
        return exe
    with open('/proc/%d/status' % d[0], encoding='ascii') as f:
        uid = re.search(r'^Uid:\s+(\d+)\s+(\d+)', f.read(), re.M).groups()
    return '' if '0' not in uid else 'root'


def by_milter(sender):
    try:
        with session(MILTER) as c:
            out = c.message('<%s>' % sender)
            c.quit()
        return ' '.join(out)
    except (OSError, ClientError) as e:
        return repr(e)


def by_policy(sender):
    """As Postfix's spawn(8) starts it."""
    p = product.Policyd(['chroot', '--userspec=policyd-spf', ROOT,
                         '/usr/bin/policyd-spf'], user=None)
    reply = p.ask([('client_address', '192.0.2.1'),
                   ('helo_name', 'none.test'), ('sender', sender),
                   ('recipient', 'you@mx.test'),
                   ('instance', 'x.%s' % time.monotonic())], 30)
    p.end(30)
    return str(reply)


def judged(name, wanted=('spf=pass', '550 5.7.23', 'prepend Received-SPF: '
                         'Pass', '550 5.7.23')):
    seen = [by_milter('u@pass.test'), by_milter('u@fail.test'),
            by_policy('u@pass.test'), by_policy('u@fail.test')]
    check(name, all(w in s for w, s in zip(wanted, seen)), seen)


def logcheck(log):
    """What is routine is not reported, and nothing else is passed over."""
    rules = [r for p in PACKAGES for r in read(
        '/etc/logcheck/ignore.d.server/' + p).decode().splitlines() if r]

    def left(records):
        lines = ['Nov 22 12:00:00 mx ' + re.sub(r'^<\d+>', '', r) + '\n'
                 for r in records]
        argv = ['grep', '-E', '-v'] + ['--regexp=' + r for r in rules]
        return subprocess.run(argv, input=''.join(lines).encode(),
                              stdout=subprocess.PIPE).stdout.decode()
    log.settle()
    start = [i for i, r in enumerate(log.records)
             if ' pyspf-milter started:' in r]
    records = [r for r in log.records[start[-1]:]
               if re.match(r'<\d+>(pyspf-milter|policyd-spf)\[', r)] \
        if start else []
    kinds = [any(t in r for r in records) for t in
             ('started:', 'connect from', 'prepend Auth', 'prepend Received',
              '5.7.23')]
    print('\n'.join('    ' + r for r in records))
    out = left(records)
    check('logcheck-is-silent', all(kinds) and out == '',
          out or 'too few kinds of lines: %r' % kinds)
    check('logcheck-is-silent-about-x-comment', left([
        '<22>%s[7]: %sprepend X-Comment: SPF skipped for whitelisted relay - '
        'client-ip=192.0.2.1; helo=x.test; envelope-from=u@x.test; '
        'receiver=y.test ' % (p, q) for p, q in
        (('policyd-spf', ': '), ('pyspf-milter', 'ABC: '))]) == '')
    holds('logcheck-reports-a-violation', left([
        '<19>pyspf-milter[7]: worker[9] ended: sandbox violation (SIGSYS)']),
        'SIGSYS')


def set_up(root):
    ns.loopback_up()
    ns.mount(root, ROOT, None, ns.MS_BIND)
    ns.mount('proc', path('/proc'), 'proc')
    ns.mount('devpts', path('/dev/pts'), 'devpts')
    ns.mount('tmpfs', path('/run'), 'tmpfs', ns.MS_NOSUID, 'mode=755')
    with open(path('/etc/resolv.conf'), 'w', encoding='ascii') as f:
        f.write('nameserver 127.0.0.1\n')
    with open(path('/etc/hosts'), 'w', encoding='ascii') as f:
        f.write('127.0.0.1 localhost\n')
    # The one service that may start, as on a machine without systemd.
    with open(path('/usr/sbin/policy-rc.d'), 'w', encoding='ascii') as f:
        f.write('#!/bin/sh\n[ "$1" = pyspf-milter ] || exit 101\n')


def digest(p):
    return hashlib.sha256(read(p)).hexdigest()


def originals():
    """Debian's packages, with the daemon in Python started."""
    install('debian/install', *PACKAGES)
    check('debian/versions', all(re.search(r'3\.(0\.4|1\.0)', v)
                                 for v in versions()), versions())
    for conf in CONFS:
        with open(os.path.join(TOP, 'conf/debian',
                               os.path.basename(conf)), 'rb') as f:
            check('debian/same-octets-as-ours/' + os.path.basename(conf),
                  f.read() == read(conf), 'Debian ships another file')
    d = wait(up, START_SECONDS)
    check('debian/runs', d and 'python' in d[1][0], d)
    return users()


def replace(was):
    before = [digest(c) for c in CONFS]
    install('over-debian/install', *ours(1))
    check('over-debian/versions', all('ii  4.0.0-1' in v for v in versions()),
          versions())
    equal('over-debian/files-as-shipped-stay', [digest(c) for c in CONFS],
          before)
    check('over-debian/users-stay', users() == was and len(was) == 2,
          users())
    seen = compiled()
    equal('over-debian/runs', seen, '')
    judged('over-debian/judged')
    check('over-debian/enabled', exists(WANTS) and
          glob.glob(path('/etc/rc2.d/S*pyspf-milter')), 'no links')
    check('over-debian/sockets-not-enabled', not
          glob.glob(path('/etc/systemd/system/*.wants/pyspf-milter*.socket')))
    holds('over-debian/init-script', read(INIT), b'Copyright (c) 2026')


def back(was):
    """An admin who does not like it finds all as it was."""
    debs = [os.path.join('/var/cache/apt/archives', os.path.basename(f))
            for p in PACKAGES for f in
            glob.glob(path('/var/cache/apt/archives/%s_*.deb' % p))]
    # The original's script cannot restart what removes its own PID file.
    run(INIT, 'stop')
    need('back/install', 'dpkg', '--force-confold', '-i', *debs)
    d = wait(up, START_SECONDS)
    check('back/runs', d and 'python' in d[1][0], d)
    equal('back/users-stay', users(), was)


def replace_changed():
    """No option says what to do about changed files: nothing is to ask."""
    with open(path(MILTER_CONF), 'a', encoding='ascii') as f:
        f.write('# of this site\nAuthserv_Id = kept.test\n')
    with open(path(POLICY_CONF), 'a', encoding='ascii') as f:
        f.write('# of this site\nMail_From_reject = False\n')
    before = [digest(c) for c in CONFS]
    install('changed/install', *ours(1))
    equal('changed/files-stay', [digest(c) for c in CONFS], before)
    check('changed/nothing-beside-them', not glob.glob(
        path('/etc/*/*.conf.dpkg-*')), glob.glob(path('/etc/*/*.dpkg-*')))
    seen = compiled()
    equal('changed/runs', seen, '')
    judged('changed/in-force', ('kept.test; spf=pass', '550 5.7.23',
                                'prepend Received-SPF: Pass',
                                'prepend Received-SPF: Fail'))
    return before


def upgrade(before):
    old = daemon()
    install('upgrade/install', *ours(2))
    check('upgrade/versions', all('ii  4.0.0-2' in v for v in versions()),
          versions())
    equal('upgrade/files-stay', [digest(c) for c in CONFS], before)
    seen = compiled()
    new = daemon()
    check('upgrade/restarted', seen == '' and old and new and
          old[0] != new[0], (seen, old, new))
    judged('upgrade/judged', ('kept.test; spf=pass', '550 5.7.23',
                              'prepend Received-SPF: Pass',
                              'prepend Received-SPF: Fail'))


def remove(before, was):
    pid = (daemon() or (0,))[0]
    need('remove/remove', 'apt-get', '-q', '-y', 'remove', *PACKAGES)
    check('remove/stopped', pid and gone(pid), pid)
    check('remove/nothing-in-run', not exists('/run/pyspf-milter'),
          glob.glob(path('/run/pyspf-milter/*')))
    check('remove/programs-gone', not any(exists('/usr/bin/' + p) for p in
                                          ('pyspf-milter', 'policyd-spf',
                                           'spfctl')))
    check('remove/files-stay', [digest(c) for c in CONFS] == before and
          exists(INIT))
    status, text = run(INIT, 'start') if os.access(path(INIT), os.X_OK) \
        else (0, '')
    check('remove/init-script-is-quiet', status == 0 and text == '', text)
    equal('remove/users-stay', users(), was)


def purge(was):
    need('purge/purge', 'apt-get', '-q', '-y', 'purge', *PACKAGES)
    rest = [p for p in subprocess.run(
        ['find', ROOT, '-xdev', '-path', path('/debs'), '-prune', '-o',
         '-path', path('/var/cache'), '-prune', '-o', '-path',
         path('/var/lib/apt'), '-prune', '-o', '-path',
         path('/var/log'), '-prune', '-o', '(', '-name', '*pyspf*', '-o',
         '-name', '*policyd*', '-o', '-name', '*spfctl*', ')', '-print'],
        stdout=subprocess.PIPE, check=True).stdout.decode().split('\n')
            if p and 'spf_engine' not in p and 'dist-packages/pyspf-' not in p]
    equal('purge/nothing-left', rest, [])
    equal('purge/users-stay', users(), was)


def fresh():
    """A machine that never had the originals, nor the users."""
    for user in USERS:
        run('deluser', '--quiet', user)
        run('delgroup', '--quiet', '--only-if-empty', user)
    equal('fresh/no-users', users(), {})
    install('fresh/install', *ours(1))
    check('fresh/users', len(users()) == 2 and
          all('/nologin' in line for line in users().values()), users())
    seen = compiled()
    equal('fresh/runs', seen, '')
    judged('fresh/judged')


def main():
    set_up(sys.argv[1])
    log = syslogd.Collector(path('/dev/log'), pids=True)
    dns = DnsServer(addr=['127.0.0.1'], port=53)
    dns.start(ZONE)
    was = originals()
    replace(was)
    logcheck(log)
    back(was)
    before = replace_changed()
    upgrade(before)
    remove(before, was)
    purge(was)
    fresh()
    finish()


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, lambda *a: sys.exit(1))
    main()
