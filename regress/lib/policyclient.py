# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Postfix's side of the policy protocol, for tests.

    c = PolicyClient('unix:/run/p.sock')            # or 'inet:host:port'
    c = PolicyClient(argv=['policyd-spf', 'file'])  # as spawn(8) runs it
    c.ask(client_address='192.0.2.1', helo_name='none.test',
          sender='u@pass.test', recipient='r@dest.test')
                                    # -> 'prepend Received-SPF: ...'
send() and reply() work on their own for pipelined requests; send_raw() and
closed() are for hostile tests.
"""
import socket
import subprocess

from milterclient import connect_socket, octets, text

DEFAULTS = (('request', 'smtpd_access_policy'), ('protocol_state', 'RCPT'),
            ('protocol_name', 'ESMTP'), ('client_name', 'unknown'))


class PolicyError(Exception):
    """The server broke the protocol or did not answer in time."""


class PolicyClosed(PolicyError):
    """The server closed the connection."""


def request(attrs, defaults=True):
    """The octets of one request. attrs: a dict or a list of pairs."""
    pairs = list(attrs.items()) if isinstance(attrs, dict) else list(attrs)
    if defaults:
        names = {k for k, _ in pairs}
        pairs = [p for p in DEFAULTS if p[0] not in names] + pairs
    return b''.join(octets(k) + b'=' + octets(v) + b'\n'
                    for k, v in pairs) + b'\n'


class PolicyClient:
    def __init__(self, where=None, argv=None, timeout=30, env=None,
                 stderr=None, cwd=None):
        self.proc = None
        self.buf = b''
        if argv is not None:
            # One socket for stdin and stdout, as under spawn(8).
            self.sock, theirs = socket.socketpair()
            self.proc = subprocess.Popen(argv, stdin=theirs, stdout=theirs,
                                         stderr=stderr, env=env, cwd=cwd,
                                         close_fds=True)
            theirs.close()
            self.sock.settimeout(timeout)
        else:
            self.sock = connect_socket(where, timeout)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self, timeout=30):
        """Ends the connection; the exit status of a started program."""
        self.sock.close()
        if self.proc is None:
            return None
        try:
            return self.proc.wait(timeout)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
            raise

    def eof(self):
        """End of input; replies can still be read."""
        self.sock.shutdown(socket.SHUT_WR)

    def send_raw(self, data):
        self.sock.sendall(octets(data))

    def send(self, attrs=(), defaults=True, **more):
        pairs = list(dict(attrs).items()) if isinstance(attrs, dict) else \
            list(attrs)
        self.send_raw(request(pairs + list(more.items()), defaults))

    def reply_raw(self):
        """The octets of one reply, with its empty line."""
        while b'\n\n' not in self.buf:
            try:
                more = self.sock.recv(65536)
            except socket.timeout:
                raise PolicyError('no reply in time') from None
            except ConnectionError as e:
                raise PolicyClosed(str(e)) from None
            if not more:
                raise PolicyClosed('closed')
            self.buf += more
        end = self.buf.index(b'\n\n') + 2
        out, self.buf = self.buf[:end], self.buf[end:]
        return out

    def reply(self):
        """The action of one reply."""
        raw = self.reply_raw()
        if not raw.startswith(b'action='):
            raise PolicyError('odd reply %r' % raw)
        return text(raw[7:-2])

    def ask(self, attrs=(), defaults=True, **more):
        self.send(attrs, defaults, **more)
        return self.reply()

    def closed(self, timeout=5):
        """True when the server closes without another octet."""
        self.sock.settimeout(timeout)
        try:
            return not self.buf and self.sock.recv(1) == b''
        except socket.timeout:
            return False
        except ConnectionError:
            return True
