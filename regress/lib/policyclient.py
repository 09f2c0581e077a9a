# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Postfix's side of the policy protocol, for tests.

    c = PolicyClient('unix:/run/p.sock')            # or 'inet:host:port'
    c.ask(client_address='192.0.2.1', helo_name='none.test',
          sender='u@pass.test', recipient='r@dest.test')
                                    # -> 'prepend Received-SPF: ...'
send() and reply() work on their own for pipelined requests; send_raw() is
for hostile tests. product.Policyd is policyd-spf as spawn(8) starts it.
"""

from client import Client, ClientError, octets, text

DEFAULTS = {'request': 'smtpd_access_policy', 'protocol_state': 'RCPT',
            'protocol_name': 'ESMTP', 'client_name': 'unknown'}


class PolicyClient(Client):
    def __init__(self, where, timeout=30):
        super().__init__(where, timeout)

    def send(self, attributes=(), **more):
        """One request; attributes: a dict or pairs."""
        pairs = dict(DEFAULTS, **dict(attributes), **more)
        self.send_raw(b''.join(octets(k) + b'=' + octets(v) + b'\n'
                               for k, v in pairs.items()) + b'\n')

    def reply(self):
        """The action of one reply."""
        while b'\n\n' not in self.buf:
            self.more()
        raw, self.buf = self.buf.split(b'\n\n', 1)
        if not raw.startswith(b'action='):
            raise ClientError('odd reply %r' % raw)
        return text(raw[7:])

    def ask(self, attributes=(), **more):
        self.send(attributes, **more)
        return self.reply()
