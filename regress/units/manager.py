# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""A service manager in small: holds listeners, receives notifications, starts
and stops the daemon as systemd does.

    m = Manager(program, conf, notify='/run/notify', fds=[listener(path)])
    m.wait('READY=1'); m.messages; m.stop()
"""

import fcntl
import os
import pwd
import signal
import socket
import struct
import threading

import product
from check import wait


def listener(where, kind=socket.SOCK_STREAM):
    if isinstance(where, tuple):
        s = socket.socket(socket.AF_INET, kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    else:
        s = socket.socket(socket.AF_UNIX, kind)
    s.bind(where)
    if not isinstance(where, tuple):
        os.chmod(where, 0o660)
    s.listen(4096)
    return s


class Notify:
    """A NOTIFY_SOCKET: a path, or an abstract name (@name). deaf: its queue
    is full, and hear() begins to read it."""

    def __init__(self, address, deaf=False):
        self.messages, self.senders = [], set()
        self.more = threading.Condition()
        path = address if address[0] == '/' else '\0' + address[1:]
        if os.path.exists(address):
            os.unlink(address)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind(path)
        if address[0] == '/':
            os.chmod(address, 0o666)
        if not deaf:
            self.hear()
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.setblocking(False)
            try:
                while True:
                    s.sendto(b'FILL=1', path)
            except BlockingIOError:
                pass

    def hear(self):
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while True:
            try:
                data, anc, _, _ = self.socket.recvmsg(4096, 256)
            except OSError:
                return
            if not data:
                return
            with self.more:
                for _, kind, cred in anc:
                    if kind == socket.SCM_CREDENTIALS and data[:4] != b'FILL':
                        self.senders.add(struct.unpack('3i', cred)[0])
                self.messages.append(data.decode())
                self.more.notify_all()

    def clear(self):
        with self.more:
            del self.messages[:]

    def count(self, word):
        return sum(word in m for m in self.messages)

    def wait(self, word, seconds=15):
        """The first message that holds the line."""
        def find():
            return next((m for m in self.messages
                         if word in m.split('\n')), None)
        with self.more:
            self.more.wait_for(lambda: find() is not None, seconds)
            return find()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RD)
        except OSError:
            pass
        self.socket.close()


class Manager:
    """One daemon, started as the environment of systemd says."""

    def __init__(self, program, conf, notify=None, user='root', fds=(),
                 names=None, watchdog_us=None, watchdog_pid=None,
                 listen_pid=None, deaf=False):
        self.code = None
        env = product.environment()
        if notify is not None:
            env['NOTIFY_SOCKET'] = notify
        self.notify = Notify(notify, deaf) if notify is not None and \
            notify[0] in '/@' else None
        if fds:
            env['LISTEN_FDS'] = str(len(fds))
        if names is not None:
            env['LISTEN_FDNAMES'] = names
        if watchdog_us is not None:
            env['WATCHDOG_USEC'] = str(watchdog_us)
        fds = [f if isinstance(f, int) else f.fileno() for f in fds]
        self.pid = os.fork()
        if self.pid == 0:
            try:
                if fds:
                    env['LISTEN_PID'] = str(listen_pid or os.getpid())
                if watchdog_us is not None:
                    env['WATCHDOG_PID'] = str(watchdog_pid or os.getpid())
                self.become(fds, user)
                os.execve(program, [program, conf], env)
            finally:
                os._exit(127)

    @staticmethod
    def become(fds, user):
        """In the child: the descriptors from 3 on, and the user."""
        # first out of the way of 3, 4, ...
        high = [fcntl.fcntl(f, fcntl.F_DUPFD, 100) for f in fds]
        for i, f in enumerate(high):
            os.dup2(f, 3 + i)
            os.close(f)
        os.closerange(3 + len(fds), 100)
        null = os.open('/dev/null', os.O_RDWR)
        os.dup2(null, 0)
        os.close(null)
        os.chdir('/')
        if user != 'root':
            pw = pwd.getpwnam(user)
            os.setgroups([])
            os.setresgid(*(pw.pw_gid,) * 3)
            os.setresuid(*(pw.pw_uid,) * 3)

    def __getattr__(self, name):
        """wait(), clear(), messages, ...: those of the NOTIFY_SOCKET."""
        return getattr(self.notify, name)

    def ended(self):
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid != 0:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def exit_code(self, seconds):
        wait(self.ended, seconds, 0.01)
        return self.code

    def stop(self, seconds=20):
        """TERM, its exit status, and the end of the NOTIFY_SOCKET."""
        if self.code is None:
            os.kill(self.pid, signal.SIGTERM)
            if self.exit_code(seconds) is None:
                os.kill(self.pid, signal.SIGKILL)
                self.exit_code(5)
                self.code = None
        if self.notify is not None:
            self.notify.wait('STOPPING=1', 0.2)
            self.notify.close()
        return self.code
