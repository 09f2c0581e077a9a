# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Debian's Sendmail in a namespace of ns.py. It cannot be installed beside
Postfix: regress/deps.sh unpacks it into a cache folder, and it runs from
there with a cf made from its own m4 tree, its own queue and loopback ports.

    folder = sm.enter('name')               # in place of ns.enter()
    sm.addresses('192.0.2.1', ...)          # clients come from these
    s = Sendmail(folder, {'name': (port, 'S=local:/x, F=T', '')}); s.start()
    c = sm.client(port, '192.0.2.1')        # a pf.Smtp
    s.delivered(count)                      # the messages, as octets
A filter has the name of its listener, or there are several in a list; the
third text is more daemon options.
"""

import glob
import os
import shutil
import socket
import subprocess
import threading

import ns
import product
from check import check, finish, wait
from client import listens
from maildir import Maildir
from pf import Smtp

RUN = '/run/sm'
DOMAINS = ('dest.test', 'second.test')
USER, PASSWORD = 'walter', 'secret word'

MC = """divert(-1)
define(`_CF_DIR_', `%(cf)s/')
include(`%(cf)s/m4/cf.m4')
VERSIONID(`tests')
OSTYPE(`linux')
define(`confDOMAIN_NAME', `mx.example.test')
define(`confPID_FILE', `/run/sm/pid')
define(`QUEUE_DIR', `/run/sm/queue')
define(`STATUS_FILE', `/run/sm/status')
define(`HELP_FILE', `/run/sm/help')
undefine(`ALIAS_FILE')
define(`confEBINDIR', `/run/sm')
define(`confTO_IDENT', `0')
define(`confDEF_USER_ID', `mail:mail')
define(`confMILTER_LOG_LEVEL', `9')
define(`confDELIVERY_MODE', `background')
define(`confAUTH_MECHANISMS', `PLAIN')
define(`confAUTH_OPTIONS', `A')
define(`confCONNECTION_RATE_THROTTLE', `0')
define(`confQUEUE_LA', `1000')
define(`confREFUSE_LA', `1000')
define(`confBAD_RCPT_THROTTLE', `0')
define(`_DEF_LOCAL_MAILER_FLAGS', `lsDFMA5q')
define(`LOCAL_MAILER_FLAGS', `n9')
define(`LOCAL_MAILER_PATH', `/run/sm/deliver')
define(`LOCAL_MAILER_ARGS', `deliver $u')
FEATURE(`no_default_msa')
FEATURE(`nocanonify')
FEATURE(`accept_unresolvable_domains')
FEATURE(`accept_unqualified_senders')
%(lines)s
MAILER(`local')
MAILER(`smtp')
LOCAL_CONFIG
Cw%(domains)s
"""

# $$ alone may come again; the name in tmp/ is this process's own.
DELIVER = """#!/bin/sh
umask 022
cat >/run/sm/box/tmp/$$ || exit 75
mv /run/sm/box/tmp/$$ "/run/sm/box/new/$(date +%s%N).$$" || exit 75
"""


def unpacked():
    """The folder with Sendmail in it; None when it cannot be had."""
    build = os.environ.get('B', os.path.join(product.TOP, 'build'))
    folder = os.environ.get('SENDMAIL_DIR') or \
        os.path.join(os.path.abspath(build), 'cache', 'sendmail')
    if ns.inside():
        return folder
    p = subprocess.run(['sh', product.TOP + '/regress/deps.sh', 'sendmail',
                        folder], stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if p.returncode != 0:
        print(p.stdout.decode(errors='replace'), flush=True)
        return None
    return folder


def enter(name):
    """ns.enter(), with Sendmail: its folder."""
    if not ns.inside() and ns.reason() is None and unpacked() is None:
        check(name, False, 'Sendmail could not be unpacked')
        finish()
    ns.enter(name)
    return unpacked()


def addresses(*addrs):
    """Gives the private machine's loopback interface more addresses."""
    for a in addrs:
        more = ['nodad'] if ':' in a else []
        subprocess.run(['ip', 'addr', 'add', a + ('/128' if ':' in a else
                                                  '/32'), 'dev', 'lo'] + more,
                       check=True)


class Client(Smtp):
    """An SMTP client that really comes from an address."""

    def __init__(self, port, client='192.0.2.1', timeout=60):
        host = '::1' if ':' in client else '127.0.0.1'
        self.begin(socket.create_connection((host, port), timeout,
                                            (client, 0)))

    @classmethod
    def over(cls, connected):
        """The same over a socket that is there."""
        self = cls.__new__(cls)
        connected.settimeout(60)
        self.begin(connected)
        return self

    def begin(self, connected):
        self.s = connected
        self.f = self.s.makefile('rb')
        self.greeting = self.reply()


class Saslauthd:
    """Says yes to one user and one password, as saslauthd(8) would."""

    def __init__(self, folder):
        os.makedirs(folder, 0o755, exist_ok=True)
        self.s = socket.socket(socket.AF_UNIX)
        self.s.bind(folder + '/mux')
        self.s.listen(8)
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while True:
            c, _ = self.s.accept()
            with c, c.makefile('rb') as f:
                text = [f.read(int.from_bytes(f.read(2), 'big'))
                        for _ in range(4)]
                good = text[:2] == [USER.encode(), PASSWORD.encode()]
                answer = b'OK' if good else b'NO'
                c.sendall(len(answer).to_bytes(2, 'big') + answer)


class Sendmail(Maildir):
    box = RUN + '/box'

    def __init__(self, folder, listeners, default=None):
        """default: the filter for mail that comes by no listener."""
        self.folder, self.listeners = folder, listeners
        self.default = default
        self.p = None
        libs = glob.glob(folder + '/usr/lib/*-linux-gnu*') + \
            glob.glob(folder + '/lib/*-linux-gnu*')
        self.env = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin',
                    'LD_LIBRARY_PATH': ':'.join(libs)}
        self.libs = libs

    def lines(self):
        out = []
        for name, (port, equates, options) in self.listeners.items():
            filters = []
            if isinstance(equates, str):
                equates = [equates]
            for n, e in enumerate(equates or []):
                filters.append('%s%d' % (name, n) if n > 0 else name)
                out.append('MAIL_FILTER(`%s\', `%s\')' % (filters[-1], e))
            for family, addr in (('inet', '127.0.0.1'), ('inet6', '::1')):
                out.append('DAEMON_OPTIONS(`Name=%s%s, Family=%s, Addr=%s, '
                           'Port=%d, InputMailFilters=%s%s\')' % (
                               name, '' if family == 'inet' else '6', family,
                               addr, port, ';'.join(filters), options))
        if self.default is not None:
            out.append('define(`confINPUT_MAIL_FILTERS\', `%s\')'
                       % self.default)
        return '\n'.join(out)

    def install(self):
        product.folder(RUN)
        product.folder(RUN + '/queue', mode=0o700)
        for part in ('box', 'box/new', 'box/tmp'):
            product.folder('%s/%s' % (RUN, part), 'mail')
        product.write_file(RUN + '/deliver', DELIVER, 0o755)
        product.write_file(RUN + '/help', '')
        product.write_file(RUN + '/status', '')
        # Without the set-group-id bit, which would hide the libraries.
        shutil.copy(self.folder + '/usr/libexec/sendmail/sendmail',
                    RUN + '/sendmail')
        os.chmod(RUN + '/sendmail', 0o755)
        mc = product.write_file(RUN + '/mc', MC % {
            'cf': self.folder + '/usr/share/sendmail/cf',
            'lines': self.lines(), 'domains': ' '.join(DOMAINS)})
        p = subprocess.run([self.folder + '/usr/bin/m4', mc], env=self.env,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
        if p.returncode != 0 or p.stderr:
            raise RuntimeError('m4: ' + p.stderr.decode(errors='replace'))
        product.write_file(RUN + '/cf', p.stdout)
        self.sasl()

    def sasl(self):
        """Its own plugins, where libsasl2 looks for them."""
        for lib in self.libs:
            plugins, theirs = lib + '/sasl2', '/' + os.path.relpath(
                lib, self.folder) + '/sasl2'
            if os.path.exists(plugins + '/libplain.so') and \
                    os.path.isdir(theirs):
                ns.mount(plugins, theirs, None, ns.MS_BIND)
        for where in ('/etc/sasl2', '/etc/mail/sasl'):
            product.folder(where)
            for name in ('Sendmail.conf', 'Sendmail.conf.2'):
                product.write_file('%s/%s' % (where, name),
                                   'pwcheck_method: saslauthd\n'
                                   'saslauthd_path: /run/saslauthd/mux\n'
                                   'mech_list: PLAIN\n')
        self.saslauthd = Saslauthd('/run/saslauthd')

    def argv(self, *args):
        return [RUN + '/sendmail', '-C', RUN + '/cf', *args]

    def start(self):
        self.install()
        self.err = open(RUN + '/err', 'wb')
        self.p = subprocess.Popen(self.argv('-bD', '-q1m'), env=self.env,
                                  stdin=subprocess.DEVNULL, stdout=self.err,
                                  stderr=self.err, cwd='/')
        for port, _, _ in self.listeners.values():
            where = '127.0.0.1', port
            if not wait(lambda: listens(where) or self.p.poll() is not None,
                        15) or self.p.poll() is not None:
                with open(RUN + '/err', 'rb') as f:
                    raise RuntimeError('Sendmail: %r' % f.read())

    def stop(self):
        if self.p is not None:
            product.end(self.p)
            self.err.close()
