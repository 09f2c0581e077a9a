# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The MTA's side of the milter protocol, for tests.

    c = MilterClient('unix:/run/x.sock')        # or 'inet:host:port'
    c.negotiate()
    c.macros('C', {'j': 'mx.example.test'})
    c.connect('none.test', '192.0.2.1', 4321)
    c.helo('mail.none.test')
    c.mail('<u@pass.test>')                     # -> ['c']
    c.header('From', 'a@b.test'); c.eoh(); c.body(b'hi\\r\\n')
    c.eom()     # -> ['i index=0 name=... value=...', 'c']

Each call sends what the agreed steps allow (force=True: always) and
returns the replies as texts in the form of the recorded vectors:
letter, blank, data. Sessions can also be played from such lines (play()).
For hostile tests there are send_raw(), packet() and recv_raw().
"""
import socket
import struct
import time

STEPS = {'C': 0x1, 'H': 0x2, 'M': 0x4, 'R': 0x8, 'B': 0x10, 'L': 0x20,
         'N': 0x40, 'U': 0x100, 'T': 0x200}
NOREPLY = {'L': 0x80, 'C': 0x1000, 'H': 0x2000, 'M': 0x4000, 'R': 0x8000,
           'T': 0x10000, 'U': 0x20000, 'N': 0x40000, 'B': 0x80000}
# Replies after which the MTA goes on with the next command.
FINAL = 'acdrtsyf4'


class MilterError(Exception):
    """The filter broke the protocol or did not answer in time."""


class MilterClosed(MilterError):
    """The filter closed the connection."""


def octets(text):
    """Test texts are str; surrogates stand for undecodable octets."""
    if isinstance(text, bytes):
        return text
    return text.encode('utf-8', 'surrogateescape')


def text(data):
    return data.decode('utf-8', 'surrogateescape')


def packet(letter, data=b''):
    body = octets(letter) + data
    return struct.pack('>I', len(body)) + body


def connect_socket(where, timeout):
    """where: unix:path, local:path, /path, inet:host:port, inet6:host:port,
    ('host', port) or a connected socket."""
    if isinstance(where, socket.socket):
        where.settimeout(timeout)
        return where
    if isinstance(where, tuple):
        s = socket.create_connection(where, timeout)
    elif where.startswith('inet'):
        host, port = where.split(':', 1)[1].rsplit(':', 1)
        s = socket.create_connection((host.strip('[]'), int(port)), timeout)
    else:
        path = where
        for prefix in ('unix:', 'local:'):
            if path.startswith(prefix):
                path = path[len(prefix):]
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(timeout)
        s.connect(path)
    if s.family != socket.AF_UNIX:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.settimeout(timeout)
    return s


def show_reply(letter, data):
    """One reply as the recorded vectors write it (without escapes)."""
    if letter == 'O':
        v, a, p = struct.unpack('>III', data[:12])
        return 'O version=%d actions=0x%x protocol=0x%x' % (v, a, p)
    if letter in 'im':
        index = struct.unpack('>I', data[:4])[0]
        name, value = data[4:].split(b'\0')[:2]
        return '%s index=%d name=%s value=%s' % (letter, index, text(name),
                                                 text(value))
    if letter == 'h':
        name, value = data.split(b'\0')[:2]
        return 'h name=%s value=%s' % (text(name), text(value))
    data = data.rstrip(b'\0')
    return letter + (' ' + text(data) if data else '')


class MilterClient:
    def __init__(self, where, timeout=30):
        self.sock = connect_socket(where, timeout)
        self.buf = b''
        self.version = self.actions = self.steps = 0

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    # -- raw mode ---------------------------------------------------------
    def send_raw(self, data):
        self.sock.sendall(data)

    def packet(self, letter, data=b''):
        self.send_raw(packet(letter, data))

    def recv_raw(self):
        """(letter, data) of the next packet."""
        while True:
            if len(self.buf) >= 4:
                n = struct.unpack('>I', self.buf[:4])[0]
                if n == 0 or n > 1 << 20:
                    raise MilterError('bad length %d' % n)
                if len(self.buf) >= 4 + n:
                    body = self.buf[4:4 + n]
                    self.buf = self.buf[4 + n:]
                    return chr(body[0]), body[1:]
            try:
                more = self.sock.recv(65536)
            except socket.timeout:
                raise MilterError('no reply in time') from None
            except ConnectionError as e:
                raise MilterClosed(str(e)) from None
            if not more:
                raise MilterClosed('closed')
            self.buf += more

    def closed(self, timeout=5):
        """True when the filter closes without another octet."""
        self.sock.settimeout(timeout)
        try:
            return not self.buf and self.sock.recv(1) == b''
        except socket.timeout:
            return False
        except ConnectionError:
            return True

    def silent(self, seconds=0.2):
        """True when nothing comes and the connection stays."""
        old = self.sock.gettimeout()
        self.sock.settimeout(seconds)
        try:
            more = self.sock.recv(65536)
            self.buf += more
            return False
        except socket.timeout:
            return not self.buf
        except ConnectionError:
            return False
        finally:
            self.sock.settimeout(old)

    def replies(self):
        """All replies up to the one that ends the command."""
        out = []
        while True:
            letter, data = self.recv_raw()
            out.append(show_reply(letter, data))
            if letter in FINAL:
                return out

    # -- commands ---------------------------------------------------------
    def command(self, letter, data=b'', force=False):
        if not force and self.steps & STEPS.get(letter, 0):
            return []
        self.packet(letter, data)
        if letter in 'DAQK' or self.steps & NOREPLY.get(letter, 0):
            return []
        return self.replies()

    def negotiate(self, version=6, actions=0x1ff, steps=0x1fffff):
        self.packet('O', struct.pack('>III', version, actions, steps))
        letter, data = self.recv_raw()
        if letter != 'O' or len(data) < 12:
            raise MilterError('no option reply: %r' % letter)
        self.version, self.actions, self.steps = struct.unpack('>III',
                                                               data[:12])
        return show_reply(letter, data)

    def macros(self, stage, values):
        data = octets(stage)
        for k, v in values.items():
            data += octets(k) + b'\0' + octets(v) + b'\0'
        self.packet('D', data)
        return []

    def connect(self, host, address=None, port=4321, family=None,
                force=False):
        """address None: family 'U'. family: '4', '6', 'L', 'U'; guessed."""
        if family is None:
            family = ('U' if address is None else '6' if ':' in address else
                      'L' if address.startswith('/') else '4')
        data = octets(host) + b'\0' + octets(family)
        if family != 'U':
            data += struct.pack('>H', port) + octets(address) + b'\0'
        return self.command('C', data, force)

    def helo(self, name, force=False):
        return self.command('H', octets(name) + b'\0', force)

    def mail(self, sender, *args, force=False):
        data = b''.join(octets(a) + b'\0' for a in (sender,) + args)
        return self.command('M', data, force)

    def rcpt(self, recipient, *args, force=False):
        data = b''.join(octets(a) + b'\0' for a in (recipient,) + args)
        return self.command('R', data, force)

    def data(self, force=False):
        return self.command('T', b'', force)

    def header(self, name, value, force=False):
        return self.command('L', octets(name) + b'\0' + octets(value) +
                            b'\0', force)

    def eoh(self, force=False):
        return self.command('N', b'', force)

    def body(self, data, force=False):
        return self.command('B', octets(data), force)

    def unknown(self, line, force=False):
        return self.command('U', octets(line) + b'\0', force)

    def eom(self, data=b''):
        return self.command('E', octets(data))

    def abort(self):
        return self.command('A')

    def quit(self):
        return self.command('Q')

    def quit_nc(self):
        return self.command('K')

    def message(self, sender, headers=(('From', 'a@b.test'),),
                body=b'hi\r\n', *args):
        """MAIL to end of message; ends after MAIL when that is refused."""
        out = self.mail(sender, *args)
        if out and out[-1][0] != 'c':
            return out
        for name, value in headers:
            out += self.header(name, value)
        out += self.eoh() + self.body(body) + self.eom()
        return out

    # -- recorded sessions -------------------------------------------------
    def play(self, line):
        """Sends one '>' line of the milter vectors (escapes undone) and
        returns its replies. MAIL arguments are parted by blanks."""
        letter, _, rest = line.partition(' ')
        if letter == 'O':
            o = dict(p.split('=') for p in rest.split())
            return [self.negotiate(int(o['version'], 0),
                                   int(o['actions'], 0),
                                   int(o['protocol'], 0))]
        if letter == 'D':
            stage, _, pairs = rest.partition(' ')
            return self.macros(stage, dict(p.split('=', 1)
                                           for p in pairs.split(' ') if p))
        if letter == 'C':
            o = dict(p.split('=', 1) for p in rest.split(' '))
            return self.connect(o['hostname'], o.get('addr'),
                                int(o.get('port', 0)), o.get('family'))
        if letter == 'M':
            return self.mail(*split_mail(rest))
        if letter == 'L':
            name, _, value = rest.partition(': ')
            return self.header(name, value)
        if letter == 'H':
            return self.helo(rest)
        return self.command(letter, octets(rest))


def split_mail(rest):
    """'<a b@c> SIZE=1' -> ['<a b@c>', 'SIZE=1']; a quoted part may have
    blanks."""
    end = rest.rfind('>')
    if not rest.startswith('<') or end == -1:
        return [rest]
    return [rest[:end + 1]] + rest[end + 1:].split()


def wait_for(where, seconds=10):
    """Waits until something listens there."""
    end = time.monotonic() + seconds
    while True:
        try:
            connect_socket(where, 5).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
