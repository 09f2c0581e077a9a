#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Shows the daemon at work: a test zone, a milter and a policy socket, a few
messages and what becomes of them. All of it on loopback and below /tmp."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import product
from check import wait
from client import ClientError, listens
from daemon import children_of, status
from dnsd import DnsServer
from milterclient import MilterClient
from policyclient import PolicyClient

# what to show, client, HELO, sender
MESSAGES = (
    ('a message from a server that the domain names in its record',
     '192.0.2.1', 'mail.good.example', 'alice@good.example'),
    ('the same, by way of the provider that the record includes',
     '203.0.113.25', 'mx.provider.example', 'alice@good.example'),
    ('somebody else who uses the name of a domain that forbids it',
     '198.51.100.66', 'pc.attacker.example', 'boss@strict.example'),
    ('a domain that would rather not, but does not forbid it',
     '198.51.100.66', 'pc.attacker.example', 'news@soft.example'),
)
CONF = """# Written by make run.
Socket = inet:%(milter)d@127.0.0.1
PolicySocket = inet:%(policy)d@127.0.0.1
PidFile = %(folder)s/pid/pyspf-milter.pid
ControlSocket = %(folder)s/pid/control.sock
Nameservers = 127.0.0.1@%(dns)d
Authserv_Id = mx.example
debugLevel = 1
"""
READY_SECONDS = 15


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def say(text='', end='\n'):
    print(text, end=end, flush=True)


def paint(code, text):
    if not sys.stdout.isatty():
        return text
    return '\033[%sm%s\033[0m' % (code, text)


def verdict(good, text):
    return paint('32' if good else '31', text)


class Demo:
    def __init__(self):
        build = os.environ.get('B') or os.path.join(product.TOP, 'build')
        self.program = os.path.join(os.path.abspath(build), 'pyspf-milter')
        # The daemon drops to a user that must reach all this.
        self.folder = tempfile.mkdtemp(prefix='pyspf-milter-demo.')
        os.chmod(self.folder, 0o755)
        self.dns = DnsServer(addr=['127.0.0.1'], port=0)
        self.daemon = None
        self.log = None

    def start(self):
        with open(os.path.join(HERE, 'demo.zone'), encoding='ascii') as f:
            dns = self.dns.start(re.sub(r'\t+', ' ', f.read()))
        self.milter, self.policy = free_port(), free_port()
        conf = os.path.join(self.folder, 'pyspf-milter.conf')
        with open(conf, 'w', encoding='ascii') as f:
            f.write(CONF % {'milter': self.milter, 'policy': self.policy,
                            'folder': self.folder, 'dns': dns})
        self.log = os.path.join(self.folder, 'log')
        # -d logs to stderr: the machine's syslog is left alone.
        with open(self.log, 'wb') as log:
            self.daemon = subprocess.Popen(
                [self.program, '-d', conf], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True)
        where = [('127.0.0.1', p) for p in (self.milter, self.policy)]
        if not wait(lambda: self.daemon.poll() is not None or
                    all(map(listens, where)), READY_SECONDS) or \
                self.daemon.poll() is not None:
            with open(self.log, 'rb') as f:
                sys.stderr.write(f.read().decode(errors='replace'))
            raise SystemExit('the daemon did not start (status %r)'
                             % self.daemon.poll())
        say('A DNS server with a small zone of its own listens on 127.0.0.1 '
            'port %d,' % dns)
        say('the milter socket on port %d, the policy socket on port %d.'
            % (self.milter, self.policy))
        say('Configuration: ' + conf)
        say()
        self.processes()

    def processes(self):
        """The daemon's processes, as /proc tells of them."""
        say(paint('1', 'Processes'))
        parent = self.daemon.pid
        for pid in [parent] + sorted(children_of(parent)):
            fields = status(pid)
            with open('/proc/%d/cmdline' % pid, 'rb') as f:
                argv = f.read().decode(errors='replace').split('\0')[:-1]
            argv[:1] = map(os.path.basename, argv[:1])
            say('  %6d  %-34s uid %-5s capabilities %s  seccomp %s'
                % (pid, ' '.join(argv)[-34:], fields['Uid'].split()[0],
                   'none' if int(fields['CapPrm'], 16) == 0 else
                   fields['CapPrm'], fields.get('Seccomp', '?')))
        say()

    def by_milter(self, client, helo, sender):
        with MilterClient('inet:127.0.0.1:%d' % self.milter) as c:
            c.negotiate()
            c.macros('C', {'j': 'mx.example', '{daemon_name}': 'smtpd'})
            c.connect('[%s]' % client, client)
            c.helo(helo)
            out = c.message('<%s>' % sender)
            c.quit()
        good = out[-1] in ('c', 'a')
        for r in out:
            if r.startswith('y '):
                say('    reply   ' + verdict(False, r[2:]))
            elif r[:2] in ('i ', 'h '):
                name, value = r.split(' name=', 1)[1].split(' value=', 1)
                text = (name + ': ' + value).replace('\n', '\n            ')
                say('    header  ' + verdict(True, text))
        if good:
            say('    reply   ' + verdict(True, '250 accepted'))
        return good

    def by_policy(self, client, helo, sender):
        with PolicyClient('inet:127.0.0.1:%d' % self.policy) as c:
            action = c.ask(client_address=client, helo_name=helo,
                           sender=sender, recipient='you@mx.example',
                           instance='demo.%s' % time.monotonic())
        good = not re.match(r'5\d\d |defer', action)
        say('    action  ' + verdict(good, action.rstrip()))
        return good

    def messages(self):
        seen = []
        for title, client, helo, sender in MESSAGES:
            say(paint('1', title[0].upper() + title[1:]))
            say('  client %s, HELO %s, MAIL FROM:<%s>'
                % (client, helo, sender))
            say('  milter (Postfix smtpd_milters, Sendmail)')
            a = self.by_milter(client, helo, sender)
            say('  policy service (Postfix check_policy_service)')
            b = self.by_policy(client, helo, sender)
            seen.append((a, b))
            say()
        say(paint('1', 'What the daemon logged'))
        time.sleep(0.3)
        with open(self.log, 'rb') as f:
            for line in f.read().decode(errors='replace').splitlines():
                say('  ' + line)
        say()
        return seen == [(True, True), (True, True), (False, False),
                        (True, True)]

    def stop(self):
        code = 0
        if self.daemon is not None and self.daemon.poll() is None:
            code = product.end(self.daemon)
        self.dns.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        return code


def main():
    demo = Demo()
    signal.signal(signal.SIGTERM, lambda *a: sys.exit(0))
    try:
        demo.start()
        good = demo.messages()
        if os.environ.get('DEMO_ONCE', '') not in ('', '0'):
            return 0 if good else 1
        say('The daemon goes on running: point a Postfix at it with')
        say('  smtpd_milters = inet:127.0.0.1:%d' % demo.milter)
        say('or  check_policy_service inet:127.0.0.1:%d' % demo.policy)
        say('Ctrl-C here stops it and removes ' + demo.folder + '.')
        demo.daemon.wait()
        say('The daemon ended by itself, status %d.'
            % demo.daemon.returncode)
        return 1
    except KeyboardInterrupt:
        say()
        return 0
    except (ClientError, OSError) as e:
        say('make run: %s: %s' % (type(e).__name__, e))
        return 1
    finally:
        code = demo.stop()
        say('Stopped.' if code == 0 else
            'The daemon ended with status %s.' % code)


if __name__ == '__main__':
    sys.exit(main())
