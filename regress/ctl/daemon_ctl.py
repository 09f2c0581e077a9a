#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""spfctl's commands for the daemon: what they print beside what is, how they
end, whom the control socket hears, and what a bad client or a bad daemon can
do."""

import json
import os
import pwd
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('daemon-ctl')
import openmetrics
import product
from control import (BUCKETS, HEADER, HISTOGRAMS, RESULTS, SOCKET, TOP, TYPES,
                     Control, encode, table)
from daemon import (Daemon, begins, check, equal, finish, role, skip,
                    status, wait)

SPFCTL = product.wanted('daemon-ctl', 'spfctl')
ENV = {'PATH': '/usr/bin:/bin', 'LC_ALL': 'C', 'TERM': 'xterm'}
for name in ('ASAN_OPTIONS', 'UBSAN_OPTIONS'):
    if name in os.environ:
        ENV[name] = os.environ[name]
NOISE = re.compile(r'^spfctl\[\d+\]: .*sanitizer build.*\n', re.M)
SANITIZED = 'asan' in os.path.basename(os.environ.get('B', ''))
CONF = '/run/conf/pyspf-milter.conf'
PREFIX = 'pyspf_milter_'
RESULT = ('none', 'neutral', 'pass', 'fail', 'softfail', 'temperror',
          'permerror')
NOBODY = {'user': 'nobody', 'group': 'nogroup', 'extra_groups': []}
CLIENTS = 16


def run(*args, timeout=60, program=(SPFCTL,), **more):
    """(status, stdout, stderr) of one spfctl."""
    p = subprocess.run([*program, *args], env=ENV, stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=timeout, cwd='/',
                       check=False, **more)
    return p.returncode, p.stdout.decode(), NOISE.sub('', p.stderr.decode())


def rows():
    """(name, kind, family, labels) of the table of counters."""
    families = {f[0]: f for f in table('proto/stats.h', 'STAT_FAMILY_TABLE')}
    out = []
    for name, family, *values in table('proto/stats.h', 'STAT_TABLE'):
        _, kind, called, *labels = families[family][:5]
        out.append((name, kind, called, tuple(
            (k, v) for k, v in zip(labels, values) if k != '')))
    return out


def metrics():
    rc, out, err = run('metrics')
    if rc != 0:
        raise ValueError('exit %d: %s' % (rc, err))
    return openmetrics.parse(out)


def value(families, name, suffix='', **labels):
    f = families[PREFIX + name]
    return f.samples[f.name + suffix, tuple(labels.items())]


def traffic(d, n=3):
    for _ in range(n):
        with d.milter() as c:
            c.message('<u@pass.test>')
            c.message('<u@fail.test>')
            c.quit()
        with d.policy() as c:
            d.ask(c, 'u@soft.test')
            d.ask(c, 'u@none.test')


def quiet():
    """The counters when all connections are closed and DNS has ended."""
    with Control() as c:
        wait(lambda: c.stats()['CONN_OPEN'] == 0 and
             c.stats()['DNS_INFLIGHT'] == 0, 5)
        time.sleep(0.2)
        return c.stats()


def serving():
    """All processes of the start are ready."""
    with Control() as c:
        wait(lambda: any(kind == 'GENERATION' and v['state'] == 'serving'
                         for kind, v in c.ask('CTL_STATUS')[0]))


def strict():
    """The reader of metrics refuses what Prometheus would."""
    good = """# TYPE c counter
# HELP c x y.
c_total{a="1"} 1
c_total{a="2"} 2
# TYPE h_seconds histogram
# UNIT h_seconds seconds
h_seconds_bucket{le="0.1"} 1
h_seconds_bucket{le="+Inf"} 3
h_seconds_sum 4.5
h_seconds_count 3
# EOF
"""
    openmetrics.parse(good)
    for name, old, new in (
            ('no-eof', '# EOF\n', ''),
            ('no-total', 'c_total{a="1"}', 'c{a="1"}'),
            ('same-twice', 'a="2"', 'a="1"'), ('type', 'counter', 'info'),
            ('unit', 'seconds seconds', 'seconds ms'),
            ('order', 'le="0.1"} 1', 'le="0.1"} 4'),
            ('inf', 'le="+Inf"', 'le="9"'), ('count', 'count 3', 'count 4'),
            ('number', ' 4.5', ' 4,5'), ('comma', 'a="2"', 'a="2",'),
            ('negative', '} 2', '} -2'), ('empty-line', '# UNIT', '\n# UNIT'),
            ('pieces', '# EOF', '# TYPE c counter\n# EOF'),
            ('other-labels', 'a="2"', 'b="2"'),
            ('no-type', '# TYPE c counter\n', '')):
        try:
            openmetrics.parse(good.replace(old, new, 1))
            seen = 'taken'
        except ValueError as e:
            seen = str(e)
        check('daemon-ctl/strict-' + name, old in good and seen != 'taken',
              seen)


# ---- without a daemon

def absent():
    for args in (['status'], ['stats'], ['metrics'], ['reload'], ['flush'],
                 ['log', 'brief'], ['status', '--json']):
        rc, out, err = run(*args)
        check('daemon-ctl/absent-' + '-'.join(a.strip('-') for a in args),
              rc == 69 and out == '' and err.count('\n') == 1 and
              SOCKET in err, (rc, out, err))
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.bind('/run/dead.sock')
    s.close()
    rc, out, err = run('status', '--socket', '/run/dead.sock')
    check('daemon-ctl/absent-stale-socket', rc == 69 and 'refused' in err,
          (rc, err))


def usage():
    for name, args in (
            ('no-word', ['log']), ('wrong-word', ['log', 'loud']),
            ('metrics-json', ['metrics', '--json']),
            ('stats-argument', ['stats', '5']),
            ('watch-zero', ['stats', '--watch', '0']),
            ('watch-text', ['stats', '--watch=x']),
            ('watch-status', ['status', '--watch']),
            ('socket-too-long', ['status', '--socket', '/' + 'x' * 200])):
        rc, out, err = run(*args)
        check('daemon-ctl/usage-' + name, rc == 64 and out == '' and
              err != '', (rc, out, err))


# ---- status

def status_text(d):
    rc, out, err = run('status')
    check('daemon-ctl/status-exit', rc == 0 and err == '', (rc, err))
    with open(os.path.join(TOP, 'Makefile'), encoding='ascii') as f:
        version = re.search(r'^VERSION\s*= (\S+)$', f.read(), re.M).group(1)
    check('daemon-ctl/status-version', out.startswith(
        'pyspf-milter %s, process %d, up ' % (version, d.pid)), out)
    for text in ('Settings    %s\n' % CONF, 'local:/run/pyspf-milter/'
                 'policy.sock\n', 'Resolvers   127.0.0.1@53\n',
                 'Generation 1 serving'):
        check('daemon-ctl/status-' + text.split()[0].strip(':').replace(
            '/', '-').lower(), text in out, out)
    seen = {int(p): r for r, p in re.findall(
        r'^  (\w+) +(\d+)  ready', out, re.M)}
    check('daemon-ctl/status-processes', seen == {
        p: role(p) for p in d.children()}, out)
    check('daemon-ctl/status-plain-in-a-pipe', '\x1b' not in out, out)
    check('daemon-ctl/status-colour', '\x1b[1m' in run(
        'status', '--color')[1])


def landlock():
    """The kernel's ABI, by the same call."""
    import ctypes
    return ctypes.CDLL(None).syscall(444, None, 0, 1)


def status_json(d):
    rc, out, _ = run('status', '--json')
    o = json.loads(out)
    check('daemon-ctl/status-json', rc == 0 and o['pid'] == d.pid and
          o['config'] == CONF and o['nameservers'] == ['127.0.0.1@53'] and
          o['listeners'] == {
              'milter': 'local:/run/pyspf-milter/pyspf-milter.sock',
              'policy': 'local:/run/pyspf-milter/policy.sock',
              'control': 'local:' + SOCKET}, out)
    g = o['generations']
    check('daemon-ctl/status-json-generation', len(g) == 1 and
          g[0]['number'] == 1 and g[0]['state'] == 'serving' and
          {(p['role'], p['pid']) for p in g[0]['processes']} ==
          {(role(p), p) for p in d.children()}, g)
    check('daemon-ctl/status-json-started', abs(time.time() -
          o['started'] - o['uptime']) < 3, o['started'])
    abi = landlock()
    want = {'state': 'full', 'landlock_abi': abi, 'seccomp': True}
    if SANITIZED:
        abi, want = 0, {'state': 'none', 'landlock_abi': 0, 'seccomp': False}
    lacks = o['sandbox'].pop('landlock_lacks')
    check('daemon-ctl/status-sandbox', o['sandbox'] == want, o['sandbox'])
    check('daemon-ctl/status-landlock-lacks', [
        'files' in lacks, 'TCP' in lacks, 'signals' in lacks] ==
        [abi < 1, abi < 4, abi < 6], (abi, lacks))
    says = [r for r in d.log.records if 'does not restrict' in r]
    check('daemon-ctl/start-says-what-it-lacks',
          len(says) == (0 < abi < 6), says)


def older_kernel():
    """The daemon as on Debian 12's kernel, see regress/system/abi2.c."""
    if SANITIZED or landlock() < 2:
        skip('daemon-ctl/abi2', 'no Landlock, or none in this build')
        return
    lacks = 'truncate(2), TCP ports, ioctl(2) on devices, signals, ' \
        'abstract sockets'
    with Daemon(conf=TEXT, policy=False, start=False) as d:
        d.program = os.path.join(os.environ['B'],
                                 'system/pyspf-milter-abi2')
        d.start()
        with d.milter() as c:
            begins('daemon-ctl/abi2-serves', c.mail('<u@fail.test>')[0],
                   'y 550 5.7.23')
        says = [r for r in d.log.records if 'does not restrict' in r]
        check('daemon-ctl/abi2-says-it-once', len(says) == 1 and says[0]
              .endswith('Landlock ABI 2 of this kernel does not restrict: ' +
                        lacks), says)
        d.reload()
        equal('daemon-ctl/abi2-not-at-a-reload', len([
            r for r in d.log.records if 'does not restrict' in r]), 1)
        out = run('status')[1]
        check('daemon-ctl/abi2-status', re.search(
            r'^Sandbox {5}full: with seccomp, Landlock ABI 2\n'
            r' {12}not restricted by this kernel: ' + re.escape(lacks) + '$',
            out, re.M), out)
        equal('daemon-ctl/abi2-status-json', json.loads(run(
            'status', '--json')[1])['sandbox'], {
                'state': 'full', 'landlock_abi': 2, 'landlock_lacks': lacks,
                'seccomp': True})


def status_draining(d):
    """A connection keeps its generation; both are shown with their own."""
    with d.milter() as held:
        held.mail('<u@pass.test>')
        rc, _, err = run('reload')
        check('daemon-ctl/reload-while-open', rc == 0, err)
        g = json.loads(run('status', '--json')[1])['generations']
        check('daemon-ctl/status-generations', [
            (x['state'], x['connections']) for x in g] ==
            [('draining', 1), ('serving', 0)] and g[0]['checks'] >= 1 and
            g[1]['checks'] == 0, g)
        out = run('status')[1]
        check('daemon-ctl/status-draining-text', re.search(
            r'^Generation 1 draining, .* 1 connection, ', out, re.M), out)
        check('daemon-ctl/metrics-generations', value(
            metrics(), 'generations') == 2)
    one = wait(lambda: len(json.loads(run('status', '--json')[1])[
        'generations']) == 1, 5)
    check('daemon-ctl/status-drained', one, run('status')[1])


# ---- stats, metrics

def by_json(o, family, labels):
    for _, v in labels:
        o = o.get(family, o)[v] if family in o else o[v]
    return o[family] if labels == () else o


def stats_agree(d):
    traffic(d)
    want = quiet()
    rc, out, err = run('stats', '--json')
    o = json.loads(out)
    wrong = [r for r in rows() if by_json(o, r[2], r[3]) != want[r[0]]]
    check('daemon-ctl/stats-json-is-exact', rc == 0 and wrong == [] and
          len(rows()) == len([k for k in want if k not in (
              'SECOND', 'HIST_CHECK', 'HIST_DNS', 'HIST_CHECK_SUM_US',
              'HIST_DNS_SUM_US')]), wrong)
    check('daemon-ctl/stats-json-traffic', o['checks']['policy'] == 6 and
          o['checks']['milter'] >= 6 and
          o['results']['mailfrom']['softfail'] == 3 and
          o['actions']['reject'] == 3, o['checks'])
    latency(o, want)
    f = metrics()
    wrong = [r for r in rows() if f[PREFIX + r[2]].samples.get(
        (PREFIX + r[2] + ('_total' if r[1] == 'COUNTER' else ''), r[3])) !=
        want[r[0]]]
    check('daemon-ctl/metrics-are-exact', wrong == [], wrong)
    wrong = [r for r in rows() if f[PREFIX + r[2]].type != r[1].lower()]
    check('daemon-ctl/metrics-types', wrong == [], wrong)
    wrong = [x.name for x in f.values() if x.help is None or
             len(x.help.split()) < 2]
    check('daemon-ctl/metrics-help', wrong == [], wrong)
    histograms(f, want)
    stats_text(want)


def percentile(buckets, share):
    seen = 0
    for i, n in enumerate(buckets):
        seen += n
        if seen >= share * sum(buckets):
            return 16 * 2 ** i / 1000


def latency(o, want):
    for name, hist in (('check_duration', 'HIST_CHECK'),
                       ('dns_duration', 'HIST_DNS')):
        got = o['latency'][name]
        check('daemon-ctl/stats-json-' + name, got['count'] ==
              sum(want[hist]) > 0 and
              abs(got['sum_ms'] - want[hist + '_SUM_US'] / 1000) < 0.001 and
              all(abs(got[k] - percentile(want[hist], share)) < 0.001
                  for k, share in (('p50_ms', .5), ('p90_ms', .9),
                                   ('p99_ms', .99), ('max_ms', 1))), got)


def histograms(f, want):
    for name, hist in (('check_duration_seconds', 'HIST_CHECK'),
                       ('dns_duration_seconds', 'HIST_DNS')):
        h = f[PREFIX + name]
        counts = [v for (n, _), v in h.samples.items()
                  if n.endswith('_bucket')]
        sums = [sum(want[hist][:i + 1]) for i in range(BUCKETS)]
        check('daemon-ctl/metrics-' + name, h.type == 'histogram' and
              h.unit == 'seconds' and counts == sums and
              h.samples[h.name + '_count', ()] == sums[-1] and
              abs(h.samples[h.name + '_sum', ()] * 1e6 -
                  want[hist + '_SUM_US']) < 1, h.samples)


def stats_text(want):
    rc, out, err = run('stats')
    check('daemon-ctl/stats-text-checks', rc == 0 and re.search(
        r'^Checks +milter %d, policy %d$' % (
            want['CHECK_MILTER'], want['CHECK_POLICY']), out, re.M), out)
    head = re.search(r'^Results +(.*)$', out, re.M)
    line = re.search(r'^  mailfrom +(.*)$', out, re.M)
    check('daemon-ctl/stats-text-results', head and line and
          dict(zip(head.group(1).split(), map(int, line.group(1).split())))
          == {r: want['MAIL_' + r.upper()] for r in RESULT}, out)
    check('daemon-ctl/stats-text-percentile', re.search(
        r'^  Checks +p50 <= %.3f ms' % percentile(want['HIST_CHECK'], .5),
        out, re.M), out)


def counters_of(families):
    return {(f.name,) + k: v for f in families.values()
            if f.type in ('counter', 'histogram')
            for k, v in f.samples.items()}


def monotone(d):
    """Nothing falls by a reload or by a process that dies."""
    before = counters_of(metrics())
    traffic(d, 1)
    check('daemon-ctl/monotone-reload', run('reload')[0] == 0)
    d.kill('worker')
    d.kill('dns')
    wait(lambda: len(d.children('worker')) == 2 and d.children('dns'), 5)
    traffic(d, 1)
    after = counters_of(metrics())
    fell = [k for k, v in before.items() if after.get(k, -1) < v]
    check('daemon-ctl/metrics-monotone', fell == [], fell[:3])
    grown = [after[k] - before[k] for k in before if k[1] == PREFIX +
             'checks_total']
    check('daemon-ctl/metrics-exact-through-it', grown == [4, 4], grown)
    f = metrics()
    check('daemon-ctl/metrics-restarts', [value(
        f, 'restarts', '_total', role=r) for r in ('worker', 'dns')] ==
        [2, 1], f[PREFIX + 'restarts'].samples)
    o = json.loads(run('status', '--json')[1])['restarts']
    check('daemon-ctl/status-json-restarts', o == {
        'dns': 1, 'worker': 2, 'libmilter': 0, 'shadow': 0}, o)
    check('daemon-ctl/metrics-processes', value(
        f, 'processes', role='worker', state='ready') == 2)


# ---- watch

def lines_of(seconds, *args):
    """Lines of a watch that is interrupted, while there is traffic."""
    p = subprocess.Popen([SPFCTL, 'stats', *args], env=ENV, cwd='/',
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    time.sleep(seconds)
    p.send_signal(signal.SIGINT)
    out = p.communicate(timeout=10)[0].decode()
    return out.split('\n')[:-1]


def watch(d):
    stop = threading.Event()

    def mail():
        while not stop.is_set():
            traffic(d, 1)
            time.sleep(0.1)
    t = threading.Thread(target=mail)
    t.start()
    out = lines_of(3.4, '--watch', '1')
    objects = lines_of(2.4, '--watch=1', '--json')
    stop.set()
    t.join()
    cols = [dict(zip(out[0].replace('p50 ms', 'p50').replace(
        'p99 ms', 'p99').split(), x.split())) for x in out[1:]]
    check('daemon-ctl/watch-lines', len(cols) in (2, 3) and
          out[0].split()[0] == 'open', out)
    check('daemon-ctl/watch-rates', all(
        float(c['check/s']) > 4 and float(c['hit%']) > 50 and
        re.match(r'<=\d', c['p50']) for c in cols), cols)
    o = [json.loads(x) for x in objects]
    check('daemon-ctl/watch-json', len(o) in (2, 3) and
          o[-1]['checks']['milter'] > o[0]['checks']['milter'] and
          0 < o[1]['time'] - o[0]['time'] <= 2, objects)
    p = subprocess.Popen([SPFCTL, 'stats', '--watch=1'], env=ENV, cwd='/',
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.close()
    err = NOISE.sub('', p.stderr.read().decode())
    check('daemon-ctl/watch-reader-leaves', p.wait(10) == 0 and err == '',
          (p.returncode, err))


def confined(d):
    """spfctl is confined before it reads a word."""
    p = subprocess.Popen([SPFCTL, 'stats', '--watch=60'], env=ENV, cwd='/',
                         stdout=subprocess.DEVNULL)
    s = wait(lambda: (lambda s: s if s.get('Seccomp') == '2' else None)(
        status(p.pid)), 5) or status(p.pid)
    check('daemon-ctl/confined', s.get('NoNewPrivs') == '1' and
          s['Uid'].split() == [str(pwd.getpwnam('pyspf-milter').pw_uid)] * 4
          and int(s['CapEff'], 16) == 0 and
          (SANITIZED or s['Seccomp'] == '2'), s)
    p.terminate()
    p.wait()


# ---- reload, flush, log

def reload(d, text):
    def write(more):
        product.write_file(CONF, text + more)

    def generation():
        return json.loads(run('status', '--json')[1])['generations'][-1][
            'number']
    old = generation()
    pids = set(d.children())
    write('TempError_Defer = True\n')
    rc, out, err = run('reload')
    check('daemon-ctl/reload-good', (rc, out, err) == (0, 'reloaded\n', ''),
          (rc, out, err))
    # that generation answers when the command has ended; the old one may
    # still take a connection before it hears that it is over
    for _ in range(20):
        with d.policy() as c:
            r = d.ask(c, 'u@servfail.test')
        if 'defer' in str(r).lower():
            break
        time.sleep(0.05)
    check('daemon-ctl/reload-serves', 'defer' in str(r).lower() and
          generation() == old + 1, r)
    wait(lambda: not pids & set(d.children()), 5)
    pids = set(d.children())
    write('Lookup_Time = banana\nWorkers = 2\n')
    line = text.count('\n') + 1
    why = '%s:%d: Lookup_Time: "banana" is not a whole number' % (CONF, line)
    for args in ((), ('--config', '/run/other.conf')):
        product.write_file('/run/other.conf', 'Workers = 1\n')
        rc, out, err = run('reload', *args)
        check('daemon-ctl/reload-bad' + ('-config' if args else ''),
              rc == 78 and out == '' and 'spfctl: ' + why in err and
              'the running configuration stays' in err, (rc, out, err))
    rc, out, err = run('reload', '--json')
    o = json.loads(out)
    check('daemon-ctl/reload-bad-json', rc == 78 and o['done'] is False and
          o['status'] == 78 and why in o['messages'], out)
    d.log.settle()
    check('daemon-ctl/reload-bad-logged', any(
        why in r for r in d.log.records), d.log.records[-3:])
    check('daemon-ctl/reload-bad-changes-nothing', generation() == old + 1
          and set(d.children()) == pids, run('status')[1])
    o = json.loads(run('status', '--json')[1])
    check('daemon-ctl/reload-counts', o['reloads']['refused'] == 3 and
          o['reloads']['done'] == old, o['reloads'])
    write('PidFile = /run/other.pid\n')
    rc, out, err = run('reload')
    check('daemon-ctl/reload-warns', rc == 0 and
          'warning: PidFile changes with a restart only' in out, (out, err))
    # spf-engine ignores a key that it does not know
    write('No_Such_Key = 1\n')
    why = 'warning: %s:%d: ' % (CONF, line)
    for name, args in (('', []), ('-json', ['--json'])):
        rc, out, err = run('reload', *args)
        check('daemon-ctl/reload-unknown-key' + name, rc == 0 and
              why in out and 'No_Such_Key' in out and err == '',
              (rc, out, err))
    os.unlink(CONF)
    rc, out, err = run('reload')
    check('daemon-ctl/reload-no-file', rc == 78 and CONF in err, err)
    write('')
    check('daemon-ctl/reload-again', run('reload', '--json')[0] == 0)


def flush(d):
    def asked():
        traffic(d, 1)
        got = [q for q in d.dns.queries if q.startswith('pass.test')]
        return len(got)
    asked()
    before = asked()
    check('daemon-ctl/cache-holds', asked() == before)
    for n in range(3):
        rc, out, err = run('flush')
        check('daemon-ctl/flush-%d' % n, (rc, out) == (0, 'flushed\n') and
              asked() == before + 1, (rc, out, err, before))
        before = asked()
    f = metrics()
    check('daemon-ctl/flush-is-no-crash', value(
        f, 'restarts', '_total', role='dns') == 0)


def log(d):
    def debug():
        d.log.settle()
        d.log.take()
        run('flush')
        traffic(d, 1)
        time.sleep(0.3)
        d.log.settle()
        return [r for r in d.log.take() if r.startswith('<23>')]
    asked = re.compile(r'<23>pyspf-milter\[PID\]: dns\[\d+\]: question \d+: '
                       r'TXT pass\.test$')
    check('daemon-ctl/log-is-brief', debug() == [])
    rc, out, _ = run('log', 'verbose')
    check('daemon-ctl/log-verbose', rc == 0 and 'verbose' in out and
          any(map(asked.match, debug())), out)
    check('daemon-ctl/log-status', json.loads(run('status', '--json')[1])[
        'log'] == 'verbose')
    # processes that start now are told
    d.kill('dns')
    wait(lambda: d.children('dns'), 5)
    check('daemon-ctl/log-verbose-new-process', any(map(asked.match,
                                                        debug())))
    rc, out, _ = run('log', 'brief', '--json')
    check('daemon-ctl/log-brief', rc == 0 and json.loads(out)['done'] and
          debug() == [], out)


# ---- who is heard

def permissions():
    gid = pwd.getpwnam('pyspf-milter').pw_gid
    mode = os.stat(SOCKET)
    check('daemon-ctl/socket-mode', mode.st_mode & 0o7777 == 0o660 and
          mode.st_gid == gid, oct(mode.st_mode))
    rc, out, err = run('status', **NOBODY)
    check('daemon-ctl/nobody', rc == 77 and out == '' and
          'Permission denied' in err, (rc, out, err))
    check('daemon-ctl/root', run('status')[0] == 0)
    check('daemon-ctl/own-user', run(
        'status', user='pyspf-milter', group='pyspf-milter',
        extra_groups=[])[0] == 0)
    check('daemon-ctl/group', run('status', user='nobody', group=gid,
                                  extra_groups=[])[0] == 0)
    member = {'user': 'nobody', 'group': 'nogroup', 'extra_groups': [gid]}
    for args in (['stats'], ['metrics'], ['flush'], ['reload']):
        rc, out, err = run(*args, **member)
        check('daemon-ctl/member-' + args[0], rc == 0, (rc, err))
    # who got at the socket all the same is asked for by the kernel
    os.chmod(SOCKET, 0o666)
    for n in range(20):
        rc, out, err = run('status', **NOBODY)
        if rc != 77 or out != '' or 'only root' not in err:
            break
    check('daemon-ctl/nobody-at-an-open-socket', rc == 77 and out == '' and
          'only root' in err, (n, rc, out, err))
    check('daemon-ctl/nobody-cannot-reload', run('reload', **NOBODY)[0] ==
          77)
    os.chmod(SOCKET, 0o660)


def capabilities():
    """Root with no more capabilities than the AppArmor profile allows."""
    with open(os.path.join(TOP, 'conf/debian/apparmor/usr.bin.spfctl'),
              encoding='ascii') as f:
        allowed = re.findall(r'^  capability (\w+),$', f.read(), re.M)

    def limited(names, *args):
        return run(*args, program=['setpriv', '--bounding-set', ','.join(
            ['-all'] + ['+' + n for n in names]), SPFCTL])
    for args in (['status'], ['check', '192.0.2.1', 'u@pass.test']):
        rc, out, err = limited(allowed, *args)
        check('daemon-ctl/profile-' + args[0], rc == 0 and
              (err == '' or SANITIZED and 'Sanitizer' not in err),
              (rc, out, err))
        rc, out, err = limited([], *args)
        check('daemon-ctl/no-capability-' + args[0], rc != 0, (out, err))


def crowd(d):
    """Sixteen are heard, the next is told so."""
    held = [Control() for _ in range(CLIENTS)]
    good = [len(c.ask('CTL_STATUS')[0]) > 5 for c in held]
    check('daemon-ctl/sixteen-are-heard', all(good), good)
    rc, out, err = run('status')
    check('daemon-ctl/the-next-is-not', rc == 75 and out == '' and
          'too many' in err, (rc, out, err))
    check('daemon-ctl/they-still-are', all(
        c.ask('CTL_STATUS')[1] == 0 for c in held))
    held.pop().close()
    check('daemon-ctl/one-leaves', wait(lambda: run('status')[0] == 0, 5))
    for c in held:
        c.close()


def garbage(d):
    """What breaks the rules costs its sender the connection."""
    pid, kids = d.pid, set(d.children())
    watcher = Control()
    good = HEADER.pack(TYPES['CTL_STATUS'], 16, 0, 1)
    bad = {
        'short': b'x', 'text': b'GET / HTTP/1.0\r\n\r\n',
        'unknown-type': HEADER.pack(999, 16, 0, 1),
        'no-type': HEADER.pack(0, 16, 0, 1),
        'length': HEADER.pack(TYPES['CTL_STATUS'], 15, 0, 1),
        'payload': HEADER.pack(TYPES['CTL_STATUS'], 17, 0, 1) + b'x',
        'daemon-message': HEADER.pack(TYPES['GO'], 16, 0, 1),
        'answer': HEADER.pack(TYPES['CTL_END'], 20, 0, 1) + b'\0\0\0\0',
        'verbose-short': HEADER.pack(TYPES['CTL_VERBOSE'], 18, 0, 1) + b'xx',
        'large': good + b'\0' * 60000,
    }
    for name, data in bad.items():
        with Control() as c:
            c.sock.send(data)
            check('daemon-ctl/garbage-' + name, c.receive() == (None, b''))
    with Control() as c:
        r, w = os.pipe()
        socket.send_fds(c.sock, [good], [r])
        try:
            seen = c.receive()
        except ConnectionResetError:
            seen = None, b''
        check('daemon-ctl/garbage-descriptor', seen == (None, b''), seen)
        os.close(r)
        os.close(w)
    with Control() as c:
        c.send('CTL_RELOAD')
        c.send('CTL_STATUS')
        seen = [c.receive()[0] for _ in range(1)]
        check('daemon-ctl/garbage-impatient', seen == [None], seen)
    # one that asks and never reads
    with Control() as c:
        c.sock.setblocking(False)
        sent = 0
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                c.sock.send(good)
                sent += 1
            except BlockingIOError:
                time.sleep(0.001)
            except OSError:
                break
        check('daemon-ctl/deaf-client-goes', time.monotonic() < end and
              sent > 100, sent)
    check('daemon-ctl/garbage-only-that-client', watcher.ask('CTL_STATUS')[1]
          == 0 and d.pid == pid and d.p.p.poll() is None)
    watcher.close()
    wait(lambda: len(d.children()) == len(kids), 5)
    check('daemon-ctl/garbage-no-child-ended', not [
        r for r in d.log.records if 'ended by' in r], d.log.records[-3:])
    d.log.settle()
    lines = [r for r in d.log.records if 'control client' in r]
    check('daemon-ctl/garbage-is-logged-not-flooded', 3 <= len(lines) <= 12,
          lines)


# ---- a daemon that is none

class Fake(threading.Thread):
    """Answers one client: these records, a list of them a question."""

    def __init__(self, records, hang=False):
        super().__init__(daemon=True)
        self.records, self.hang = records, hang
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.path.exists('/run/fake.sock'):
            os.unlink('/run/fake.sock')
        self.sock.bind('/run/fake.sock')
        self.sock.listen(1)
        self.start()

    def run(self):
        c, _ = self.sock.accept()
        for answer in self.records:
            c.recv(1000)
            for r in answer:
                c.send(r)
        if self.hang:
            c.recv(1000)
        c.close()
        self.sock.close()


def message(name, payload=b''):
    return HEADER.pack(TYPES[name], 16 + len(payload), 0, 1) + payload


def fakes():
    end = message('CTL_END', bytes(4))
    evil = b'\x1b]0;owned\x07\x1b[2J\xc2\x9b31m'
    good = a_status(b'1')
    cases = {
        'silent': ([], True, 75, ['status']),
        'hangs-up': ([], False, 69, ['status']),
        'hangs-up-midway': (good[:1], False, 69, ['status']),
        'garbage': ([b'garbage'], True, 76, ['status']),
        'unknown': ([HEADER.pack(999, 16, 0, 1)], True, 76, ['status']),
        'no-counts': ([end], True, 76, ['stats']),
        'other-counts': ([message('CTL_COUNTS', bytes(80)), end], True, 76,
                         ['stats']),
        'half-metrics': (good + [end], False, 69, ['metrics']),
        'status': (good + [end], True, 0, ['status']),
        'status-json': (good + [end], True, 0, ['status', '--json']),
        'empty-status': ([end], True, 76, ['status']),
        'empty-status-json': ([end], True, 76, ['status', '--json']),
        'empty-status-metrics': ([end], True, 76, ['metrics']),
        'bare-words-json': ([message('CTL_TEXT', w) for w in (
            b'listener milterx', b'process dns', b'restarts dns',
            b'generation 1', b'reloads ')] + [end], True, 76,
            ['status', '--json']),
        'evil-status': (a_status(evil * 20) + [end], True, 0, ['status']),
        'evil-status-json': (a_status(evil * 20) + [end], True, 0,
                             ['status', '--json']),
        'evil-refusal': ([message('CTL_TEXT', evil),
                          message('CTL_END', struct.pack('>I', 78))], True,
                         78, ['reload']),
    }
    for i, row in enumerate(good[:4]):
        cases['status-without-%d' % i] = (
            good[:i] + good[i + 1:] + [end], True, 76, ['status'])
        cases['status-twice-%d' % i] = ([row] + good + [end], True, 76,
                                        ['status', '--json'])
    for name, row in (
            ('kind', bytes([99, 1]) + bytes(9)),
            ('none', bytes([0, 0]) + bytes(9)),
            ('role', encode('RESTARTS', 99, 1)),
            ('field-more', encode('LOG', 'brief') + b'\x01' + bytes(8)),
            ('field-less', encode('RELOADS', 1, 2)),
            ('octet-more', encode('LOG', 'brief') + b'x'),
            ('octet-less', encode('LOG', 'brief')[:-1]),
            ('nul', encode('NAMESERVER', b'a\0b'))):
        for args in (['status'], ['metrics']):
            cases['row-%s-%s' % (name, args[0])] = (
                good + [message('CTL_ROW', row), end], True, 76, args)
    for name, (records, hang, want, args) in cases.items():
        Fake([records], hang)
        rc, out, err = run(*args, '--socket', '/run/fake.sock')
        check('daemon-ctl/fake-' + name, rc == want and
              not re.search(r'[\x00-\x09\x0b-\x1f\x7f-\x9f]', out + err) and
              (rc == 0 or out == '') and
              (rc != 76 or 'the daemon has another version' in err),
              (rc, out, err))
    counts = message('CTL_COUNTS', bytes(8 * words()))
    Fake([a_status(b'1"} 2\n' + evil) + [end], [counts, end]])
    rc, out, err = run('metrics', '--socket', '/run/fake.sock')
    try:
        f = openmetrics.parse(out)
    except ValueError as e:
        f = str(e)
    check('daemon-ctl/fake-evil-metrics', rc == 0 and isinstance(f, dict) and
          PREFIX + 'build_info' not in f and
          f[PREFIX + 'restarts'].samples == {}, (rc, f, err))


def a_status(text):
    """The smallest status, and rows with this text in all places for it."""
    return [message('CTL_ROW', encode(*row)) for row in (
        ('DAEMON', text, 1, 2, 3, text), ('SANDBOX', 'full', 6, text, 1),
        ('LOG', 'brief'), ('RELOADS', 1, 2, 3), ('LISTENER', 'milter', text),
        ('NAMESERVER', text), ('GENERATION', 1, 'serving', 2, 3, 4),
        ('PROCESS', 3, 4, 'ready', 5, 6, 7, 8))]


def words():
    return len(rows()) + len(HISTOGRAMS) * (BUCKETS + 1) + RESULTS * RESULTS


def second():
    with Daemon(conf='Second_Opinion = libspf2\n', zone=[
            'zero.test TXT "v=spf1 ip4:0.0.0.0/0 -all"']) as d:
        wait(lambda: [p for p in d.children('shadow')
                      if SANITIZED or status(p).get('Seccomp') == '2'], 10)
        for sender in ('<u@pass.test>', '<u@zero.test>'):
            with d.milter() as c:
                c.mail(sender)

        def all_judged():
            with Control() as c:
                return sum(map(sum, c.stats()['SECOND'])) == 2
        check('daemon-ctl/second-judged', wait(all_judged, 10))
        f = metrics()[PREFIX + 'second_opinion_results'].samples
        want = {(PREFIX + 'second_opinion_results_total', (
            ('ours', 'pass'), ('theirs', t))): 1
            for t in ('pass', 'permerror')}
        check('daemon-ctl/second-metrics', f == want, f)
        o = json.loads(run('stats', '--json')[1])
        check('daemon-ctl/second-json', o['second_opinion_results'] == {
            'pass': {'pass': 1, 'permerror': 1}} and
            o['second_opinion_copies'] == 2, o['second_opinion_results'])
        out = run('stats')[1]
        line = re.search(r'^ours, libspf2 .*?^  pass +(.*?)$', out,
                         re.M | re.S)
        check('daemon-ctl/second-text', line and line.group(1).split() ==
              ['0', '0', '1', '0', '0', '0', '1'], out)
    d.log.close()


def ends(d):
    """The daemon stops while it is watched."""
    p = subprocess.Popen([SPFCTL, 'stats', '--watch=30'], env=ENV, cwd='/',
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    time.sleep(0.5)
    d.p.end()
    try:
        err = p.communicate(timeout=10)[1].decode()
    except subprocess.TimeoutExpired:
        p.kill()
        err = 'does not end'
    check('daemon-ctl/watch-daemon-ends', p.returncode == 69 and
          'closed the connection' in err, (p.returncode, err))


TEXT = 'PolicySocket = local:/run/pyspf-milter/policy.sock\nWorkers = 2\n'
strict()
absent()
usage()
fakes()
with Daemon(conf=TEXT, policy=False) as d:
    serving()
    status_text(d)
    status_json(d)
    stats_agree(d)
    flush(d)
    status_draining(d)
    monotone(d)
    log(d)
    watch(d)
    confined(d)
    permissions()
    capabilities()
    crowd(d)
d.log.close()
with Daemon(conf=TEXT, policy=False) as d:
    serving()
    reload(d, TEXT)
    garbage(d)
    ends(d)
d.log.close()
second()
older_kernel()
finish()
