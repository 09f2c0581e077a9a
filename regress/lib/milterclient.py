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

Each call sends what the agreed steps allow and returns the replies as
texts: letter, blank, data. For hostile tests there are send_raw(), packet()
and recv_raw(). session() is all up to HELO, verdict() one whole question.
"""

import struct

import ns
from client import Client, ClientError, octets, text

STEPS = {'C': 0x1, 'H': 0x2, 'M': 0x4, 'R': 0x8, 'B': 0x10, 'L': 0x20,
         'N': 0x40, 'U': 0x100, 'T': 0x200}
NOREPLY = {'L': 0x80, 'C': 0x1000, 'H': 0x2000, 'M': 0x4000, 'R': 0x8000,
           'T': 0x10000, 'U': 0x20000, 'N': 0x40000, 'B': 0x80000}
# Replies after which the MTA goes on with the next command.
FINAL = 'acdrtsyf4'


def packet(letter, data=b''):
    body = octets(letter) + data
    return struct.pack('>I', len(body)) + body


def optneg(version=6, actions=0x1ff, steps=0x1fffff):
    """The offer of an MTA: all actions, all steps may be left out."""
    return packet('O', struct.pack('>III', version, actions, steps))


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


class MilterClient(Client):
    def __init__(self, where, timeout=30):
        super().__init__(where, timeout)
        self.version = self.actions = self.steps = 0

    # -- raw mode ---------------------------------------------------------
    def packet(self, letter, data=b''):
        self.send_raw(packet(letter, data))

    def recv_raw(self):
        """(letter, data) of the next packet."""
        while True:
            if len(self.buf) >= 4:
                n = struct.unpack('>I', self.buf[:4])[0]
                if n == 0 or n > 1 << 20:
                    raise ClientError('bad length %d' % n)
                if len(self.buf) >= 4 + n:
                    body = self.buf[4:4 + n]
                    self.buf = self.buf[4 + n:]
                    return chr(body[0]), body[1:]
            self.more()

    def replies(self):
        """All replies up to the one that ends the command."""
        out = []
        while True:
            letter, data = self.recv_raw()
            out.append(show_reply(letter, data))
            if letter in FINAL:
                return out

    # -- commands ---------------------------------------------------------
    def command(self, letter, data=b''):
        if self.steps & STEPS.get(letter, 0):
            return []
        self.packet(letter, data)
        if letter in 'DAQK' or self.steps & NOREPLY.get(letter, 0):
            return []
        return self.replies()

    def negotiate(self, version=6, actions=0x1ff, steps=0x1fffff):
        self.send_raw(optneg(version, actions, steps))
        letter, data = self.recv_raw()
        if letter != 'O' or len(data) < 12:
            raise ClientError('no option reply: %r' % letter)
        self.version, self.actions, self.steps = struct.unpack('>III',
                                                               data[:12])
        return show_reply(letter, data)

    def macros(self, stage, values):
        data = octets(stage)
        for k, v in values.items():
            data += octets(k) + b'\0' + octets(v) + b'\0'
        self.packet('D', data)
        return []

    def connect(self, host, address=None, port=4321, family=None):
        """address None: family 'U'. family: '4', '6', 'L', 'U'; guessed."""
        if family is None:
            family = ('U' if address is None else '6' if ':' in address else
                      'L' if address.startswith('/') else '4')
        data = octets(host) + b'\0' + octets(family)
        if family != 'U':
            data += struct.pack('>H', port) + octets(address) + b'\0'
        return self.command('C', data)

    def helo(self, name):
        return self.command('H', octets(name) + b'\0')

    def mail(self, sender, *args):
        data = b''.join(octets(a) + b'\0' for a in (sender,) + args)
        return self.command('M', data)

    def rcpt(self, recipient, *args):
        data = b''.join(octets(a) + b'\0' for a in (recipient,) + args)
        return self.command('R', data)

    def data(self):
        return self.command('T', b'')

    def header(self, name, value):
        return self.command('L', octets(name) + b'\0' + octets(value) +
                            b'\0')

    def eoh(self):
        return self.command('N', b'')

    def body(self, data):
        return self.command('B', octets(data))

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


def split_mail(rest):
    """'<a b@c> SIZE=1' -> ['<a b@c>', 'SIZE=1']; a quoted part may have
    blanks."""
    end = rest.rfind('>')
    if not rest.startswith('<') or end == -1:
        return [rest]
    return [rest[:end + 1]] + rest[end + 1:].split()


def session(where, timeout=30, client='192.0.2.1', helo='mail.none.test'):
    """A MilterClient that has said HELO, or all before it (helo None)."""
    c = MilterClient(where, timeout)
    try:
        c.negotiate()
        c.macros('C', {'j': ns.HOSTNAME, '{daemon_name}': 'smtpd'})
        c.connect('client.none.test', client)
        if helo is not None:
            c.helo(helo)
    except BaseException:
        c.close()
        raise
    return c


def verdict(where, sender='<u@fail.test>'):
    """The reply to MAIL on a connection of its own, or what went wrong."""
    try:
        with session(where, 20) as c:
            return c.mail(sender)[0]
    except (OSError, ClientError) as e:
        return repr(e)


def rejects(where):
    """Does it refuse what fails?"""
    return verdict(where).startswith('y 550 5.7.23')
