# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""A systemd unit's settings, applied to a program without systemd.

    unit = confine.Unit('systemd/pyspf-milter.service')
    confine.popen(unit, [PROGRAM, CONF], env=...)   -> subprocess.Popen
    unit.applied, unit.left                         names of settings

In the order of systemd's exec_child(): limits, mounts, user namespace,
capabilities, uid, then the system call filters, which are made with
libseccomp from the groups that systemd-analyze prints. A setting that is
neither applied nor known to be out of reach here is an error. Inside ns.py.
"""

import ctypes
import os
import pwd
import resource
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import ns

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWNET = \
    0x20000, 0x4000000, 0x8000000, 0x10000000, 0x40000000
CLONE_NEW = {'ns': 0x20000, 'cgroup': 0x2000000, 'uts': 0x4000000,
             'ipc': 0x8000000, 'user': 0x10000000, 'pid': 0x20000000,
             'net': 0x40000000}
SYS_mount_setattr = 442
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, AT_RECURSIVE = 1, 2, 0x8000
PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP, PR_SET_SECUREBITS = 38, 24, 28
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_RDONLY = 2, 4, 8, 0x1000, 1
ALLOW, KILL = 0x7fff0000, 0x80000000
EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97
NE, LT, LE, EQ, GE, GT, MASKED = 1, 2, 3, 4, 5, 6, 7
FAMILIES = {'AF_UNIX': 1, 'AF_INET': 2, 'AF_INET6': 10, 'AF_NETLINK': 16}

# What has no meaning without systemd itself, or without its cgroups.
OUT_OF_REACH = {
    'Type', 'NotifyAccess', 'ExecStart', 'ExecReload', 'WatchdogSec',
    'Restart', 'RestartSec', 'RestartPreventExitStatus', 'KillMode',
    'TimeoutStartSec', 'TimeoutStopSec', 'DevicePolicy', 'KeyringMode',
    'RemoveIPC', 'RuntimeDirectoryPreserve', 'ExecStartPre',
    'IPAddressDeny'}
# What the list of system calls covers: the calls are in @clock, @module ...
BY_FILTER = {'ProtectClock', 'ProtectKernelModules', 'ProtectKernelLogs',
             'RestrictRealtime'}

libc = ctypes.CDLL(None, use_errno=True)


class Arg(ctypes.Structure):
    _fields_ = [('arg', ctypes.c_uint), ('op', ctypes.c_int),
                ('a', ctypes.c_uint64), ('b', ctypes.c_uint64)]


class MountAttr(ctypes.Structure):
    _fields_ = [(n, ctypes.c_uint64)
                for n in ('set', 'clear', 'propagation', 'userns')]


def fail(what):
    e = ctypes.get_errno()
    raise OSError(e, '%s: %s' % (what, os.strerror(e)))


class Unit:
    def __init__(self, path):
        self.values, self.applied, self.left = {}, [], []
        section, text = None, ''
        with open(path, encoding='utf-8') as f:
            for line in f:
                text += line.rstrip('\n')
                if text.endswith('\\'):
                    text = text[:-1] + ' '
                    continue
                line, text = text.strip(), ''
                if not line or line[0] in '#;':
                    continue
                if line[0] == '[':
                    section = line[1:-1]
                    continue
                key, value = line.split('=', 1)
                self.values.setdefault(section, {}).setdefault(
                    key.strip(), []).append(value.strip())
        self.service = self.values.get('Service', {})

    def get(self, key, default=''):
        """The last one; taken note of as applied."""
        if key in self.service:
            self.applied.append(key)
        return self.service.get(key, [default])[-1]

    def on(self, key):
        return self.get(key) in ('yes', 'true', '1', 'on')

    def rest(self):
        """Settings that nobody asked for."""
        for key in self.service:
            if key in self.applied:
                continue
            if key in BY_FILTER:
                self.applied.append(key)
            elif key in OUT_OF_REACH:
                self.left.append(key)
            else:
                raise ValueError('the test knows nothing of %s=' % key)
        self.applied = sorted(set(self.applied))


def groups():
    """@name -> its words, as systemd-analyze prints them."""
    text = subprocess.run(['systemd-analyze', 'syscall-filter'], check=True,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout.decode()
    out, cur = {}, None
    for line in text.splitlines():
        word = line.strip()
        if not word or word.startswith('#'):
            continue
        if not line[0].isspace():
            cur = out.setdefault(word, [])
        elif cur is not None:
            cur.append(word)
    return out


def expand(words, table):
    calls = set()
    for w in words:
        calls |= expand(table[w], table) if w.startswith('@') else {w}
    return calls


class Filter:
    def __init__(self, default):
        self.lib = ctypes.CDLL('libseccomp.so.2')
        self.lib.seccomp_init.restype = ctypes.c_void_p
        self.lib.seccomp_init.argtypes = [ctypes.c_uint32]
        self.lib.seccomp_rule_add_array.argtypes = [
            ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint,
            ctypes.POINTER(Arg)]
        self.lib.seccomp_load.argtypes = [ctypes.c_void_p]
        self.ctx = self.lib.seccomp_init(default)
        # NO_NEW_PRIVS is set by its own line of the unit
        self.lib.seccomp_attr_set.argtypes = [
            ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32]
        self.lib.seccomp_attr_set(self.ctx, 3, 0)

    def add(self, action, call, *args):
        nr = self.lib.seccomp_syscall_resolve_name(call.encode())
        if nr < 0:
            return      # not of this architecture, or not known to it
        a = (Arg * len(args))(*[Arg(*x) for x in args])
        rc = self.lib.seccomp_rule_add_array(self.ctx, action, nr, len(args),
                                             a)
        if rc < 0:
            raise OSError(-rc, 'seccomp rule for %s: %s'
                          % (call, os.strerror(-rc)))

    def load(self):
        rc = self.lib.seccomp_load(self.ctx)
        if rc != 0:
            raise OSError(-rc, 'seccomp_load: ' + os.strerror(-rc))


def errno_action(n):
    return 0x00050000 | n


def small_filters(u):
    """One Filter each, as systemd does."""
    no = errno_action(EPERM)
    out = []
    if u.get('RestrictAddressFamilies'):
        f = Filter(ALLOW)
        good = sorted(FAMILIES[w]
                      for w in u.get('RestrictAddressFamilies').split())
        for call in ('socket', 'socketpair'):
            for af in range(64):
                if af not in good:
                    f.add(errno_action(EAFNOSUPPORT), call, (0, EQ, af, 0))
            f.add(errno_action(EAFNOSUPPORT), call, (0, GE, 64, 0))
        out.append(f)
    if u.on('MemoryDenyWriteExecute'):
        f = Filter(ALLOW)
        f.add(no, 'mmap', (2, MASKED, 6, 6))
        f.add(no, 'mprotect', (2, MASKED, 4, 4))
        f.add(no, 'pkey_mprotect', (2, MASKED, 4, 4))
        f.add(no, 'shmat', (2, MASKED, 0o100000, 0o100000))
        out.append(f)
    if u.on('RestrictNamespaces'):
        f = Filter(ALLOW)
        f.add(errno_action(ENOSYS), 'clone3')
        f.add(no, 'setns')
        for flag in CLONE_NEW.values():
            f.add(no, 'clone', (0, MASKED, flag, flag))
            f.add(no, 'unshare', (0, MASKED, flag, flag))
        out.append(f)
    if u.on('RestrictSUIDSGID'):
        f = Filter(ALLOW)
        f.add(errno_action(ENOSYS), 'openat2')
        for bit in (0o4000, 0o2000):
            for call, n in (('chmod', 1), ('fchmod', 1), ('fchmodat', 2),
                            ('mkdir', 1), ('mkdirat', 2), ('mknod', 1),
                            ('mknodat', 2), ('creat', 1)):
                f.add(no, call, (n, MASKED, bit, bit))
            f.add(no, 'open', (1, MASKED, 0o100, 0o100),
                  (2, MASKED, bit, bit))
            f.add(no, 'openat', (2, MASKED, 0o100, 0o100),
                  (3, MASKED, bit, bit))
        out.append(f)
    if u.on('LockPersonality'):
        f = Filter(ALLOW)
        f.add(no, 'personality', (0, NE, 0, 0))
        out.append(f)
    return out


def call_filter(u, table):
    """SystemCallFilter=: the first line makes it a list of what may be."""
    lines = u.service.get('SystemCallFilter', [])
    if not lines:
        return None
    u.get('SystemCallFilter')
    if lines[0].startswith('~'):
        raise ValueError('SystemCallFilter: a list of what may not be')
    if u.get('SystemCallErrorNumber') != 'EPERM' or \
            u.get('SystemCallArchitectures') != 'native':
        raise ValueError('SystemCallErrorNumber, SystemCallArchitectures')
    calls = expand(table['@default'], table)
    for line in lines:
        if line.startswith('~'):
            calls -= expand(line[1:].split(), table)
        else:
            calls |= expand(line.split(), table)
    f = Filter(errno_action(EPERM))
    for c in sorted(calls):
        f.add(ALLOW, c)
    u.calls = calls
    return f


def setattr_mount(path, on=0, off=0):
    attr = MountAttr(on, off, 0, 0)
    if libc.syscall(SYS_mount_setattr, -100, path.encode(), AT_RECURSIVE,
                    ctypes.byref(attr), ctypes.sizeof(attr)) == -1:
        fail('mount_setattr ' + path)


def private_dev():
    new = '/run/.private-dev'
    os.mkdir(new)
    ns.mount('tmpfs', new, 'tmpfs', MS_NOSUID | MS_NOEXEC, 'mode=755')
    for node in ('null', 'zero', 'full', 'random', 'urandom', 'tty'):
        if os.path.exists('/dev/' + node):
            with open(new + '/' + node, 'w', encoding='ascii'):
                pass
            ns.mount('/dev/' + node, new + '/' + node, None, MS_BIND)
    for link, to in (('fd', '/proc/self/fd'), ('stdin', '/proc/self/fd/0'),
                     ('stdout', '/proc/self/fd/1'),
                     ('stderr', '/proc/self/fd/2'),
                     ('log', '/run/systemd/journal/dev-log')):
        os.symlink(to, new + '/' + link)
    ns.mount(new, '/dev', None, MS_BIND | 0x4000)
    libc.umount2(new.encode(), 2)
    os.rmdir(new)


def mounts(u, user):
    writable = [p for v in u.service.get('ReadWritePaths', [])
                for p in v.split()]
    u.get('ReadWritePaths')
    if u.get('RuntimeDirectory'):
        path = '/run/' + u.get('RuntimeDirectory')
        os.makedirs(path, exist_ok=True)
        os.chmod(path, int(u.get('RuntimeDirectoryMode', '0755'), 8))
        os.chown(path, user.pw_uid, user.pw_gid)
        writable.append(path)
    if u.on('PrivateMounts') and libc.unshare(CLONE_NEWNS) == -1:
        fail('unshare')
    ns.mount('none', '/', None, 0x4000 | 0x40000)   # recursive, private
    if u.on('PrivateDevices'):
        private_dev()
    strict = u.get('ProtectSystem') == 'strict'
    for path in writable if strict else []:
        path = path.lstrip('-')
        if os.path.isdir(path):
            ns.mount(path, path, None, MS_BIND | 0x4000)
    if strict:
        setattr_mount('/', MOUNT_ATTR_RDONLY)
        for path in writable:
            if os.path.isdir(path.lstrip('-')):
                setattr_mount(path.lstrip('-'), 0, MOUNT_ATTR_RDONLY)
    if u.on('ProtectHome'):
        for path in ('/home', '/root'):
            if os.path.isdir(path):
                ns.mount('tmpfs', path, 'tmpfs', MS_RDONLY, 'mode=000')
    if u.on('PrivateTmp'):
        for path in ('/tmp', '/var/tmp'):
            ns.mount('tmpfs', path, 'tmpfs', MS_NOSUID | MS_NODEV,
                     'mode=1777')
    data = []
    if u.get('ProtectProc') == 'invisible':
        data.append('hidepid=invisible')
    if u.get('ProcSubset') == 'pid':
        data.append('subset=pid')
    if data:
        ns.mount('proc', '/proc', 'proc', MS_NOSUID | MS_NODEV | MS_NOEXEC,
                 ','.join(data))
    elif u.on('ProtectKernelTunables'):
        setattr_mount('/proc/sys', MOUNT_ATTR_RDONLY)
    u.on('ProtectKernelTunables')
    if os.path.ismount('/sys'):
        setattr_mount('/sys', MOUNT_ATTR_RDONLY)
    u.on('ProtectControlGroups')


def private_users(user):
    """Root and the service's user are themselves, all others nobody."""
    ready, told = os.pipe(), os.pipe()
    target = os.getpid()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(ready[1])
            if os.read(ready[0], 1) == b'':
                os._exit(2)
            for name, n in (('uid_map', user.pw_uid),
                            ('gid_map', user.pw_gid)):
                # in one write(2), as the kernel wants it
                fd = os.open('/proc/%d/%s' % (target, name), os.O_WRONLY)
                os.write(fd, b'0 0 1\n%d %d 1\n' % (n, n))
                os.close(fd)
            code = 0
        finally:
            os._exit(code)
    if libc.unshare(CLONE_NEWUSER) == -1:
        # the kernel gives none inside of a chroot
        os.close(ready[1])
        os.waitpid(pid, 0)
        return
    os.write(ready[1], b'x')
    if os.waitpid(pid, 0)[1] != 0:
        raise OSError('no map for the user namespace')
    for fd in ready + told:
        os.close(fd)


def confine(u, table):
    user = pwd.getpwnam(u.get('User'))
    if u.get('Group', user.pw_name) != user.pw_name:
        raise ValueError('Group= is another')
    small, calls = small_filters(u), call_filter(u, table)
    for key, what in (('LimitNOFILE', resource.RLIMIT_NOFILE),
                      ('LimitCORE', resource.RLIMIT_CORE)):
        if u.get(key):
            # not every machine for tests may raise its own limits
            most = resource.getrlimit(what)[1]
            want = int(u.get(key))
            if most != resource.RLIM_INFINITY:
                want = min(want, most)
            resource.setrlimit(what, (want, want))
    os.umask(int(u.get('UMask', '0022'), 8))
    flags = 0
    if u.on('PrivateIPC'):
        flags |= CLONE_NEWIPC
    if u.on('ProtectHostname'):
        flags |= CLONE_NEWUTS
    if u.on('PrivateNetwork'):
        flags |= CLONE_NEWNET
    if libc.unshare(flags) == -1:
        fail('unshare')
    mounts(u, user)
    if u.on('PrivateUsers'):
        private_users(user)
    if u.get('CapabilityBoundingSet', 'all') == '':
        for cap in range(64):
            libc.prctl(PR_CAPBSET_DROP, cap, 0, 0, 0)
    if u.get('AmbientCapabilities'):
        raise ValueError('AmbientCapabilities')
    if u.get('SecureBits') == 'noroot noroot-locked' and \
            libc.prctl(PR_SET_SECUREBITS, 3, 0, 0, 0) == -1:
        fail('securebits')
    # systemd calls initgroups(3), whose list begins with the user's group
    os.setgroups([user.pw_gid])
    os.setresgid(*(user.pw_gid,) * 3)
    os.setresuid(*(user.pw_uid,) * 3)
    if u.on('NoNewPrivileges') and \
            libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1:
        fail('NO_NEW_PRIVS')
    u.rest()
    for f in small + [calls]:
        if f is not None:
            f.load()


def popen(unit, argv, **more):
    """The program under the unit. What was applied is known afterwards."""
    table = groups()
    # a dry look at the settings, so that the caller learns their names
    for key in unit.service:
        known = key in OUT_OF_REACH
        (unit.left if known else unit.applied).append(key)
    copy = Unit.__new__(Unit)
    copy.values, copy.service = unit.values, unit.service
    copy.applied, copy.left = [], []

    def before():
        try:
            confine(copy, table)
        except BaseException as e:
            os.write(2, ('confine: %r\n' % e).encode())
            raise
    return subprocess.Popen(argv, preexec_fn=before, cwd='/', **more)
