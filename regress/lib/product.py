# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Starts the programs under test, or the Python originals in their place.

Which ones: the environment's PYSPF_MILTER and POLICYD_SPF, else those of the
build folder B. ORIGINAL names Debian's. Used inside a namespace (ns.py).
"""

import os
import select
import shutil
import socket
import stat
import subprocess
import time

from check import check, finish, wait
from client import Refused, connect_socket

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
ORIGINAL = {'pyspf-milter': '/usr/bin/pyspf-milter',
            'policyd-spf': '/usr/bin/policyd-spf'}
REPLY_SECONDS = 15


def path_of(program):
    """The program to test, or None when it was not built."""
    env = program.upper().replace('-', '_')
    path = os.environ.get(env) or os.path.join(
        os.environ.get('B', os.path.join(TOP, 'build')), program)
    return path if os.access(path, os.X_OK) else None


def reachable(path):
    """The same program where every user may run it: a build folder may be
    closed to others."""
    if path.startswith('/usr/'):
        return path
    os.makedirs('/run/product', 0o755, exist_ok=True)
    new = '/run/product/' + os.path.basename(path)
    if not os.path.exists(new) or os.stat(new).st_mtime < \
            os.stat(path).st_mtime:
        shutil.copy2(path, new)
        os.chmod(new, 0o755)
    return new


def is_original(path):
    with open(path, 'rb') as f:
        return f.read(2) == b'#!'


def wanted(name, *programs):
    """The paths of the programs; or a failed test and the end."""
    out = []
    for p in programs:
        path = path_of(p)
        if path is None:
            check(name, False, p + ' was not built')
            finish()
        out.append(reachable(path))
    return out if len(out) > 1 else out[0]


def to_bytes(text):
    return text if isinstance(text, bytes) else text.encode('utf-8')


def environment(more=None):
    """Of a program under test: none of ours, but for the sanitizers'."""
    out = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LANG': 'C'}
    out.update((k, v) for k, v in os.environ.items()
               if k.endswith('SAN_OPTIONS'))
    out.update(more or {})
    return out


def end(p, seconds=15):
    """Ends a subprocess: its exit status, or None when it does not end."""
    if p.poll() is None:
        p.terminate()
    try:
        return p.wait(seconds)
    except subprocess.TimeoutExpired:
        p.kill()
        p.wait()
        return None


class Policyd:
    """One policyd-spf with a socket as stdin and stdout, as spawn(8) does.

    ask() gives the lines of a reply without the empty one (bytes), or None
    when none came; closed says whether the stream ended. stderr is apart, so
    that a traceback cannot pass for a reply."""

    def __init__(self, argv, user='policyd-spf', stderr=None):
        self.ours, theirs = socket.socketpair()
        self.ours.setblocking(False)
        self.buffer = b''
        self.closed = False
        more = {}
        if user is not None and os.geteuid() == 0:
            more = {'user': user, 'group': user, 'extra_groups': []}
        self.p = subprocess.Popen(argv, stdin=theirs, stdout=theirs,
                                  stderr=stderr, env=environment(), cwd='/',
                                  **more)
        theirs.close()

    def send(self, data):
        end = time.monotonic() + REPLY_SECONDS
        data = memoryview(data)
        while data and time.monotonic() < end:
            r, w, _ = select.select([self.ours], [self.ours], [], 1)
            if r:
                self.fill()
                if self.closed:
                    return
            if w:
                try:
                    data = data[self.ours.send(data):]
                except (BrokenPipeError, ConnectionResetError):
                    self.closed = True
                    return

    def fill(self):
        try:
            more = self.ours.recv(65536)
        except BlockingIOError:
            return
        except ConnectionResetError:
            more = b''
        if more == b'':
            self.closed = True
        self.buffer += more

    def reply(self, seconds=REPLY_SECONDS):
        end = time.monotonic() + seconds
        while b'\n\n' not in self.buffer:
            left = end - time.monotonic()
            if self.closed or left <= 0:
                return None
            if select.select([self.ours], [], [], left)[0]:
                self.fill()
        head, self.buffer = self.buffer.split(b'\n\n', 1)
        return head.split(b'\n')

    def ask(self, attributes, seconds=REPLY_SECONDS):
        """attributes: pairs, or lines as bytes."""
        lines = [a if isinstance(a, bytes) else
                 to_bytes(a[0]) + b'=' + to_bytes(a[1]) for a in attributes]
        self.send(b''.join(x + b'\n' for x in lines) + b'\n')
        return self.reply(seconds)

    def end(self, seconds=10):
        """Closes the stream; exit status, or None if it does not end."""
        try:
            self.ours.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        try:
            status = self.p.wait(seconds)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
            status = None
        self.ours.close()
        return status


class Milter:
    """One pyspf-milter as root with a configuration file. It listens on
    where: a path, or (host, port)."""

    def __init__(self, program, conf, where, stderr=None, args=()):
        self.where = where
        self.p = subprocess.Popen([program, *args, conf],
                                  stdin=subprocess.DEVNULL, stdout=stderr,
                                  stderr=stderr, env=environment(), cwd='/')

    def wait_ready(self, seconds=15):
        def ready():
            try:
                connect_socket(self.where, 20).close()
                return True
            except Refused:
                return self.p.poll() is not None
        return wait(ready, seconds) and self.p.poll() is None

    def end(self, seconds=15):
        return end(self.p, seconds)


def write_file(path, text, mode=0o644):
    with open(path, 'wb') as f:
        f.write(to_bytes(text))
    os.chmod(path, mode)
    return path


def folder(path, user=None, mode=0o755):
    os.makedirs(path, exist_ok=True)
    os.chmod(path, mode)
    if user is not None:
        shutil.chown(path, user, user)
    return path


def is_socket(path):
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False
