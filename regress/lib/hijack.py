# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""What a compromised child could do with what it holds: the test, as root,
takes copies of its descriptors and uses them in its place."""

import ctypes
import errno
import os
import socket

PARENT = 3                      # a child's channel to the parent
PIDFD_OPEN, PIDFD_GETFD = 434, 438

libc = ctypes.CDLL(None, use_errno=True)


def channels(pid):
    """Its channels (SOCK_SEQPACKET sockets), by descriptor number."""
    pidfd = libc.syscall(PIDFD_OPEN, pid, 0)
    if pidfd == -1:
        raise OSError(ctypes.get_errno(), 'pidfd_open')
    out = {}
    try:
        for name in os.listdir('/proc/%d/fd' % pid):
            fd = libc.syscall(PIDFD_GETFD, pidfd, int(name), 0)
            if fd == -1:
                if ctypes.get_errno() == errno.EBADF:   # closed meanwhile
                    continue
                raise OSError(ctypes.get_errno(), 'pidfd_getfd')
            try:
                s = socket.socket(fileno=fd)
            except OSError:
                os.close(fd)
                continue
            if s.family == socket.AF_UNIX and \
                    s.type & socket.SOCK_SEQPACKET == socket.SOCK_SEQPACKET:
                out[int(name)] = s
            else:
                s.close()
    finally:
        os.close(pidfd)
    return out


def say(pid, record, parent=False):
    """Sends a record to its parent, or to each other child it is connected
    to."""
    for fd, s in channels(pid).items():
        if (fd == PARENT) == parent:
            s.send(record)
        s.close()


def park_descriptors(uid, limit):
    """In a process of that user with that RLIMIT_NOFILE: sends descriptors
    that nobody receives, until the kernel refuses. Returns the process's id;
    they are on their way until it is killed."""
    import resource
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(r)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        os.setresuid(uid, uid, uid)
        pairs = []
        try:
            while True:
                a, b = socket.socketpair()
                a.setblocking(False)
                pairs.append((a, b))
                while True:
                    try:
                        socket.send_fds(a, [b'x'], [0] * 200)
                    except BlockingIOError:
                        break
        except OSError as e:
            os.write(w, b'%d' % e.errno)
        os.close(w)
        while True:
            libc.pause()
    os.close(w)
    why = os.read(r, 16)
    os.close(r)
    return pid, int(why)
