#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The public SPF suites through policyd-spf on stdin, with real DNS packets.

usage: policy_suite.py [-v] [-a] [-s] [rfc7208|rfc4408] [CASE ...]

One test server, whose zone is that of the scenario; one policyd-spf a
scenario and identity. A fail is seen by its reject text, which is the
explanation (Reason_Message = {spf}), other results by Received-SPF.
POLICYD_SPF names another program, say Debian's. -s: where a suite wants a
time-out the server answers SERVFAIL, which RFC 7208 2.6.6 treats the same;
the names of the tests then begin with policy-servfail. -a: with
Void_Family = any; the names begin with policy-any.
"""

import gzip
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import ns
import product
from check import Checks, finish
from dnsd import DnsServer, ZoneError

DOC = '/usr/share/doc/python3-spf/%s-tests.yml.gz'
COUNT = {'rfc7208': 203, 'rfc4408': 191}
DEFAULT = 'SPF fail - not authorized'
LOOKUP_TIME = 2
CONF = """Lookup_Time = %d
skip_addresses = 240.0.0.0/8
Header_Type = SPF
Reason_Message = {spf}
HELO_reject = %s
Mail_From_reject = Fail
"""
HEADER = re.compile(rb'^action=prepend Received-SPF: (\w+) \(')
REJECT = re.compile(rb'^action=550 5\.7\.23 (.*)$', re.S)


def quoted(text):
    out = ''
    for octet in text.encode('utf-8'):
        c = chr(octet)
        out += '\\' + c if c in '"\\' else \
            c if ' ' <= c <= '~' else '\\x%02x' % octet
    return '"' + out + '"'


def zone_name(text):
    out = ''
    for octet in text.encode('utf-8'):
        c = chr(octet)
        out += '\\\\' if c == '\\' else \
            c if '!' <= c <= '~' else '\\x%02x' % octet
    return out or '.'


def record_lines(name, records):
    """Zone lines for a name, as the suites' own drivers read them: an SPF
    record is served as TXT too, unless there are TXT records; a bare
    TIMEOUT is for the types that have no record."""
    own_txt = any(isinstance(r, dict) and 'TXT' in r for r in records)
    owner = zone_name(name)
    for r in records:
        if not isinstance(r, dict):
            yield '%s OTHER:%s' % (owner, r)
            continue
        for kind, value in r.items():
            if value == 'NONE':
                continue
            kinds = ['SPF', 'TXT'] if kind == 'SPF' and not own_txt \
                else [kind]
            for k in kinds:
                if value == 'TIMEOUT':
                    yield '%s %s:TIMEOUT' % (owner, k)
                elif k in ('TXT', 'SPF'):
                    parts = [value] if isinstance(value, str) else value
                    yield '%s %s %s' % (owner, k,
                                        ' '.join(quoted(p) for p in parts))
                elif k == 'MX':
                    yield '%s MX %s %s' % (owner, value[0],
                                           zone_name(value[1]))
                elif k in ('PTR', 'CNAME'):
                    yield '%s %s %s' % (owner, k, zone_name(value))
                else:
                    yield '%s %s %s' % (owner, k, value)


def zone_of(scenario, log):
    good = []
    for name, records in scenario['zonedata'].items():
        for line in record_lines(name, records):
            try:
                DnsServer().load([line])
                good.append(line)
            except ZoneError as e:
                # A name that cannot be in a packet cannot be asked for.
                log('  left out: %s' % e)
    return good


def judge(reply):
    """(result, explanation or None) of a reply."""
    if reply is None or len(reply) != 1:
        return 'no reply', None
    m = REJECT.match(reply[0])
    if m:
        return 'fail', m.group(1).decode('utf-8', 'backslashreplace')
    m = HEADER.match(reply[0])
    if m:
        return m.group(1).decode().lower(), None
    return 'reply ' + repr(reply[0]), None


def wrong(case, reply):
    """What is wrong, or None."""
    want = case['result']
    want = [want] if isinstance(want, str) else want
    result, explanation = judge(reply)
    if result not in want:
        return 'result %s, not %s' % (result, ' or '.join(want))
    expected = case.get('explanation')
    if expected is not None and result == 'fail':
        if expected == 'DEFAULT':
            expected = DEFAULT
        if explanation != expected:
            return 'explanation %r, not %r' % (explanation, expected)
    elif expected is not None:
        return 'an explanation for %s is not to be seen' % result
    return None


class Runner(Checks):
    def __init__(self, verbose, servfail, void_any):
        super().__init__('policy-servfail-' if servfail else
                         'policy-any-' if void_any else 'policy-')
        self.verbose = verbose
        self.servfail = servfail
        self.conf = CONF + 'Void_Family = any\n' if void_any else CONF
        self.program = product.wanted('policy-suite', 'policyd-spf')
        self.server = DnsServer(addr=['127.0.0.1', '::1'], port=53, ttl=0,
                                negttl=0)
        self.server.start([])
        product.folder('/run/suite')

    def log(self, text):
        if self.verbose:
            print(text)

    def process(self, helo_reject):
        conf = product.write_file('/run/suite/' + helo_reject,
                                  self.conf % (LOOKUP_TIME, helo_reject))
        return product.Policyd([self.program, conf],
                               stderr=None if self.verbose else
                               subprocess.DEVNULL)

    def scenario(self, suite, scenario, only):
        self.log('# ' + scenario.get('description', ''))
        zone = zone_of(scenario, self.log)
        if self.servfail:
            zone = [re.sub(r':TIMEOUT$', ':SERVFAIL', z) for z in zone]
        self.server.load(zone)
        procs = {}
        for name, case in scenario['tests'].items():
            if only and name not in only:
                continue
            sender = case['mailfrom'] or ''
            which = 'Fail' if sender == '' else 'No_Check'
            # A program that ended (the original may) is started again.
            if which not in procs or procs[which].closed:
                procs[which] = self.process(which)
            del self.server.queries[:]
            reply = procs[which].ask([
                ('request', 'smtpd_access_policy'),
                ('protocol_state', 'RCPT'), ('protocol_name', 'ESMTP'),
                ('client_address', case['host']),
                ('helo_name', case['helo'] or ''), ('sender', sender),
                ('recipient', 'postmaster@receiver.example'),
                ('instance', '')])
            why = wrong(case, reply)
            self.check('%s/%s' % (suite, name), why is None, why)
            self.log('  %r %r' % (reply, self.server.queries))
        for p in procs.values():
            p.end()


def main(argv):
    ns.enter('policy-suite')
    import yaml
    verbose = '-v' in argv
    servfail, void_any = '-s' in argv, '-a' in argv
    argv = [a for a in argv if a not in ('-v', '-s', '-a')]
    suites = [a for a in argv if a in COUNT] or list(COUNT)
    only = [a for a in argv if a not in COUNT]
    runner = Runner(verbose, servfail, void_any)
    for suite in suites:
        count = 0
        with gzip.open(DOC % suite, 'rt', encoding='utf-8') as f:
            for scenario in yaml.safe_load_all(f):
                count += len(scenario['tests'])
                runner.scenario(suite, scenario, only)
        Checks('policy-any-' if void_any else 'policy-').equal(
            suite + '-complete', count, COUNT[suite])
    finish()


if __name__ == '__main__':
    main(sys.argv[1:])
