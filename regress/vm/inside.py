#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The tests in a machine that vm.py boots: a Debian with systemd, AppArmor,
journald and Postfix. regress.service runs it at each boot; STAGES are the
boots, and a file says which is next. It prints to a port of QEMU's.
"""

import ctypes
import glob
import hashlib
import os
import pwd
import re
import subprocess
import sys
import time
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, 'regress', 'lib'))
import dnsd
import pf
import product
from check import Checks, wait
from client import ClientError, listens
from daemon import children_of, processes, role, status
from load import Load, rejected
from maildir import Maildir
from milterclient import session, verdict

PORT = '/dev/virtio-ports/regress.results'
STAGE = '/var/lib/regress.stage'
PACKAGES = ('pyspf-milter', 'postfix-policyd-spf-python')
USER = 'pyspf-milter'
SERVICE = 'pyspf-milter.service'
SOCKETS = ('pyspf-milter.socket', 'pyspf-milter-policy.socket')
CONF = '/etc/pyspf-milter/pyspf-milter.conf'
POLICY_CONF = '/etc/postfix-policyd-spf-python/policyd-spf.conf'
CONFS = (CONF, POLICY_CONF)
INET = 'inet:127.0.0.1:8893'
QUEUE = '/var/spool/postfix/pyspf-milter'
PROFILES = '/sys/kernel/security/apparmor/profiles'
ENV = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C',
       'HOME': '/root', 'DEBIAN_FRONTEND': 'noninteractive'}
LANDLOCK_CREATE_RULESET = 444
# the ABI from which on it restricts them
LANDLOCK = ((3, 'truncate(2)'), (4, 'TCP ports'), (5, 'ioctl(2) on devices'),
            (6, 'signals, abstract sockets'))
# what the tests of the tree that run here need is built in /src/build
ROWS = ('units', 'engine-suite', 'policy-suite', 'sandbox', 'proc', 'life',
        'timeouts', 'postfix-mail')

with open('/etc/os-release', encoding='utf-8') as release:
    VERSION = re.search(r'^VERSION_ID="?(\d+)', release.read(), re.M).group(1)
report = Checks(VERSION + '/')
check, equal, holds, empty = (report.check, report.equal, report.holds,
                              report.empty)


class Box(Maildir):
    box = '/var/spool/box/box'


mailbox = Box()


def run(*argv, seconds=180, quiet=False, **more):
    """(status, what it printed)"""
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=seconds,
                       env=dict(ENV), cwd='/root', check=False, **more)
    text = p.stdout.decode(errors='replace').strip()
    if not quiet:
        print('# %s: %d' % (' '.join(argv), p.returncode), flush=True)
        for line in text.splitlines()[-25:]:
            print('    ' + line[:300])
    return p.returncode, text


def works(name, *argv, part='', **more):
    """It ends with 0 and prints the part."""
    code, text = run(*argv, **more)
    return check(name, code == 0 and part in text,
                 'status %d: %s' % (code, text[-300:]))


def ctl(*argv, **more):
    return run('systemctl', '--no-pager', *argv, **more)


def show(key, unit=SERVICE):
    return ctl('show', '-P', key, unit, quiet=True)[1]


def failed_units():
    return ctl('--failed', '--plain', '--no-legend', quiet=True)[1]


def journal(pattern, *argv):
    text = run('journalctl', '--no-pager', '-q', *argv, quiet=True)[1]
    return [line for line in text.splitlines() if re.search(pattern, line)]


def digests():
    out = []
    for c in CONFS:
        with open(c, 'rb') as f:
            out.append(hashlib.sha256(f.read()).hexdigest())
    return out


def readme(text):
    """A setting as README tells it; a test when it no longer does."""
    with open(TOP + '/README', encoding='utf-8') as f:
        flat = ' '.join(f.read().split())
    if ' '.join(text.split()) not in flat:
        check('readme', False, 'README no longer has: ' + text)
    return text


def landlock_abi():
    return ctypes.CDLL(None).syscall(LANDLOCK_CREATE_RULESET, None, 0, 1)


# ---- the machine

def booted():
    state = ctl('is-system-running', '--wait', seconds=600)[1]
    print('# booted in %.0f s' % time.clock_gettime(time.CLOCK_BOOTTIME))
    check('booted', state == 'running', '%s, failed: %s' % (
        state, failed_units()))


def machine():
    """What is tested on; without these the rest would say nothing."""
    for argv in (('uname', '-srm'), ('systemctl', '--version'),
                 ('postconf', '-h', 'mail_version'), ('dpkg', '-l', 'apparmor',
                  'libunbound8', 'libseccomp2', 'libc6')):
        run(*argv)
    with open('/sys/module/apparmor/parameters/enabled',
              encoding='ascii') as f:
        equal('machine/apparmor', f.read().strip(), 'Y')
    with open('/sys/kernel/security/lsm', encoding='ascii') as f:
        holds('machine/landlock', f.read().split(','), 'landlock')
    print('# Landlock ABI %d' % landlock_abi())
    check('machine/systemd', os.readlink('/proc/1/exe').endswith('/systemd'))


def serves(seconds=60):
    return wait(lambda: listens(INET), seconds) and \
        show('ActiveState') == 'active'


def by_milter(sender, where=INET):
    try:
        with session(where) as c:
            out = c.message('<%s>' % sender)
            c.quit()
        return ' '.join(out)
    except (OSError, ClientError) as e:
        return repr(e)


def by_policyd(sender):
    """As Postfix's spawn(8) starts it."""
    p = product.Policyd(['setpriv', '--reuid=nobody', '--regid=nogroup',
                         '--clear-groups', '/usr/bin/policyd-spf'], user=None)
    reply = p.ask([('client_address', '192.0.2.1'),
                   ('helo_name', 'none.test'), ('sender', sender),
                   ('recipient', 'you@mx.test'), ('instance', 'x.1')], 60)
    p.end(30)
    return str(reply)


def main_exe():
    try:
        return os.readlink('/proc/%s/exe' % show('MainPID'))
    except OSError as e:
        return str(e)


# ---- packages

def original(name):
    """Debian's package of spf-engine, as a machine has it before, or when
    its administrator goes back."""
    works(name + '/install', 'dpkg', '--force-confold', '-i',
          *sorted(glob.glob('/debs/original/*.deb')))
    check(name + '/serves', serves(), show('ActiveState'))
    holds(name + '/judges', by_milter('u@pass.test'), 'spf=pass')
    check(name + '/is-python', 'python' in main_exe(), main_exe())
    holds(name + '/policyd', by_policyd('u@pass.test'), 'prepend')


def upgrade():
    before = digests()
    works('upgrade/install', 'dpkg', '-i', *sorted(glob.glob('/debs/*.deb')))
    ours('upgrade')
    equal('upgrade/configuration-stays', digests(), before)
    original('back')
    equal('back/configuration-stays', digests(), before)
    equal('back/profiles-are-unloaded', profiles(), [])
    works('back/apparmor-restart', 'systemctl', 'restart', 'apparmor')
    equal('back/profiles-stay-unloaded', profiles(), [])
    works('again/install', 'dpkg', '-i', *sorted(glob.glob('/debs/*.deb')))
    ours('again')


def ours(name):
    check(name + '/serves', serves(), show('ActiveState'))
    equal(name + '/is-ours', main_exe(), '/usr/bin/pyspf-milter')
    equal(name + '/apparmor', profiles(), [
        p + ' (enforce)' for p in ('policyd-spf', 'pyspf-milter', 'spfctl')])
    holds(name + '/pass', by_milter('u@pass.test'), 'spf=pass')
    holds(name + '/fail', by_milter('u@fail.test'), '550 5.7.23')
    equal(name + '/nothing-failed', failed_units(), '')


def profiles():
    """Those of our programs that the kernel has."""
    with open(PROFILES, encoding='ascii') as f:
        return sorted(p for p in f.read().splitlines() if re.match(
            '(pyspf-milter|policyd-spf|spfctl) ', p))


def left():
    """What a purged package must not leave."""
    elsewhere = '/src /debs /root /var/log /var/spool/postfix /usr/lib/python3'
    prune = [a for path in elsewhere.split()
             for a in ('-path', path, '-prune', '-o')]
    out = run('find', '/', '-xdev', *prune, '(', '-name', '*pyspf*', '-o',
              '-name', '*policyd-spf*', '-o', '-name', '*spfctl*', ')',
              '-print', quiet=True)[1].splitlines()
    out += glob.glob('/run/*pyspf*')
    out += ['profile ' + p for p in profiles()]
    out += ctl('list-unit-files', '--plain', '--no-legend', 'pyspf*',
               quiet=True)[1].splitlines()
    return out


def purge(name):
    pids = processes('pyspf-milter')
    works(name + '/remove', 'dpkg', '-r', *PACKAGES)
    equal(name + '/stopped', [p for p in pids if status(p)], [])
    check(name + '/nothing-in-run', not glob.glob('/run/pyspf-milter*'),
          glob.glob('/run/pyspf-milter*/*'))
    check(name + '/configuration-stays', all(map(os.path.exists, CONFS)))
    works(name + '/purge', 'dpkg', '-P', *PACKAGES)
    equal(name + '/nothing-left', left(), [])
    equal(name + '/nothing-failed', failed_units(), '')
    check(name + '/user-stays', pwd.getpwnam(USER).pw_uid > 0)


def install():
    works('install/install', 'dpkg', '-i', *sorted(glob.glob('/debs/*.deb')))
    check('install/serves', serves(), show('ActiveState'))
    equal('install/enabled', show('UnitFileState'), 'enabled')
    equal('install/sockets-not-enabled',
          [show('UnitFileState', s) for s in SOCKETS], ['disabled'] * 2)
    works('install/systemctl-status', 'systemctl', '--no-pager', 'status',
          SERVICE, part='active (running)')
    works('install/spfctl-status', 'spfctl', 'status', part='seccomp')
    kernel_limits()


def kernel_limits():
    """What this kernel's Landlock does not restrict is said at the start, once,
    and in the status; on a newer kernel nothing is said."""
    abi = landlock_abi()
    want = ', '.join(what for since, what in LANDLOCK if since > abi)
    said = re.findall('not restricted by this kernel: (.*)',
                      run('spfctl', 'status', quiet=True)[1])
    equal('kernel-limits/status', said, [want] if want else [])
    lines = journal('does not restrict', '_SYSTEMD_INVOCATION_ID=' +
                    show('InvocationID'))
    equal('kernel-limits/log', [line.rsplit(': ', 1)[1] for line in lines],
          [want] if want else [])


# ---- the processes

# Only a privileged process can empty CapBnd: spawn(8) starts none.
HELD = ('CapInh', 'CapPrm', 'CapEff', 'CapAmb')


def label(pid):
    with open('/proc/%d/attr/current' % pid, encoding='ascii') as f:
        return f.read().strip('\0\n')


def look(name, pid, user, profile, caps):
    pw = pwd.getpwnam(user)
    wait(lambda: status(pid).get('Seccomp') == '2')
    s = status(pid)
    equal(name + '/uid', s['Uid'].split(), [str(pw.pw_uid)] * 4)
    equal(name + '/gid', s['Gid'].split(), [str(pw.pw_gid)] * 4)
    # systemd adds the user's own group to it, which means nothing more
    check(name + '/groups', s['Groups'].split() in ([], [str(pw.pw_gid)]),
          s['Groups'])
    for cap in caps:
        equal('%s/%s' % (name, cap), int(s[cap], 16), 0)
    equal(name + '/no-new-privs', s['NoNewPrivs'], '1')
    equal(name + '/seccomp', s['Seccomp'], '2')
    equal(name + '/apparmor', label(pid), profile + ' (enforce)')


def daemon_processes(name, roles=('dns', 'parent', 'worker')):
    parent = int(show('MainPID'))
    wait(lambda: {role(p) for p in children_of(parent)} == set(roles) -
         {'parent'})
    pids = [parent] + children_of(parent)
    equal(name + '/roles', sorted(set(map(role, pids))), list(roles))
    for n, pid in enumerate(pids):
        look('%s/%s-%d' % (name, role(pid), n), pid, USER, 'pyspf-milter',
             HELD + ('CapBnd',))


def policyd_processes():
    """Those that Postfix's spawn(8) started for the tests before."""
    pids = processes('policyd-spf')
    if not check('policyd/runs', len(pids) >= 2, pids):
        return
    for n, pid in enumerate(pids):
        look('policyd/%d' % n, pid, 'policyd-spf', 'policyd-spf', HELD)


# ---- mail

MAIN = ('virtual_mailbox_domains = dest.test',
        'virtual_mailbox_base = /var/spool/box',
        'virtual_mailbox_maps = static:box/', 'virtual_minimum_uid = 1',
        'smtpd_authorized_xclient_hosts = 127.0.0.0/8',
        'smtpd_relay_restrictions = reject_unauth_destination',
        'smtpd_peername_lookup = no', 'smtpd_error_sleep_time = 0',
        'smtpd_hard_error_limit = 2000', 'inet_interfaces = loopback-only',
        'milter_default_action = tempfail',
        'default_transport = error:no mail leaves here',
        'policyd-spf_time_limit = 3600')
# way: (port, setting of its smtpd as README has it)
WAYS = {
    'milter-inet': (10021, 'smtpd_milters = inet:localhost:8893'),
    'milter-unix': (10022, 'smtpd_milters = unix:pyspf-milter/sock'),
    'policy-spawn': (10023, 'check_policy_service unix:private/policyd-spf'),
    'policy-inet': (10025, 'check_policy_service inet:127.0.0.1:8894'),
    'policy-unix': (10024, None),
    'milter-activated': (10026, None),
}
OTHER = {
    'policy-unix': 'check_policy_service unix:pyspf-milter/policy.sock',
    'milter-activated': 'smtpd_milters = unix:pyspf-milter/pyspf-milter.sock',
}
BY_INET = ('Socket = inet:8893@localhost\n'
           'PolicySocket = inet:127.0.0.1:8894\n')
BY_UNIX = ('Socket = local:%s/sock\nPolicySocket = local:%s/policy.sock\n'
           % (QUEUE, QUEUE))


def set_up_postfix():
    """Debian's, whose smtpd runs in a chroot, with README's settings."""
    nobody = pwd.getpwnam('nobody')
    os.makedirs(Box.box, exist_ok=True)
    for folder in ('/var/spool/box', Box.box):
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    for setting in MAIN + ('virtual_uid_maps = static:%d' % nobody.pw_uid,
                           'virtual_gid_maps = static:%d' % nobody.pw_gid):
        run('postconf', '-e', setting, quiet=True)
    readme('policyd-spf unix - n n - 0 spawn '
           'user=policyd-spf argv=/usr/bin/policyd-spf')
    run('postconf', '-M', 'policyd-spf/unix=policyd-spf unix - n n - 0 spawn '
        'user=policyd-spf argv=/usr/bin/policyd-spf')
    for way, (port, setting) in WAYS.items():
        setting = readme(setting) if setting else OTHER[way]
        if setting.startswith('check_'):
            setting = 'smtpd_recipient_restrictions = ' \
                'reject_unauth_destination, ' + setting
        run('postconf', '-M', '%d/inet=%d inet n - y - - smtpd '
            '-o { %s }' % (port, port, setting), quiet=True)
    works('postfix/check', 'postfix', 'check')
    works('postfix/restart', 'systemctl', 'restart', 'postfix')
    check('postfix/serves', wait(lambda: all(
        listens(('127.0.0.1', port)) for port, _ in WAYS.values()), 60))


def set_up_queue():
    """The directory for sockets that a chrooted Postfix can use."""
    advice = readme('install -d -o pyspf-milter -g postfix -m 2750 \\ '
                    '/var/spool/postfix/pyspf-milter')
    works('postfix/directory', *advice.replace('\\ ', '').split())


def configure(text):
    """The package's file, with other sockets."""
    with open(TOP + '/conf/debian/pyspf-milter.conf', encoding='ascii') as f:
        shipped = re.sub(r'^Socket *=.*\n', '', f.read(), flags=re.M)
    product.write_file(CONF, shipped + text)


def send(port, sender):
    s = pf.Smtp(port)
    got = s.mail('none.test', sender)
    s.quit()
    return got


def way(name, test=None):
    """A message that passes is marked, one that fails is rejected."""
    port = WAYS[name][0]
    field = pf_field(name)
    test = 'mail/' + (test or name)
    mailbox.forget()
    try:
        got = send(port, 'u@pass.test')
        seen = mailbox.delivered(1, 30)
        own = [v for m in seen for n, v in pf.headers(m) if n == field]
        check(test + '/pass', got[-1].startswith('250') and len(own) == 1 and
              'pass.test' in own[0], (got, own))
        got = send(port, 'u@fail.test')
        check(test + '/fail', got[-1].startswith('550 5.7.23'), got)
    except (OSError, RuntimeError) as e:
        check(test, False, repr(e))


def pf_field(name):
    return 'Authentication-Results' if name.startswith('milter') else \
        'Received-SPF'


def restart(name):
    works(name, 'systemctl', 'restart', SERVICE)
    check(name + '-serves', wait(lambda: show('ActiveState') == 'active'),
          show('ActiveState'))


def mail():
    set_up_postfix()
    set_up_queue()
    configure(BY_INET)
    restart('mail/inet')
    for name in ('milter-inet', 'policy-inet', 'policy-spawn'):
        way(name)
    policyd_processes()
    configure(BY_UNIX)
    restart('mail/unix')
    for name in ('milter-unix', 'policy-unix'):
        way(name)
    configure(BY_INET)
    restart('mail/back')
    restart_under_load()


def restart_under_load():
    """While the daemon is away, mail is deferred; none gets by unjudged."""
    def turn(number, n):
        got = send(WAYS['milter-inet'][0], 'u@fail.test')[-1]
        deferred.extend(got for _ in [0] if got[:1] == '4')
        yield got.startswith('550 5.7.23') or got[:1] == '4' or got
    deferred = []
    with Load(turn, turn, pause=0.05) as load:
        for n in range(3):
            load.more(10, 60)
            works('restart-under-load/%d' % n, 'systemctl', 'restart',
                  SERVICE)
        load.more(10, 60)
    print('# %d messages, %d of them deferred' % (load.done, len(deferred)))
    empty('restart-under-load/none-unjudged', load.wrong)
    empty('restart-under-load/none-lost', load.lost)
    check('restart-under-load/judged', load.done - len(deferred) >= 40,
          (load.done, len(deferred)))


# ---- what an admin does

def reload():
    pid = show('MainPID')
    configure(BY_INET + 'Mail_From_reject = False\n')
    works('reload/systemctl', 'systemctl', 'reload', SERVICE)
    check('reload/in-force', wait(lambda: verdict(INET) == 'c', 30),
          verdict(INET))
    configure(BY_INET)
    works('reload/spfctl', 'spfctl', 'reload')
    check('reload/in-force-again', wait(lambda: verdict(INET).startswith(
        'y 550 5.7.23'), 30), verdict(INET))
    configure(BY_INET + 'Lookup_Time = soon\n')
    code, text = ctl('reload', SERVICE)
    check('reload/bad-file-fails', code != 0, text)
    equal('reload/spfctl-bad-file', run('spfctl', 'reload')[0], 78)
    check('reload/bad-file-changes-nothing', verdict(INET).startswith(
        'y 550 5.7.23'), verdict(INET))
    configure(BY_INET)
    works('reload/after-bad-file', 'systemctl', 'reload', SERVICE)
    configure(BY_INET + 'Frobnicate = yes\n')
    works('reload/unknown-key', 'systemctl', 'reload', SERVICE)
    check('reload/unknown-key-is-logged', wait(lambda: journal(
        'unknown key "Frobnicate"', '-u', SERVICE), 20))
    configure(BY_INET)
    works('reload/last', 'systemctl', 'reload', SERVICE)
    equal('reload/same-process', show('MainPID'), pid)


def resolvers():
    """The daemon follows /etc/resolv.conf, as a file and as a link."""
    def seen():
        return re.findall(r'\S+@53', run('spfctl', 'status', quiet=True)[1])
    equal('resolvers/at-first', seen(), ['127.0.0.1@53'])
    product.write_file('/etc/resolv.conf.new', 'nameserver 127.0.0.2\n')
    os.rename('/etc/resolv.conf.new', '/etc/resolv.conf')
    check('resolvers/replaced', wait(lambda: seen() == ['127.0.0.2@53'], 30,
                                     0.5), seen())
    os.makedirs('/run/systemd/resolve', exist_ok=True)
    restart('resolvers/restart')
    target = product.write_file('/run/systemd/resolve/resolv.conf',
                                'nameserver 127.0.0.1\n')
    os.unlink('/etc/resolv.conf')
    os.symlink(target, '/etc/resolv.conf')
    check('resolvers/link', wait(lambda: seen() == ['127.0.0.1@53'], 30, 0.5),
          seen())
    product.write_file(target, 'nameserver 127.0.0.3\n')
    check('resolvers/target', wait(lambda: seen() == ['127.0.0.3@53'], 30,
                                   0.5), seen())
    os.unlink('/etc/resolv.conf')
    product.write_file('/etc/resolv.conf', 'nameserver 127.0.0.1\n')
    check('resolvers/file-again', wait(lambda: seen() == ['127.0.0.1@53'], 30,
                                       0.5), seen())


def every_process():
    """With the roles that only some configurations have."""
    configure(BY_INET + 'Milter_Frontend = libmilter\nLog_Format = json\n'
              'Second_Opinion = libspf2\n')
    restart('every-process/restart')
    way('milter-inet', 'every-process')
    way('policy-inet', 'every-process-policy')
    daemon_processes('every-process', ['dns', 'libmilter', 'parent', 'shadow',
                                       'worker'])
    configure(BY_INET)
    restart('every-process/back')


def start_by_hand():
    with open('/root/by-hand.log', 'wb') as log:
        p = subprocess.Popen(['pyspf-milter', '-d', CONF], env=ENV, cwd='/',
                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    return p, wait(lambda: listens(INET), 60)


def by_hand():
    """Started by root, without systemd: the daemon makes its directory and
    gives root up itself."""
    ctl('stop', SERVICE)
    run('rm', '-r', '/run/pyspf-milter')
    p, good = start_by_hand()
    check('by-hand/serves', good)
    holds('by-hand/judges', by_milter('u@fail.test'), '550 5.7.23')
    pids = [p.pid] + children_of(p.pid)
    for n, pid in enumerate(pids):
        look('by-hand/%s-%d' % (role(pid), n), pid, USER, 'pyspf-milter',
             HELD + ('CapBnd',))
    works('by-hand/spfctl', 'spfctl', 'status', part='worker')
    # fs.protected_regular: the PID file is in a sticky directory
    code, text = run('pyspf-milter', '-d', CONF)
    check('by-hand/second', code == 69 and 'running already' in text,
          (code, text))
    p.kill()
    p.wait()
    wait(lambda: not any(map(status, pids[1:])), 20)
    p, good = start_by_hand()
    check('by-hand/after-a-kill', good and p.poll() is None)
    equal('by-hand/end', product.end(p, 30), 0)
    run('cat', '/root/by-hand.log')
    works('by-hand/service-again', 'systemctl', 'start', SERVICE)
    check('by-hand/service-serves', serves(), show('ActiveState'))


ZONE = '/root/example.zone'
CHECK = ('192.0.2.1', 'alice@pass.test', 'mail.none.test')
# name: (argv, what it prints)
COMMANDS = {
    'status': ('spfctl status', 'worker'),
    'status-json': ('spfctl status --json', '"worker"'),
    'stats': ('spfctl stats', 'milter'),
    'metrics': ('spfctl metrics', '# EOF'),
    'flush': ('spfctl flush', ''),
    'verbose': ('spfctl log verbose', ''),
    'brief': ('spfctl log brief', ''),
    'lint': ('spfctl lint pass.test', 'pass.test'),
    'lint-zone': ('spfctl lint --zone %s out.mailer.example.com' % ZONE,
                  'nothing found'),
    'check': ('spfctl check %s %s %s' % CHECK, 'Verdict pass'),
    'check-zone': ('spfctl check --zone %s 203.0.113.70 alice@example.com '
                   'out.mailer.example.com' % ZONE, 'Verdict pass'),
    'check-policy': ('spfctl check --policy %s %s %s' % CHECK, 'Received-SPF'),
    'check-second-opinion': ('spfctl check --second-opinion %s %s %s'
                             % CHECK, 'libspf2'),
    'check-config': ('spfctl check --config /root/other.conf %s %s %s'
                     % CHECK, 'Verdict pass'),
    'check-json': ('spfctl check --json %s %s %s' % CHECK, '"pass"'),
    'n': ('pyspf-milter -n %s' % CONF, ''),
    'nv': ('pyspf-milter -nv', 'Mail_From_reject'),
}


def commands():
    """All that README names, as root and, where it may, as anybody."""
    run('cp', TOP + '/regress/ctl/example.zone', ZONE)
    run('cp', CONF, '/root/other.conf')
    for name, (argv, part) in COMMANDS.items():
        works('root/' + name, *argv.split(), part=part)
    for name in ('check', 'lint', 'check-policy'):
        argv, part = COMMANDS[name]
        works('nobody/' + name, 'runuser', '-u', 'nobody', '--',
              *argv.split(), part=part)
    code, text = run('runuser', '-u', 'nobody', '--', 'spfctl', 'status')
    check('nobody/status-is-refused', code != 0, text)
    for name in ('status', 'stats', 'metrics', 'flush', 'reload'):
        works('own-user/' + name, 'runuser', '-u', USER, '--', 'spfctl', name)
    # output to a file, and a file of the directory where one is
    for path in ('/root/out', '/tmp/out', '/var/tmp/out'):
        run('sh', '-c', 'spfctl metrics >' + path)
        with open(path, encoding='utf-8') as f:
            holds('output-to' + path, f.read(), '# EOF')
    watch = subprocess.Popen(['spfctl', 'stats', '--watch', '1'], env=ENV,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
    time.sleep(4)
    watch.terminate()
    text = watch.communicate(timeout=20)[0].decode()
    check('root/stats-watch', text.count('\n') >= 3, text)


def metrics_timer():
    folder = '/var/lib/prometheus/node-exporter'
    os.makedirs(folder)
    works('metrics/start', 'systemctl', 'start', 'pyspf-milter-metrics.timer')

    def text():
        try:
            with open(folder + '/pyspf-milter.prom', encoding='utf-8') as f:
                return f.read()
        except OSError as e:
            return str(e)
    check('metrics/written', wait(lambda: text().endswith('# EOF\n'), 60),
          text())
    ctl('stop', 'pyspf-milter-metrics.timer')


# ---- sockets that systemd holds

def activation():
    """As the socket unit's text says for a chrooted Postfix."""
    with open('/lib/systemd/system/pyspf-milter.socket',
              encoding='utf-8') as f:
        text = '\n'.join(re.findall(r'^#\t(.*)$', f.read(), re.M)) + '\n'
    folder = '/etc/systemd/system/pyspf-milter.socket.d'
    os.makedirs(folder)
    product.write_file(folder + '/postfix.conf', text)
    holds('activation/advice', text, QUEUE + '/pyspf-milter.sock')
    configure('PolicySocket = none\n')
    ctl('daemon-reload')
    ctl('stop', SERVICE)
    works('activation/enable', 'systemctl', 'enable', '--now', *SOCKETS)
    equal('activation/not-yet', show('ActiveState'), 'inactive')
    way('milter-activated')
    equal('activation/started', show('ActiveState'), 'active')
    where = QUEUE + '/pyspf-milter.sock'
    good = 0
    with Load(*[rejected(lambda: session(where))] * 2, pause=0.02) as load:
        for _ in range(3):
            load.more(20, 60)
            good += ctl('restart', SERVICE)[0] == 0
        load.more(20, 60)
    print('# %d judged, %d refused' % (load.done, load.refused))
    equal('activation/restarts', good, 3)
    equal('activation/no-connect-refused', load.refused, 0)
    empty('activation/no-message-lost', load.lost + load.wrong)
    check('activation/judged', load.done >= 60, load.done)


def after_reboot():
    for unit in SOCKETS:
        equal('reboot/' + unit, show('ActiveState', unit), 'active')
    check('reboot/serves', wait(lambda: show('ActiveState') == 'active', 60),
          show('ActiveState'))
    way('milter-activated', 'after-reboot')
    daemon_processes('reboot')
    equal('reboot/nothing-failed', failed_units(), '')


# ---- what the machine saw

DENIED = r'apparmor="(DENIED|ALLOWED)"'
KILLED = r'type=1326|SECCOMP auid|SIGSYS|sandbox violation'


def nothing_denied():
    """In the journal of all boots."""
    denied = journal(DENIED)
    killed = journal(KILLED)
    warned = journal(r'TCP_NODELAY failed')
    for line in denied + killed + warned:
        print('    ' + line[:400])
    empty('journal/no-apparmor-denial', denied)
    empty('journal/no-seccomp', killed)
    empty('journal/no-warning-of-a-unit', warned)


def would_be_seen():
    """Such a line is in the journal when something is denied."""
    run('aa-exec', '-p', 'spfctl', '--', 'cat', '/etc/shadow')
    run('systemd-run', '--wait', '--collect', '-q', '-p',
        'SystemCallFilter=~chroot', 'chroot', '/', 'true')
    check('journal/would-have-a-denial', wait(lambda: journal(DENIED), 20))
    check('journal/would-have-seccomp', wait(lambda: journal(KILLED), 20))


def make_run():
    started = time.monotonic()
    works('make-run', 'env', 'DEMO_ONCE=1', 'make', '-j2', '-C', TOP, 'run',
          'B=/root/b', seconds=1500, part='550 5.7.23')
    print('# make run: %.0f s' % (time.monotonic() - started))


def rows():
    """Rows of the table whose programs image.sh has built."""
    started = time.monotonic()
    run('make', '-C', TOP, 'user')
    run(TOP + '/regress/run', TOP + '/build', '--', *ROWS, seconds=1200)
    for row in ROWS:
        path = '%s/build/log/%s.log' % (TOP, row)
        with open(path, encoding='utf-8', errors='replace') as f:
            lines = re.findall(r'^(ok|not ok|skip) (.*)$', f.read(), re.M)
        for kind, text in lines:
            Checks.failures += kind == 'not ok'
            print('%s %s/%s' % (kind, VERSION, text))
        check('rows/%s-ran' % row, lines)
    print('# rows: %.0f s' % (time.monotonic() - started), flush=True)


def remove():
    """The sockets are enabled and listen; the package ends them."""
    run('rm', '-r', '/etc/systemd/system/pyspf-milter.socket.d')
    ctl('daemon-reload')
    purge('purge')
    equal('purge/sockets', [show('ActiveState', s) for s in SOCKETS],
          ['inactive'] * 2)
    run('rm', '-r', QUEUE)


def first_boot():
    machine()
    original('original')
    upgrade()
    purge('upgraded')
    install()
    daemon_processes('processes')
    mail()
    reload()
    resolvers()
    every_process()
    commands()
    by_hand()
    metrics_timer()
    activation()
    equal('nothing-failed', failed_units(), '')


def second_boot():
    after_reboot()
    nothing_denied()
    would_be_seen()
    remove()
    rows()
    make_run()


STAGES = (first_boot, second_boot)


def next_stage():
    try:
        with open(STAGE, encoding='ascii') as f:
            return int(f.read())
    except OSError:
        return 0


def main():
    wait(lambda: os.path.exists(PORT), 60)
    port = os.open(PORT, os.O_WRONLY)
    os.dup2(port, 1)
    os.dup2(port, 2)
    n = next_stage()
    dns = dnsd.DnsServer(addr=['127.0.0.1'], port=53)
    dns.start(pf.base_zone())
    try:
        booted()
        STAGES[n]()
    except Exception:
        check('stage-%d' % n, False, traceback.format_exc())
    product.write_file(STAGE, str(n + 1))
    if n + 1 == len(STAGES):
        print('end', flush=True)
        ctl('poweroff', quiet=True)
    else:
        ctl('reboot', quiet=True)


if __name__ == '__main__':
    main()
