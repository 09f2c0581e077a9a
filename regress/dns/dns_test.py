#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The dns process as it runs, confined, against the tests' DNS server.

usage: B=build dns_test.py [NAME...]

The process is started by regress/dns/dns_bridge, which is its parent and
its workers; see there for the lines that go back and forth.
"""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import dnsd
import product
from check import Checks, finish, wait
from daemon import status

BRIDGE = os.path.join(os.environ.get("B", "build"), "dns", "dns_bridge")
ZONE = r"""
pass.test ttl=77 TXT "v=spf1 ip4:192.0.2.1 " "-all"
pass.test TXT "other"
a.test A 192.0.2.1
a.test A 192.0.2.2
a.test AAAA 2001:db8::1
m.test MX 10 mx.test
m.test MX 0 .
1.2.0.192.in-addr.arpa PTR Host.test
1.0.0.10.in-addr.arpa PTR lan.test
odd.test PTR do\.t.test
x.invalid TXT "seen"
x.home.arpa TXT "seen"
*.n.test ttl=0 A 192.0.2.9
servfail.test SERVFAIL
refused.test REFUSED
fe.test FORMERR
gb.test GARBAGE
wq.test WRONGQ
close.test CLOSE
to.test TIMEOUT
*.to.test TIMEOUT
*.slow.test DELAY 0.4
*.slow.test ttl=0 TXT "slow"
*.late.test SLOW 1.5
*.s1.test SLOW 1
*.s2.test SLOW 2.5
*.s4.test SLOW 4
*.s1.test A 192.0.2.9
*.s2.test A 192.0.2.9
*.s4.test A 192.0.2.9
*.late.test TXT "late"
trunc.test TRUNC
*.tc.test TRUNC
*.tc.test ttl=0 TXT "tc"
trunc.test TXT "v=spf1 +all"
c0.test ttl=50 CNAME c1.test
c1.test ttl=40 CNAME c2.test
c2.test ttl=60 TXT "end"
cl1.test CNAME cl2.test
cl2.test CNAME cl1.test
cn.test CNAME nowhere.test
big.test TXT "\R{60000}{z}"
*.big.test ttl=0 TXT "\R{60000}{z}"
""" + "".join("many.test A 192.0.%d.%d\n" % (i // 250, i % 250 + 1)
              for i in range(2000)) \
    + "".join("more.test A 10.%d.%d.1\n" % (i // 250, i % 250)
              for i in range(2100)) \
    + r'huge.test TXT "\R{64950}{z}"' + "\n" \
    + r'''a\x00b.test A 192.0.2.44
a\\b\x22\xc3\xa4\ @\x28c.test A 192.0.2.45
'''
ZONE = ZONE.replace("\\ @", "@")

report = Checks("dns-")
check, equal, below, empty = (report.check, report.equal, report.below,
                              report.empty)


class Answer:
    def __init__(self, f):
        self.worker, self.id = int(f[1]), int(f[2])
        self.status, self.secure, self.cached = f[3], f[4], f[5] == "1"
        self.type, self.ttl, self.usec = f[6], int(f[7]), int(f[8])
        self.aux = [int(x.split(":")[0]) for x in f[9:]]
        self.data = [bytes.fromhex(x.split(":")[1]) for x in f[9:]]

    def __repr__(self):
        return "%s %s ttl %d cached %s usec %d %r" % (
            self.type, self.status, self.ttl, self.cached, self.usec,
            [d[:20] for d in self.data[:3]])


class Bridge:
    """A dns process with two workers, and the answers that came."""

    def __init__(self, conf, workers=2):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".conf")
        self.file.write(conf)
        self.file.flush()
        self.p = subprocess.Popen([BRIDGE, self.file.name],
                                  stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        self.cond = threading.Condition()
        self.answers = {}       # (worker, id) -> Answer
        self.lines = []         # everything else
        self.last = 0
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.pid = int(self.line("ready ", 30).split()[1])
        for i in range(workers):
            self.tell("peer %d" % i)

    def read(self):
        for raw in self.p.stdout:
            line = raw.decode("latin-1").rstrip("\n")
            with self.cond:
                if line.startswith("answer "):
                    a = Answer(line.split(" "))
                    if (a.worker, a.id) in self.answers:
                        self.lines.append("twice %d" % a.id)
                    self.answers[a.worker, a.id] = a
                else:
                    self.lines.append(line)
                self.cond.notify_all()

    def tell(self, line):
        self.p.stdin.write((line + "\n").encode())
        self.p.stdin.flush()

    def line(self, begin, timeout=10.0, drop=True):
        """The first line that begins so."""
        def find():
            return next((x for x in self.lines if x.startswith(begin)), None)
        with self.cond:
            if not self.cond.wait_for(find, timeout):
                raise AssertionError("no line %r in %r" % (
                    begin, self.lines[-5:]))
            x = find()
            if drop:
                self.lines.remove(x)
            return x

    def has(self, part):
        with self.cond:
            return [x for x in self.lines if part in x]

    def send(self, qtype, name, worker=0):
        if isinstance(name, str):
            name = name.encode("latin-1")
        self.last += 1
        self.tell("ask %d %d %d %s" % (worker, self.last, dnsd.TYPES[qtype],
                                       name.hex()))
        return worker, self.last

    def get(self, key, timeout=20.0):
        with self.cond:
            if not self.cond.wait_for(lambda: key in self.answers, timeout):
                raise AssertionError("no answer in %r s" % timeout)
            return self.answers[key]

    def ask(self, qtype, name, worker=0, timeout=20.0):
        return self.get(self.send(qtype, name, worker), timeout)

    def gauge(self):
        """The questions under way, by the process's counter."""
        self.tell("gauge")
        return int(self.line("gauge ").split()[1])

    def stop(self):
        self.p.stdin.close()
        try:
            self.p.wait(10)
        except subprocess.TimeoutExpired:
            product.end(self.p)
        self.file.close()


def conf(port, *more):
    return "Nameservers = 127.0.0.1@%d\n" % port + "\n".join(more) + "\n"


def answers(srv, b):
    a = b.ask("TXT", "pass.test")
    check("txt", a.status == "ok" and a.data == [
        b"v=spf1 ip4:192.0.2.1 -all", b"other"] and a.aux == [21, 5], a)
    check("ttl", a.ttl == 77 and not a.cached, a)
    a = b.ask("TXT", "pass.test")
    check("cached", a.cached and a.usec < 100000, a)
    equal("a", b.ask("A", "a.test").data,
          [bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])])
    equal("aaaa", b.ask("AAAA", "a.test").data,
          [bytes.fromhex("20010db8000000000000000000000001")])
    a = b.ask("MX", "m.test")
    check("mx", sorted(zip(a.aux, a.data)) == [(0, b""), (10, b"mx.test")], a)
    equal("ptr", b.ask("PTR", "1.2.0.192.in-addr.arpa").data, [b"Host.test"])
    equal("ptr-private-address", b.ask("PTR", "1.0.0.10.in-addr.arpa").data,
          [b"lan.test"])
    equal("name-with-dot-in-label", b.ask("PTR", "odd.test").data, [b"\0"])
    for zone in ("invalid", "home.arpa"):
        equal("asks-for-" + zone, b.ask("TXT", "x." + zone).data, [b"seen"])
    a = b.ask("A", b"a\0b.test")
    check("name-with-nul", a.data == [bytes([192, 0, 2, 44])], a)
    a = b.ask("A", b"a\\b\"\xc3\xa4@(c.test")
    check("name-with-odd-octets", a.data == [bytes([192, 0, 2, 45])], a)
    a = b.ask("A", b"x" * 63 + (b"." + b"y" * 63) * 2 + b"." + b"z" * 61)
    check("name-of-253-octets", a.status == "nxdomain", a)


def negatives(srv, b):
    a = b.ask("TXT", "no.test")
    check("nxdomain", a.status == "nxdomain" and a.ttl == 300, a)
    check("nxdomain-cached", b.ask("TXT", "no.test").cached)
    a = b.ask("A", "pass.test")
    check("nodata", a.status == "nodata" and a.data == [] and a.ttl == 300, a)
    for n in ("servfail", "refused", "fe", "gb", "wq", "close"):
        a = b.ask("TXT", n + ".test")
        check("temperror-" + n, a.status == "temperror" and
              a.usec < 3000000, a)
    a = b.ask("TXT", "servfail.test")
    check("temperror-cached", a.status == "temperror", a)


def chains(srv, b):
    a = b.ask("TXT", "c0.test")
    check("cname-chain", a.status == "ok" and a.data == [b"end"] and
          a.ttl == 40, a)
    equal("cname-loop", b.ask("TXT", "cl1.test").status, "temperror")
    equal("cname-nxdomain", b.ask("TXT", "cn.test").status, "nxdomain")


def libunbound():
    """(1, 17): the version of the library that the dns process loads."""
    lib = ctypes.CDLL("libunbound.so.8")
    lib.ub_version.restype = ctypes.c_char_p
    return tuple(int(n) for n in lib.ub_version().split(b".")[:2])


def sizes(srv, b):
    srv.queries.clear()
    a = b.ask("TXT", "trunc.test")
    check("truncated-by-tcp", a.data == [b"v=spf1 +all"] and
          "trunc.test TXT tcp" in srv.queries, (a, srv.queries))
    a = b.ask("TXT", "big.test")
    check("txt-60k", a.status == "ok" and a.data == [b"z" * 60000], a)
    a = b.ask("A", "many.test")
    check("records-2000", len(a.data) == 2000, a)
    a = b.ask("A", "more.test")
    equal("too-many-records", a.status, "temperror")
    if libunbound() < (1, 26):
        check("too-many-records-logged",
              b.has("an answer of more than 2048 records"), a)
    else:
        report.skip("too-many-records-logged",
                    "this libunbound refuses it itself")
    a = b.ask("TXT", "huge.test")
    check("txt-largest", a.status == "ok" and a.data == [b"z" * 64950], a)


def concurrent(srv, b):
    t = time.monotonic()
    keys = [b.send("TXT", "n%d.slow.test" % i) for i in range(500)]
    bad = [a for a in map(b.get, keys) if a.data != [b"slow"]]
    took = time.monotonic() - t
    check("500-at-once", not bad and took < 3, (took, len(bad), bad[:2]))

    keys = [b.send("TXT", "t%d.tc.test" % i) for i in range(1000)]
    got = [b.get(k).status for k in keys]
    equal("1000-truncated-at-once", got.count("ok"), 1000)

    srv.queries.clear()
    keys = [b.send("TXT", "same.slow.test", i % 2) for i in range(100)]
    bad = [a for a in map(b.get, keys) if a.status != "ok"]
    seen = [q for q in srv.queries if "same" in q]
    check("identical-questions-are-one", not bad and len(seen) == 1,
          (bad, seen))

    # 12 MB of answers for a worker that reads none; then all come.
    b.tell("hold 1")
    keys = [b.send("TXT", "b%d.big.test" % i, 1) for i in range(200)]
    a = b.ask("TXT", "pass.test")
    time.sleep(2)
    a = b.ask("TXT", "n.slow.test")
    check("full-worker-stops-nobody", a.status == "ok" and
          a.usec < 2000000, a)
    b.tell("resume 1")
    got = [b.get(k).status for k in keys]
    check("full-worker-gets-an-answer-for-each",
          set(got) <= {"ok", "temperror", "timeout"} and len(got) == 200 and
          got.count("ok") > 3, got)
    equal("worker-works-after-full", b.ask("TXT", "pass.test", 1).status, "ok")
    empty("no-answer-came-twice", b.has("twice"))


def deadlines(srv, b):
    t = time.monotonic()
    a = b.ask("TXT", "to.test")
    took = time.monotonic() - t
    check("timeout", a.status == "timeout" and 0.95 < took < 1.6 and
          950000 < a.usec < 1600000, (took, a))
    keys = [b.send("TXT", "x%d.to.test" % i) for i in range(50)]
    a = b.ask("TXT", "pass.test")
    check("timeouts-delay-nobody", a.usec < 500000, a)
    equal("timeouts", {b.get(k).status for k in keys}, {"timeout"})
    a = b.ask("TXT", "x.late.test")
    check("late-is-timeout", a.status == "timeout", a)
    time.sleep(1)       # meanwhile it comes
    a = b.ask("TXT", "x.late.test")
    check("late-answer-is-kept", a.status == "ok" and a.cached, a)
    empty("late-answer-not-sent-twice", b.has("twice"))


def patience(srv, b):
    """A name that costs the forwarder seconds, when all others cost none."""
    for n in ("s1", "s2", "s4"):
        for i in range(30):
            b.ask("A", "%s-%d.n.test" % (n, i))
        srv.queries.clear()
        a = b.ask("A", "x.%s.test" % n)
        check("forwarder-takes-%s-seconds" % n[1:], a.status == "ok", a)
        check("few-repeats-in-%s-seconds" % n[1:], len(srv.queries) <= 4,
              srv.queries)
    k = b.send("A", "x.to.test")
    time.sleep(1)
    a = b.ask("A", "other.n.test")
    check("silent-name-delays-no-other", a.usec < 200000, a)
    equal("silent-name", b.get(k).status, "timeout")


def limits(srv, b):
    keys = [b.send("TXT", "l%d.to.test" % i) for i in range(2100)]
    got = [b.get(k) for k in keys]
    n = [a.status for a in got].count("temperror")
    check("2048-for-one-worker", 52 <= n < 300 and
          b.has("questions in flight; more are refused"), n)
    fast = [a.usec for a in got if a.status == "temperror"]
    below("refused-at-once", max(fast), 100000)
    a = b.ask("A", "a.test", 1)
    check("other-worker-not-refused", a.status == "ok", a)
    keys = [b.send("TXT", "m%d.to.test" % i, 1) for i in range(2000)]
    keys += [b.send("TXT", "o%d.to.test" % i, 0) for i in range(1000)]
    got = [b.get(k).status for k in keys]
    check("4096-in-flight", got.count("temperror") > 500 and
          set(got) == {"temperror", "timeout"}, got.count("temperror"))
    # Those in flight inside libunbound end by and by.
    check("usable-after-full", wait(lambda: b.ask(
        "A", "again%d.n.test" % b.last).status == "ok", 40, 0.5))


def places(srv, b):
    """Questions without an answer leave the dns process soon after their
    time: those of slow senders must not keep out all others."""
    keys = [b.send("TXT", "p%d.to.test" % i, i % 2) for i in range(4096)]
    t = time.monotonic()
    most = 0
    while most < 4096 and time.monotonic() < t + 1.5:
        most = max(most, b.gauge())
    equal("places-all-taken", most, 4096)
    got = [b.get(k).status for k in keys]
    equal("places-timeouts", got.count("timeout"), 4096)
    time.sleep(max(0, t + 2 + 1 - time.monotonic()))
    equal("places-gauge-is-0", b.gauge(), 0)

    # libunbound's last try ends a little later; a busy machine adds to that
    def refused():
        each = [b.send("TXT", "q%d.slow.test" % (b.last + 1), i % 2)
                for i in range(4000)]
        return [b.get(k).status for k in each].count("temperror")
    check("places-free-again", wait(lambda: refused() == 0, 6, 0.5))


def worker_ends(srv, b):
    b.tell("peer 2")
    b.tell("peer 3")
    k = b.send("TXT", "to.test", 3)
    b.tell("ask 2 7 16 " + b"a..b".hex())
    b.line("closed 2")
    check("malformed-name-ends-its-worker", b.has("malformed question"))
    b.tell("peer 2")
    b.tell("ask 2 7 99 " + b"a.test".hex())
    b.line("closed 2")
    check("unknown-qtype-ends-its-worker", True)
    b.tell("peer 2")
    b.tell("raw 2 000000ff0000001000000000000000")
    b.line("closed 2")
    check("malformed-message-ends-its-worker", b.has("short header"))
    b.tell("peer 2")
    b.tell("raw 2 000000010000001000000000000000ff")
    b.line("closed 2")
    check("message-of-the-parent-ends-its-worker",
          b.has("sender may not send this type"))
    check("others-unhurt", b.get(k).status == "timeout" and
          b.ask("A", "a.test", 0).status == "ok")
    b.tell("peer 2")
    b.send("TXT", "gone.slow.test", 2)
    b.tell("close 2")
    b.tell("peer 2")
    a = b.ask("TXT", "gone.slow.test", 2)
    check("worker-restarted-in-flight", a.status == "ok", a)


def outage(srv_cmd):
    """The server is stopped and goes on: kill -STOP, as a process."""
    with tempfile.TemporaryDirectory() as d:
        zone = os.path.join(d, "zone")
        with open(zone, "w") as f:
            f.write(ZONE)
        p = subprocess.Popen(srv_cmd + [zone], stdout=subprocess.PIPE,
                             text=True)
        port = int(p.stdout.readline().split()[1])
        b = Bridge(conf(port, "DNS_Timeout = 1"))
        try:
            equal("before-outage", b.ask("A", "o1.n.test").status, "ok")
            p.send_signal(signal.SIGSTOP)
            t = time.monotonic()
            keys, i = [], 0
            while time.monotonic() - t < 12:
                i += 1
                keys.append(b.send("A", "p%d.n.test" % i))
                time.sleep(0.05)
            got = {b.get(k).status for k in keys}
            check("outage", got <= {"timeout", "temperror"}, got)
            check("outage-is-logged", len(b.has(
                "nameservers give no answer")) == 1, b.lines)
            p.send_signal(signal.SIGCONT)
            t = time.monotonic()
            ok = wait(lambda: b.ask("A", "q%d.n.test" % b.last).status ==
                      "ok", 30, 0)
            took = time.monotonic() - t
            check("recovery", ok and took < 15, took)
            print("# recovered after %.1f s" % took)
            check("recovery-is-logged", b.has("nameservers answer again"))
        finally:
            b.stop()
            p.kill()
            p.wait()


def control(srv, b):
    b.ask("A", "a.test")
    check("before-flush", b.ask("A", "a.test").cached)
    b.tell("flush")
    equal("flush-ends-cleanly", b.line("exit "), "exit 0")
    check("flush-is-logged", b.has("flush: restarting"))
    b.tell("restart")
    b.line("ready ")
    b.tell("peer 0")
    check("flushed", not b.ask("A", "a.test").cached)
    b.tell("kill 9")
    equal("killed", b.line("signal "), "signal 9")
    b.tell("restart")
    b.line("ready ")
    b.tell("peer 0")
    equal("works-after-kill", b.ask("A", "a.test").status, "ok")


def confined(b):
    st = status(b.pid)
    equal("seccomp-and-no-new-privs", (st["Seccomp"], st["NoNewPrivs"]),
          ("2", "1"))


def servers():
    """IPv6, and two nameservers of which one is silent."""
    srv = dnsd.DnsServer("::1")
    srv.start(ZONE)
    b = Bridge("Nameservers = ::1@%d\n" % srv.port)
    equal("ipv6-nameserver", b.ask("A", "a.test").status, "ok")
    equal("ipv6-nameserver-tcp", b.ask("TXT", "big.test").status, "ok")
    b.stop()
    srv.stop()
    srv, mute = dnsd.DnsServer(), dnsd.DnsServer()
    srv.start(ZONE)
    mute.start("*.test TIMEOUT")
    b = Bridge("Nameservers = 127.0.0.1@%d,127.0.0.1@%d\n" % (
        mute.port, srv.port))
    b.ask("A", "warm.n.test")
    slow = bad = 0
    for i in range(200):
        a = b.ask("A", "s%d.n.test" % i)
        slow += a.usec > 300000
        bad += a.status != "ok"
    check("one-of-two-silent", bad == 0 and slow <= 10, (bad, slow))
    print("# one of two silent: %d of 200 over 300 ms" % slow)
    b.stop()
    srv.stop()
    mute.stop()


ROOT = (". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC68345"
        "7104237C7F8EC8D")
SEC = ("sec.test. IN DNSKEY 257 3 13 6f6WNjObC0MRxPyiX5+U2SQTElprh7pj12i4yQ15"
       "1eMjupb3uhuf6FENVJPzYYVOPbO6VvctYBRYVLBYdRjaNA==")


def anchored(port, *anchors):
    with tempfile.NamedTemporaryFile("w") as f:
        f.write("; a remark\n\n" + "\n".join(anchors) + "\n")
        f.flush()
        os.chmod(f.name, 0o644)
        return Bridge(conf(port, "Trust_Anchor = " + f.name))


def dnssec(srv):
    with open(os.path.join(HERE, "signed.zone")) as f:
        signed = f.read()
    sec = dnsd.DnsServer()
    sec.start(ZONE + signed)
    b = anchored(sec.port, SEC)
    a = b.ask("TXT", "sec.test")
    check("signed-is-secure", a.status == "ok" and a.secure == "1" and
          a.data == [b"v=spf1 -all"], a)
    a = b.ask("TXT", "sec.test")
    check("secure-from-cache", a.cached and a.secure == "1", a)
    a = b.ask("TXT", "bad.sec.test")
    check("forged-is-temperror", a.status == "temperror" and
          a.secure == "0" and a.data == [], a)
    a = b.ask("TXT", "bad.sec.test")
    check("forged-from-cache", a.status == "temperror" and a.data == [], a)
    a = b.ask("TXT", "pass.test")
    check("unsigned-is-insecure", a.status == "ok" and a.secure == "0", a)
    b.stop()
    # The root's anchor, and a server that has no signatures.
    b = anchored(sec.port, ROOT)
    a = b.ask("TXT", "pass.test")
    check("stripped-is-temperror", a.status == "temperror", a)
    b.stop()
    # Without an anchor the signatures are no records of the answer.
    b = Bridge(conf(sec.port))
    a = b.ask("TXT", "bad.sec.test")
    check("signatures-are-skipped", a.status == "ok" and a.secure == "0" and
          a.data == [b"v=spf1 +all"], a)
    b.stop()
    sec.stop()


def main():
    if not os.access(BRIDGE, os.X_OK):
        check("bridge", False, BRIDGE + " is not built")
        finish()
    srv = dnsd.DnsServer()
    srv.start(ZONE)
    cmd = [sys.executable, os.path.join(HERE, "..", "lib", "dnsd.py"),
           "--port", "0"]
    tests = {
        "answers": (answers, ()), "negatives": (negatives, ()),
        "chains": (chains, ()), "sizes": (sizes, ()),
        "concurrent": (concurrent, ("DNS_Timeout = 10",)),
        "patience": (patience, ()),
        "deadlines": (deadlines, ("DNS_Timeout = 1",)),
        "limits": (limits, ("DNS_Timeout = 3",)),
        "places": (places, ("DNS_Timeout = 2",)),
        "worker_ends": (worker_ends, ("DNS_Timeout = 2",)),
        "control": (control, ()),
        "confined": (lambda s, b: confined(b), ()),
    }
    alone = {"outage": lambda: outage(cmd), "servers": servers,
             "dnssec": lambda: dnssec(srv)}
    which = sys.argv[1:] or list(tests) + list(alone)
    for name in which:
        b = None
        try:
            if name in alone:
                alone[name]()
                continue
            b = Bridge(conf(srv.port, *tests[name][1]))
            tests[name][0](srv, b)
            if name != "control":
                check(name + "-survived", b.p.poll() is None and
                      not b.has("signal ") and not b.has("exit "),
                      b.lines[-3:])
        except (AssertionError, OSError, KeyError) as e:
            check(name, False, e)
        finally:
            if b is not None:
                b.stop()
    srv.stop()
    finish()


if __name__ == "__main__":
    main()
