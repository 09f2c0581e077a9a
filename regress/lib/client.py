# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""What the clients of both protocols share: a connection and its errors."""

import socket


class ClientError(Exception):
    """The server broke the protocol or did not answer in time."""


class ClientClosed(ClientError):
    """The server closed the connection."""


class Refused(OSError):
    """Nobody listens there, or the queue of the listener is full."""


def octets(text):
    """Test texts are str; surrogates stand for undecodable octets."""
    if isinstance(text, bytes):
        return text
    return text.encode('utf-8', 'surrogateescape')


def text(data):
    return data.decode('utf-8', 'surrogateescape')


def connect_socket(where, timeout):
    """where: unix:path, local:path, /path, inet:host:port, inet6:host:port,
    ('host', port) or a connected socket."""
    if isinstance(where, socket.socket):
        where.settimeout(timeout)
        return where
    if isinstance(where, str) and where.startswith('inet'):
        host, port = where.split(':', 1)[1].rsplit(':', 1)
        where = host.strip('[]'), int(port)
    try:
        if isinstance(where, tuple):
            s = socket.create_connection(where, timeout)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return s
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(timeout)
        s.connect(where.removeprefix('unix:').removeprefix('local:'))
        return s
    except OSError as e:
        raise Refused(e.errno, '%s: %s' % (where, e.strerror)) from None


def listens(where):
    """Is somebody there? For wait()."""
    try:
        connect_socket(where, 5).close()
        return True
    except OSError:
        return False


def poke(where, data, timeout=10):
    """Sends octets and reads to the end: True when the server closed."""
    with connect_socket(where, timeout) as s:
        try:
            for i in range(0, len(data), 65536):
                s.sendall(data[i:i + 65536])
            while s.recv(65536):
                pass
        except socket.timeout:
            return False
        except OSError:
            pass
        return True


class Client:
    """A connection and what was read from it ahead."""

    def __init__(self, where, timeout):
        self.sock = connect_socket(where, timeout)
        self.buf = b''

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.sock.close()

    def send_raw(self, data):
        self.sock.sendall(octets(data))

    def more(self):
        """Adds to what was read; ClientError when nothing comes."""
        try:
            data = self.sock.recv(65536)
        except socket.timeout:
            raise ClientError('no reply in time') from None
        except ConnectionError as e:
            raise ClientClosed(str(e)) from None
        if not data:
            raise ClientClosed('closed')
        self.buf += data
