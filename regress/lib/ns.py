#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""A private machine for one test: own mount, network, host name and process
namespaces, so that nothing of the real /etc, /run or /var changes and every
process ends with the test.

    regress/lib/ns.py [-w] COMMAND [ARGUMENT ...]   runs a command in it
    ns.enter('name')                                first line of a test's main

Inside: only the loopback interface; host name mx.example.test;
/etc/resolv.conf names 127.0.0.1; /run is empty; /dev/log is free for a
collector; /etc is a copy that may be written to, with the users pyspf-milter
and policyd-spf.
/tmp is the real one. -w: the real /etc (read-only), for programs that mind.
"""

import ctypes
import errno
import fcntl
import grp
import os
import pwd
import signal
import socket
import struct
import subprocess
import sys
import tempfile

from check import skip

HOSTNAME = 'mx.example.test'
MARK = 'PYSPF_MILTER_TEST_NS'
USERS = (('pyspf-milter', 991), ('policyd-spf', 992))
MS_BIND, MS_REC, MS_PRIVATE, MS_NOSUID = 0x1000, 0x4000, 0x40000, 2
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

libc = ctypes.CDLL(None, use_errno=True)


def inside():
    return MARK in os.environ


def reason():
    """Why namespaces cannot be had here, or None."""
    if os.geteuid() != 0:
        return 'needs root for its own namespaces'
    p = subprocess.run(['unshare', '-mnup', '--fork', 'true'],
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if p.returncode != 0:
        return 'no namespaces here: ' + \
            p.stderr.decode(errors='replace').strip()
    return None


def command(argv):
    # --kill-child: when the test is ended from outside, all inside ends.
    return ['unshare', '-mnup', '--fork', '--kill-child', '--mount-proc',
            '--propagation', 'private', sys.executable,
            os.path.abspath(__file__), '--inside'] + argv


def enter(name):
    """Goes on inside, in the same script; or prints a skip line and ends."""
    if inside():
        return
    why = reason()
    if why is not None:
        skip(name, why)
        sys.exit(0)
    sys.stdout.flush()
    argv = command([sys.executable] + sys.argv)
    os.execvp(argv[0], argv)


def mount(source, target, fstype=None, flags=0, data=None):
    def text(s):
        return None if s is None else s.encode()
    if libc.mount(text(source), text(target), text(fstype),
                  ctypes.c_ulong(flags), text(data)) == -1:
        e = ctypes.get_errno()
        raise OSError(e, 'mount %s: %s' % (target, os.strerror(e)))


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        req = struct.pack('16sh14x', b'lo', 0)
        flags = struct.unpack('16sh14x', fcntl.ioctl(s, SIOCGIFFLAGS, req))[1]
        fcntl.ioctl(s, SIOCSIFFLAGS,
                    struct.pack('16sh14x', b'lo', flags | IFF_UP))


def private_dev(scratch):
    """A small /dev, so that /dev/log is ours."""
    new = os.path.join(scratch, 'dev')
    os.mkdir(new)
    mount('tmpfs', new, 'tmpfs', MS_NOSUID, 'mode=755')
    for node in ('null', 'zero', 'full', 'random', 'urandom', 'tty'):
        if os.path.exists('/dev/' + node):
            with open(os.path.join(new, node), 'w', encoding='ascii'):
                pass
            mount('/dev/' + node, os.path.join(new, node), None, MS_BIND)
    for folder in ('pts', 'shm'):
        if os.path.isdir('/dev/' + folder):
            os.mkdir(os.path.join(new, folder))
            mount('/dev/' + folder, os.path.join(new, folder), None, MS_BIND)
    for link, to in (('fd', '/proc/self/fd'), ('stdin', '/proc/self/fd/0'),
                     ('stdout', '/proc/self/fd/1'),
                     ('stderr', '/proc/self/fd/2'), ('ptmx', 'pts/ptmx')):
        os.symlink(to, os.path.join(new, link))
    mount(new, '/dev', None, MS_BIND | MS_REC)


def private_etc(scratch):
    new = os.path.join(scratch, 'etc')
    os.mkdir(new)
    mount('tmpfs', new, 'tmpfs', MS_NOSUID, 'mode=755')
    subprocess.run(['cp', '-a', '/etc/.', new], check=True)
    mount(new, '/etc', None, MS_BIND)
    # systemd's user database is not reachable from in here, and slow to miss.
    # Machines that use it still have their users in the files.
    for user, uid in USERS:
        try:
            grp.getgrnam(user)
        except KeyError:
            with open('/etc/group', 'a', encoding='ascii') as f:
                f.write('%s:x:%d:\n' % (user, uid))
        try:
            pwd.getpwnam(user)
        except KeyError:
            with open('/etc/passwd', 'a', encoding='ascii') as f:
                f.write('%s:x:%d:%d::/nonexistent:/usr/sbin/nologin\n'
                        % (user, uid, grp.getgrnam(user).gr_gid))


def hide_dnspython():
    """The originals are recorded with py3dns; pyspf takes dnspython when some
    other package has brought it, and words its errors otherwise."""
    path = '/usr/lib/python3/dist-packages/dns'
    if os.path.isdir(path):
        mount('tmpfs', path, 'tmpfs', MS_NOSUID, 'mode=755')


def write(path, text):
    if os.path.islink(path):
        os.unlink(path)
    with open(path, 'w', encoding='ascii') as f:
        f.write(text)


def set_up(real_etc):
    loopback_up()
    socket.sethostname(HOSTNAME)
    scratch = tempfile.mkdtemp(prefix='spf-ns.')    # removed below
    mount('tmpfs', scratch, 'tmpfs', MS_NOSUID, 'mode=755')
    mount('tmpfs', '/run', 'tmpfs', MS_NOSUID, 'mode=755')
    os.mkdir('/run/lock')
    os.chmod('/run/lock', 0o1777)
    # As systemd sets it at boot; 10, the kernel's own, loses log records.
    try:
        write('/proc/sys/net/unix/max_dgram_qlen', '512\n')
    except OSError:
        pass
    private_dev(scratch)
    hide_dnspython()
    if not real_etc:
        private_etc(scratch)
        write('/etc/resolv.conf', 'nameserver 127.0.0.1\n')
        write('/etc/hosts', '127.0.0.1 localhost %s mx\n::1 localhost\n'
              % HOSTNAME)
        write('/etc/mailname', HOSTNAME + '\n')
    # The mounts below the scratch folder hold on by themselves.
    libc.umount2(scratch.encode(), 2)
    try:
        os.rmdir(scratch)
    except OSError:
        pass


def as_init(argv):
    """Process 1 of the namespace: starts the test, reaps, ends as it ends."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            os.execvp(argv[0], argv)
        except OSError as e:
            print('ns: %s: %s' % (argv[0], e), file=sys.stderr)
            os._exit(127)

    def forward(sig, frame):
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(sig, forward)
    while True:
        try:
            gone, status = os.wait()
        except OSError as e:
            if e.errno == errno.ECHILD:
                return 1
            raise
        if gone == pid:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def main(argv):
    if argv[:1] == ['--inside']:
        argv = argv[1:]
        real_etc = argv[:1] == ['-w']
        set_up(real_etc)
        os.environ[MARK] = '1'
        return as_init(argv[1:] if real_etc else argv)
    if not argv or argv == ['-w']:
        print(__doc__, file=sys.stderr)
        return 64
    why = reason()
    if why is not None:
        print('ns: ' + why, file=sys.stderr)
        return 77
    argv = command(argv)
    os.execvp(argv[0], argv)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
