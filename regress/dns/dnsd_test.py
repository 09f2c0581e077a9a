#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The tests' own DNS server, seen by a parser that is not its own."""

import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import DNS      # python3-dns

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import dnsd
from check import Checks, finish

ZONE = r"""
# a remark
pass.test TXT "v=spf1 ip4:192.0.2.1 -all"
Z multi.test ttl=60 TXT "v=spf1 " "-all"
esc.test TXT "a\x00b\n\"q\\" "\R{250}{y}"
long.test TXT "\R{300}{z}"
temp.test TIMEOUT
servfail.test SERVFAIL
fe.test FORMERR
ref.test REFUSED
big.test TRUNC
big.test TXT "v=spf1 +all"
huge.test TXT "\R{3000}{z}"
c1.test CNAME c2.test
c2.test CNAME pass.test
l1.test CNAME l2.test
l2.test CNAME l1.test
cx.test CNAME nowhere.test
*.w.test A 192.0.2.7
x.y.w.test A 192.0.2.8
a.test A 192.0.2.1
a.test AAAA 2001:db8::1
m.test MX 10 a.test ttl=5
1.2.0.192.in-addr.arpa PTR a.test
mix.test A 192.0.2.1
mix.test TXT:SERVFAIL
mix.test OTHER:TIMEOUT
d.test DELAY 0.3
d.test A 192.0.2.3
slow.test SLOW 0.6
slow.test A 192.0.2.5
gb.test GARBAGE
do\.t.test A 192.0.2.4
"""
report = Checks("dnsd-")
check = report.equal


def packet(name, qtype, edns=0):
    ls = name.split(".") if isinstance(name, str) else name
    ls = [x.encode("latin-1") for x in ls]
    q = struct.pack("!6H", 0x1234, 0x100, 1, 0, 0, 1 if edns else 0)
    q += dnsd.wire_name(ls) + struct.pack("!HH", dnsd.TYPES[qtype], 1)
    if edns:
        q += b"\0\0\x29" + struct.pack("!HIH", edns, 0, 0)
    return q


def ask(port, name, qtype, tcp=False, edns=0, timeout=2.0, addr="127.0.0.1"):
    """The answer's octets, or None."""
    q = packet(name, qtype, edns)
    fam = socket.AF_INET6 if ":" in addr else socket.AF_INET
    kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
    with socket.socket(fam, kind) as s:
        s.settimeout(timeout)
        s.connect((addr, port))
        try:
            if not tcp:
                s.send(q)
                return s.recv(65535)
            s.sendall(struct.pack("!H", len(q)) + q)
            f = s.makefile("rb")
            n, = struct.unpack("!H", f.read(2))
            return f.read(n)
        except (TimeoutError, socket.timeout):
            return None


def parse(pkt):
    """(rcode, tc, [data of the answers], [names], [ttls], authorities)."""
    r = DNS.Lib.DnsResult(DNS.Lib.Munpacker(pkt), {})
    h = r.header
    return (h["rcode"], h["tc"], [a["data"] for a in r.answers],
            [a["name"] for a in r.answers], [a["ttl"] for a in r.answers],
            len(r.authority))


def direct():
    srv = dnsd.DnsServer(("127.0.0.1", "::1"))
    port = srv.start(ZONE)

    def get(name, qtype, **kw):
        return parse(ask(port, name, qtype, **kw))
    records(get)
    names(get)
    faults(get, port)
    times(get, port)
    srv.queries.clear()
    get("c1.test", "TXT")
    get(["a\0b", "X"], "A", tcp=True)
    check("queries", srv.queries, ["c1.test TXT", "a\\x00b.X A tcp"])
    srv.load(["pass.test A 192.0.2.5"])
    check("load", get("pass.test", "A")[2], ["192.0.2.5"])
    speed(port)
    srv.stop()
    try:
        srv2 = dnsd.DnsServer(port=port)
        srv2.start()
        srv2.stop()
        check("stop-frees-port", 1, 1)
    except OSError as e:
        check("stop-frees-port", str(e), "")


def records(get):
    check("txt", get("pass.test", "TXT")[2],
          [[b"v=spf1 ip4:192.0.2.1 -all"]])
    check("ipv6", get("pass.test", "TXT", addr="::1")[0], 0)
    check("txt-strings-ttl", get("multi.test", "TXT")[2:5:2],
          ([[b"v=spf1 ", b"-all"]], [60]))
    check("txt-escapes", get("esc.test", "TXT")[2],
          [[b'a\0b\n"q\\', b"y" * 250]])
    check("txt-cut", [len(x) for x in get("long.test", "TXT")[2][0]],
          [255, 45])
    check("aaaa", get("a.test", "AAAA")[2],
          [socket.inet_pton(socket.AF_INET6, "2001:db8::1")])
    check("mx-ttl", get("m.test", "MX")[2:5:2], ([(10, "a.test")], [5]))
    check("ptr", get("1.2.0.192.in-addr.arpa", "PTR")[2], ["a.test"])
    check("too-big-512", [get(n + ".test", "TXT")[1]
                          for n in ("long", "huge")], [0, 1])
    check("too-big-edns", get("huge.test", "TXT", edns=1232)[1], 1)
    check("big-edns", len(get("huge.test", "TXT", edns=4096)[2][0]), 12)


def names(get):
    check("case", get("PaSS.test", "TXT")[0], 0)
    check("nxdomain-soa", get("no.test", "TXT")[0::5], (3, 1))
    check("nodata-soa", get("pass.test", "A")[0::5], (0, 1))
    check("parent-nodata", get("2.0.192.in-addr.arpa", "PTR")[0], 0)
    check("cname-chain", get("c1.test", "TXT")[2:4],
          (["c2.test", "pass.test", [b"v=spf1 ip4:192.0.2.1 -all"]],
           ["c1.test", "c2.test", "pass.test"]))
    check("cname-loop", get("l1.test", "TXT")[2], ["l2.test", "l1.test"])
    check("cname-nowhere", get("cx.test", "TXT")[0::2][:2],
          (3, ["nowhere.test"]))
    check("wildcard", get("q.w.test", "A")[2:4], (["192.0.2.7"],
                                                 ["q.w.test"]))
    check("wildcard-not-below", get("q.y.w.test", "A")[0], 3)
    check("dot-in-label", get(["do.t", "test"], "A")[2], ["192.0.2.4"])


def faults(get, port):
    check("rcodes", [get(n + ".test", "TXT")[0]
                     for n in ("servfail", "fe", "ref")], [2, 1, 5])
    check("timeout", ask(port, "temp.test", "TXT", timeout=0.3), None)
    check("trunc", get("big.test", "TXT", edns=1232)[1:3], (1, []))
    check("trunc-tcp", get("big.test", "TXT", tcp=True)[1:3],
          (0, [[b"v=spf1 +all"]]))
    check("type-special", [get("mix.test", t)[0] for t in ("A", "TXT")],
          [0, 2])
    check("other-special", ask(port, "mix.test", "MX", timeout=0.3), None)
    check("garbage", ask(port, "gb.test", "TXT")[12:], b"\xff\xff\xff\xc0\x0c")
    refused = []
    for bad in ("x.test A 1.2.3", "x.test FOO 1", "x.test TXT:WHAT",
                "a..b A 192.0.2.1"):
        try:
            dnsd.Zones([bad])
        except dnsd.ZoneError:
            refused.append(bad)
    check("bad-lines", len(refused), 4)


def times(get, port):
    t = time.monotonic()
    get("d.test", "A")
    check("delay", 0.29 < time.monotonic() - t < 1.5, True)
    t = time.monotonic()
    first = ask(port, "slow.test", "A", timeout=0.4)
    second = parse(ask(port, "slow.test", "A"))[2]
    took = time.monotonic() - t
    get("slow.test", "A")
    check("slow", (first, second, 0.5 < took < 0.9,
                   time.monotonic() - t - took < 0.3),
          (None, ["192.0.2.5"], True, True))


def speed(port):
    """With the client's share in the same interpreter; no test."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        s.settimeout(5)
        q, n, t = packet("pass.test", "A"), 3000, time.monotonic()
        for i in range(0, n, 20):
            for _ in range(20):
                s.send(q)
            for _ in range(20):
                s.recv(512)
        print("# %d questions a second" % (n / (time.monotonic() - t)))


def program():
    with tempfile.TemporaryDirectory() as d:
        zone, log = os.path.join(d, "zone"), os.path.join(d, "log")
        with open(zone, "w") as f:
            f.write(ZONE)
        p = subprocess.Popen([sys.executable, os.path.join(
            HERE, "..", "lib", "dnsd.py"), "--port", "0", "--log", log, zone],
            stdout=subprocess.PIPE, text=True)
        try:
            port = int(p.stdout.readline().split()[1])
            check("program", parse(ask(port, "a.test", "A"))[2],
                  ["192.0.2.1"])
            check("log", open(log).read(), "a.test A\n")
            with open(zone, "w") as f:
                f.write("a.test A 192.0.2.99\n")
            p.send_signal(signal.SIGHUP)
            report.becomes("sighup", lambda: parse(ask(port, "a.test",
                           "A"))[2], ["192.0.2.99"], 5)
            p.terminate()
            check("sigterm", p.wait(5), 0)
        finally:
            if p.poll() is None:
                p.kill()


direct()
program()
finish()
