#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The container image, in crun started by a user who is not root, with the
seccomp profile that podman applies by default (Docker's is of the same
origin)."""

import json
import os
import re
import shutil
import subprocess
import sys

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('oci')
import daemon
import dnsd
import image
import milterclient
import product
from check import Checks, finish, wait

WORK = '/run/oci'
HERE = os.path.dirname(os.path.abspath(__file__))
PROFILE = '/usr/share/containers/seccomp.json'
WHERE = 'inet:127.0.0.1:8893'
# The user who starts containers, and the ids that these have as theirs.
ENGINE = 52000
IDS = ((0, ENGINE, 1), (1, 100000, 65536))
OUR_UID = 100000 + 991 - 1      # of 991, seen from outside
# What podman and Docker leave to a container's root.
CAPS = ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_FSETID',
        'CAP_KILL', 'CAP_NET_BIND_SERVICE', 'CAP_SETFCAP', 'CAP_SETGID',
        'CAP_SETPCAP', 'CAP_SETUID', 'CAP_SYS_CHROOT']
# What it needs of these, as the manual page says.
NEEDED = ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_SETGID', 'CAP_SETPCAP',
          'CAP_SETUID']
LANDLOCK = ('landlock_create_ruleset', 'landlock_add_rule',
            'landlock_restrict_self')


def as_engine(*argv):
    return ['setpriv', '--reuid=%d' % ENGINE, '--regid=%d' % ENGINE,
            '--clear-groups', 'env', '-i', 'PATH=/usr/bin:/bin',
            'XDG_RUNTIME_DIR=' + WORK] + list(argv)


def run(*argv):
    """(exit status, both outputs)"""
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       encoding='utf-8', errors='replace', timeout=60)
    return p.returncode, p.stdout.strip()


def why_not():
    """Why no container can be started here, or None."""
    for tool in ('crun', 'umoci', 'newuidmap', 'setpriv'):
        if shutil.which(tool) is None:
            return 'no ' + tool
    if not os.path.exists(PROFILE):
        return 'no ' + PROFILE
    try:
        # crun asks what is mounted here even if it makes no cgroup; it does
        # not take a machine with both versions.
        ns.mount('cgroup2', '/sys/fs/cgroup', 'cgroup2')
    except OSError as e:
        return 'no cgroup2 here: %s' % e
    code, out = run(*as_engine('unshare', '-mp', '--map-auto', '-r', '--fork',
                               '--mount-proc', 'true'))
    if code != 0:
        return 'users may not make such namespaces here: ' + out
    return None


def make_engine():
    """The user, with a folder and a range of ids."""
    os.mkdir(WORK)
    os.chown(WORK, ENGINE, ENGINE)
    with open('/etc/passwd', 'a', encoding='ascii') as f:
        f.write('engine:x:%d:%d::%s:/bin/sh\n' % (ENGINE, ENGINE, WORK))
    for path in ('/etc/subuid', '/etc/subgid'):
        product.write_file(path, 'engine:%d:%d\n' % IDS[1][1:])


def wanted_rule(rule, caps, arch):
    """Is a rule of the profile for such a container?"""
    for part, want in (('includes', True), ('excludes', False)):
        cond = rule.get(part) or {}
        if cond.get('caps') and want != (set(cond['caps']) <= set(caps)):
            return False
        if cond.get('arches') and (arch in cond['arches']) != want:
            return False
    return True


def seccomp(refused=()):
    """The profile in the form of the OCI runtime specification, as an engine
    makes it; refused: calls that it shall not know."""
    with open(PROFILE, encoding='utf-8') as f:
        profile = json.load(f)
    arch = run('dpkg', '--print-architecture')[1]
    uname = {'amd64': 'SCMP_ARCH_X86_64', 'arm64': 'SCMP_ARCH_AARCH64'}[arch]
    calls = []
    for rule in profile['syscalls']:
        names = [n for n in rule['names'] if n not in refused]
        if not names or not wanted_rule(rule, CAPS, arch):
            continue
        new = {'names': names, 'action': rule['action']}
        if rule.get('args'):
            new['args'] = rule['args']
        if rule.get('errnoRet') is not None:
            new['errnoRet'] = rule['errnoRet']
        calls.append(new)
    return {'defaultAction': profile['defaultAction'],
            'defaultErrnoRet': profile.get('defaultErrnoRet', 1),
            'architectures': [uname], 'syscalls': calls}


def unpack():
    """The image, made and read by another program; the bundle's folder."""
    path = run(HERE + '/image.py', 'test', WORK)[1]
    os.mkdir(WORK + '/layout')
    subprocess.run(['tar', '-xf', path, '-C', WORK + '/layout'], check=True)
    maps = []
    for inside, outside, n in IDS:
        maps += ['--uid-map=%d:%d:%d' % (inside, outside, n),
                 '--gid-map=%d:%d:%d' % (inside, outside, n)]
    code, out = run('umoci', 'unpack', '--image', WORK + '/layout:test',
                    *maps, WORK + '/bundle')
    return os.path.getsize(path), code, out


def compose():
    """README's lines for a compose file."""
    with open(image.TOP + '/README', encoding='utf-8') as f:
        lines = re.search(r'\n    spf: \{.*?\n\n', f.read(), re.S).group()
    return yaml.safe_load(lines)['spf']


class Container:
    """One run of the image. user: other than the image's; env: PYSPF_Key;
    mounts: {path inside: path}; refused: see seccomp(); strict: as README's
    compose file has it; caps: those of a container."""

    number = 0

    def __init__(self, user=None, env=(), mounts=None, refused=(),
                 strict=False, caps=CAPS):
        Container.number += 1
        self.name = 'c%d' % Container.number
        self.user = None
        self.folder = '%s/%s' % (WORK, self.name)
        os.mkdir(self.folder)
        subprocess.run(['cp', '-a', WORK + '/bundle/rootfs', self.folder],
                       check=True)
        self.write_config(user, env, mounts or {}, refused, strict,
                          [] if strict else caps)
        self.log = self.folder + '/log'
        with open(self.log, 'wb') as log:
            self.p = subprocess.Popen(
                as_engine('crun', '--cgroup-manager=disabled', 'run',
                          '--bundle', self.folder, self.name),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def write_config(self, user, env, mounts, refused, strict, caps):
        with open(WORK + '/bundle/config.json', encoding='utf-8') as f:
            c = json.load(f)
        proc = c['process']
        if user is not None:
            proc['user'] = {'uid': user, 'gid': user}
        self.user = proc['user']
        proc['terminal'] = False
        proc['noNewPrivileges'] = c['root']['readonly'] = strict
        proc['env'] += ['PYSPF_' + e for e in env]
        held = caps if proc['user']['uid'] == 0 else []
        proc['capabilities'] = {
            'bounding': caps, 'effective': held, 'permitted': held}
        proc.pop('rlimits', None)
        # The network of the test, whose /sys a user may not mount again.
        linux = c['linux']
        linux['namespaces'] = [n for n in linux['namespaces']
                               if n['type'] not in ('network', 'cgroup')]
        c['mounts'] = [m for m in c['mounts'] if not
                       m['destination'].startswith('/sys')]
        if strict:
            c['mounts'].append({
                'destination': '/run/pyspf-milter', 'type': 'tmpfs',
                'source': 'tmpfs', 'options': ['nosuid', 'nodev', 'noexec',
                                               'mode=1777']})
        mounts = {'/etc/resolv.conf': '/etc/resolv.conf', **mounts}
        for path, source in mounts.items():
            c['mounts'].append({'destination': path, 'source': source,
                                'type': 'none', 'options': ['bind', 'ro']})
        linux['seccomp'] = seccomp(refused)
        linux.pop('resources', None)
        with open(self.folder + '/config.json', 'w', encoding='utf-8') as f:
            json.dump(c, f)

    def crun(self, *argv):
        return run(*as_engine('crun', '--cgroup-manager=disabled', *argv))

    def status(self):
        """What a health check runs, as the container's user."""
        return self.crun('exec', '--user', '%(uid)d:%(gid)d' % self.user,
                         self.name, *image.HEALTH)

    def ready(self):
        wait(lambda: self.p.poll() is not None or self.status()[0] == 0, 20,
             0.2)
        return self.p.poll() is None and self.status()[0] == 0

    def pid(self):
        """Of its first process, seen from outside."""
        return json.loads(self.crun('state', self.name)[1])['pid']

    def said(self):
        with open(self.log, encoding='utf-8', errors='replace') as f:
            return f.read()

    def stop(self):
        """The exit status after SIGTERM."""
        self.crun('kill', self.name, 'TERM')
        return self.end()

    def end(self):
        try:
            return self.p.wait(20)
        except subprocess.TimeoutExpired:
            self.crun('kill', self.name, 'KILL')
            self.p.wait()
            return 'killed'


class Tests(Checks):
    def default(self):
        spf = compose()
        self.equal('readme', [spf['read_only'], spf['cap_drop'], spf['tmpfs'],
                              spf['healthcheck']['test']],
                   [True, ['ALL'], ['/run/pyspf-milter'],
                    ['CMD'] + image.HEALTH])
        c = Container(env=['debugLevel=2', 'Workerz=4'] + [
            '%s=%s' % (name[len('PYSPF_'):], value)
            for name, value in spf['environment'].items()], strict=True)
        self.check('healthy', c.ready(), (c.status(), c.said()))
        self.begins('passes', milterclient.verdict(WHERE, '<u@pass.test>'),
                    'c')
        self.begins('rejects', milterclient.verdict(WHERE), 'y 550 5.7.23')
        said = c.said()
        self.holds('log-on-stderr', said, 'Pass; identity=mailfrom;')
        self.holds('variable', said, 'Authentication-Results: mx.example.com')
        self.holds('wrong-variable', said, 'warning: environment PYSPF_Workerz'
                   ': unknown key "Workerz"; line ignored; did you mean '
                   'Workers?')
        self.check('nothing-refused', 'partial' not in said and
                   'missing' not in said, said)
        out = c.status()[1]
        self.check('full-sandbox', re.search(
            r'seccomp.*Landlock|Landlock.*seccomp', out, re.S), out)
        self.process('user', c)
        self.reaped(c)
        self.equal('sigterm', c.stop(), 0)
        self.holds('sigterm-log', c.said(), ': stopped')

    def process(self, name, c):
        """The first process, and with it all: no root, no capability."""
        st = daemon.status(c.pid())
        self.equal(name + '-process', [
            st.get('Uid'), st.get('Groups', '').strip(), st.get('CapEff'),
            st.get('Seccomp'), st.get('NoNewPrivs'),
            st.get('NSpid', '').split()[-1:]],
            ['\t'.join([str(OUR_UID)] * 4), '', '0' * 16, '2', '1', ['1']])

    def reaped(self, c):
        """As process 1 it also inherits what others leave behind."""
        pid = c.pid()
        workers = [p for p in daemon.children_of(pid)
                   if daemon.role(p) == 'worker']
        daemon.kill_all(workers)
        wait(lambda: 'ended: signal 9' in c.said())
        self.check('worker-replaced', wait(lambda: len([
            p for p in daemon.children_of(pid) if daemon.role(p) == 'worker'
        ]) == len(workers)), c.said())
        self.equal('serves-again', wait(lambda: milterclient.verdict(
            WHERE, '<u@pass.test>') == 'c'), True)
        self.empty('no-zombies', [p for p in daemon.children_of(pid)
                                  if daemon.status(p)['State'][0] == 'Z'])

    def root(self, name='root', **how):
        """--user 0: it drops root itself."""
        c = Container(user=0, **how)
        self.check(name + '/healthy', c.ready(), (c.status(), c.said()))
        self.begins(name + '/rejects', milterclient.verdict(WHERE),
                    'y 550 5.7.23')
        self.process(name + '/user', c)
        self.equal(name + '/sigterm', c.stop(), 0)

    def root_needs(self):
        self.root('root-capabilities', caps=NEEDED)

    def libraries(self):
        """What the other processes load is in the image, too."""
        c = Container(env=['Milter_Frontend=libmilter',
                           'Second_Opinion=libspf2'], strict=True)
        self.check('libraries/healthy', c.ready(), (c.status(), c.said()))
        self.begins('libraries/rejects', milterclient.verdict(WHERE),
                    'y 550 5.7.23')
        self.equal('libraries/roles', sorted({
            daemon.role(p) for p in daemon.children_of(c.pid())}),
            ['dns', 'libmilter', 'shadow'])
        self.equal('libraries/sigterm', c.stop(), 0)

    def mounted(self):
        """A file in place of the image's; a variable counts more."""
        def write(test_only):
            product.write_file(folder + '/pyspf-milter.conf', 'Socket = '
                               'inet:8893@127.0.0.1\nWorkers = 3\n'
                               'TestOnly = %d\n' % test_only)

        def workers():
            return [daemon.role(p) for p in daemon.children_of(c.pid())
                    ].count('worker')
        folder = product.folder(WORK + '/conf', 'root')
        write(0)
        c = Container(env=['Workers=1'], mounts={
            '/etc/pyspf-milter': folder})
        self.check('mounted/healthy', c.ready(), (c.status(), c.said()))
        self.equal('mounted/file', milterclient.verdict(WHERE), 'c')
        self.equal('mounted/variable', workers(), 1)
        write(1)
        c.crun('kill', c.name, 'HUP')
        self.becomes('mounted/reload', lambda: milterclient.verdict(
            WHERE)[:12], 'y 550 5.7.23')
        self.becomes('mounted/reload-variable', workers, 1)
        self.equal('mounted/sigterm', c.stop(), 0)

    def wrong_value(self):
        c = Container(env=['Workers=many'])
        self.equal('wrong-value/exit', c.end(), 78)
        self.holds('wrong-value/message', c.said(),
                   'environment PYSPF_Workers: Workers: "many" is not')

    def no_landlock(self):
        """Profiles of old engines do not know Landlock."""
        c = Container(refused=LANDLOCK)
        self.equal('no-landlock/exit', c.end(), 1)
        self.holds('no-landlock/message', c.said(),
                   'Landlock is missing; refusing to run without it')
        c = Container(refused=LANDLOCK, env=['Sandbox=partial'])
        self.check('partial/healthy', c.ready(), (c.status(), c.said()))
        self.holds('partial/says', c.said(),
                   'Sandbox = partial: Landlock is missing')
        self.begins('partial/rejects', milterclient.verdict(WHERE),
                    'y 550 5.7.23')
        self.equal('partial/sigterm', c.stop(), 0)

    def unhealthy(self):
        c = Container(env=['ControlSocket=none'])
        wait(lambda: milterclient.verdict(WHERE, '<u@pass.test>') == 'c')
        self.check('unhealthy', c.status()[0] not in (0, 'killed'),
                   c.status())
        c.stop()

    def run(self):
        size, code, out = unpack()
        if not self.equal('unpack', (code, out), (0, out)):
            return
        self.below('small', size, 16 << 20)
        for test in (self.default, self.root, self.root_needs,
                     self.libraries, self.mounted, self.wrong_value,
                     self.no_landlock, self.unhealthy):
            test()


def main():
    tests = Tests('oci/')
    make_engine()
    why = why_not()
    if why is not None:
        tests.skip('all', why)
        return
    dns = dnsd.DnsServer(addr=['127.0.0.1'], port=53)
    dns.start(daemon.ZONE)
    try:
        tests.run()
    finally:
        dns.stop()


main()
finish()
