#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""A small DNS server for tests, on loopback: UDP and TCP, IPv4 and IPv6.

usage: dnsd.py --port N [--addr 127.0.0.1]... [--log FILE] [--latency SEC]
               [--ttl N] [--negttl N] ZONEFILE...

Prints "ready PORT" when it answers (port 0: it chooses one). SIGHUP reads
the zone files again. It answers for every name there is, as a forwarder
does (RA set): names not listed do not exist.

A zone line is "name [ttl=N] TYPE data"; a leading "Z " is dropped; lines
that are empty or begin with '#' are remarks. "." is the root, "*.x" a
wildcard (RFC 4592). Types: A AAAA MX TXT SPF PTR CNAME NS SOA, or TYPEn with
hex octets. TXT is one or several quoted strings; a string over 255 octets
is cut into several. Escapes in names and strings: \\\\ \\" \\. \\n \\r \\t
\\xHH and \\R{n}{c} = n times c ("\\." is a dot inside a label).

Special types, for all types of a name: TIMEOUT (no answer), SERVFAIL,
REFUSED, FORMERR, NOTIMP (that rcode), TRUNC (TC and nothing else over UDP),
GARBAGE (nothing that parses), WRONGQ (another question), CLOSE (TCP closed
without an answer), DELAY n (seconds, before each answer), SLOW n (as a
resolver that works n seconds on the name: whoever asks meanwhile is answered
at its end, and at once later). "name TXT:SERVFAIL" does so for one type,
"name OTHER:TIMEOUT" for the types that are not listed.

A CNAME is followed inside the server, all records in one answer. Answers
over the size that the client offers are truncated on UDP. Negative answers
carry an SOA. The log has a line a question: "name TYPE" or "name TYPE tcp".

As a module: srv = DnsServer(); port = srv.start(zones); srv.queries is the
list of those lines; srv.load(zones); srv.stop(). zones: text, or a list of
zone lines.
"""

import argparse
import asyncio
import ipaddress
import re
import signal
import socket
import struct
import sys
import threading
import time

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15,
         "TXT": 16, "AAAA": 28, "OPT": 41, "SPF": 99, "ANY": 255}
NAMES = {v: k for k, v in TYPES.items()}
RCODES = {"FORMERR": 1, "SERVFAIL": 2, "NOTIMP": 4, "REFUSED": 5}
SPECIAL = set(RCODES) | {"TIMEOUT", "TRUNC", "GARBAGE", "WRONGQ", "CLOSE",
                         "DELAY", "SLOW"}
RRSIG = 46
BATCH = 64
UDP_MAX = 4096

_escape = re.compile(rb'\\(?:R\{(\d+)\}\{((?:\\x[0-9a-fA-F]{2}|.))\}'
                     rb'|x([0-9a-fA-F]{2})|(.))', re.S)
_tokens = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


class ZoneError(ValueError):
    pass


def unescape(text):
    """Octets of a text with escapes."""
    def one(m):
        if m.group(1) is not None:
            return unescape(m.group(2).decode("latin-1")) * int(m.group(1))
        if m.group(3) is not None:
            return bytes([int(m.group(3), 16)])
        c = m.group(4)
        return {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(c, c)
    if isinstance(text, str):
        # A file's octets come as latin-1; a module's caller may use any text.
        try:
            text = text.encode("latin-1")
        except UnicodeEncodeError:
            text = text.encode("utf-8")
    return _escape.sub(one, text)


def labels(text):
    """Tuple of the labels of a name in a zone line."""
    if text in (".", ""):
        return ()
    parts = re.split(r"(?<!\\)((?:\\\\)*)\.", text)
    # The captured runs of backslashes belong to the label before them.
    out = [parts[i] + (parts[i + 1] if i + 1 < len(parts) else "")
           for i in range(0, len(parts), 2)]
    if out[-1] == "":
        out.pop()
    ls = tuple(unescape(p) for p in out)
    if any(not 1 <= len(p) <= 63 for p in ls) or \
            sum(len(p) + 1 for p in ls) > 254:
        raise ZoneError("bad name " + text)
    return ls


def wire_name(ls):
    return b"".join(bytes([len(p)]) + p for p in ls) + b"\0"


def show_name(ls):
    text = b".".join(ls).decode("latin-1") or "."
    return "".join(c if " " <= c <= "~" else "\\x%02x" % ord(c)
                   for c in text)


def type_name(t):
    return NAMES.get(t, "TYPE%d" % t)


def txt_data(strings):
    out = b""
    for s in strings:
        for i in range(0, len(s), 255) if s else [0]:
            part = s[i:i + 255]
            out += bytes([len(part)]) + part
    return out


def rdata(kind, rest):
    """Wire form of the data of a zone line."""
    def name(t):
        return wire_name(labels(t))
    if kind in ("TXT", "SPF"):
        return txt_data([unescape(a or b) for a, b in _tokens.findall(rest)]
                        or [b""])
    if kind == "A":
        return ipaddress.IPv4Address(rest).packed
    if kind == "AAAA":
        return ipaddress.IPv6Address(rest).packed
    if kind == "MX":
        pref, _, host = rest.partition(" ")
        return struct.pack("!H", int(pref)) + name(host.strip())
    if kind in ("PTR", "CNAME", "NS"):
        return name(rest)
    if kind == "SOA":
        f = rest.split()
        return name(f[0]) + name(f[1]) + struct.pack(
            "!5I", *[int(x) for x in f[2:7]])
    return bytes.fromhex(rest)


class Node:
    def __init__(self):
        self.rr = {}        # type -> [(ttl, rdata)]
        self.special = {}   # type, None (all) or "OTHER" -> name
        self.delay = {}     # the same -> seconds
        self.slow = {}      # the same -> seconds
        self.cname = None   # (ttl, labels)


class Zones:
    """What the zone lines say, and an answer for each question."""

    def __init__(self, lines, ttl=300, negttl=300):
        self.ttl = ttl
        self.negttl = negttl
        self.nodes = {}
        self.exist = {()}
        self.wild = False
        for n, line in enumerate(lines, 1):
            line = line.strip(" \r\n")
            if not line or line.startswith("#"):
                continue
            try:
                self.add(line)
            except (ValueError, IndexError, struct.error) as e:
                raise ZoneError("line %d: %s: %s" % (n, line[:80], e)) \
                    from None

    def add(self, line):
        if line.startswith("Z "):
            line = line[2:].lstrip()
        owner, rest = line.split(None, 1)
        ttl = self.ttl
        if rest.startswith("ttl="):
            t, rest = rest.split(None, 1)
            ttl = int(t[4:])
        f = rest.split(None, 1)
        kind, rest = f[0], (f[1] if len(f) > 1 else "")
        m = re.search(r"\sttl=(\d+)$", rest)
        if m and '"' not in m.group(0):
            ttl, rest = int(m.group(1)), rest[:m.start()]
        ls = tuple(p.lower() for p in labels(owner))
        for i in range(len(ls)):
            self.exist.add(ls[i:])
        node = self.nodes.setdefault(ls, Node())
        self.wild = self.wild or ls[:1] == (b"*",)

        which, colon, special = kind.partition(":")
        if colon:
            key = which if which == "OTHER" else self.number(which)
        else:
            key, special = None, kind
        if special in SPECIAL:
            if special == "DELAY":
                node.delay[key] = float(rest)
            elif special == "SLOW":
                node.slow[key] = float(rest)
            else:
                node.special[key] = special
            return
        if colon:
            raise ZoneError("unknown special type")
        data = rdata(kind, rest)
        if kind == "CNAME":
            node.cname = (ttl, labels(rest))
        node.rr.setdefault(self.number(kind), []).append((ttl, data))

    @staticmethod
    def number(kind):
        if kind in TYPES:
            return TYPES[kind]
        if re.fullmatch(r"TYPE\d+", kind):
            return int(kind[4:])
        raise ZoneError("unknown type " + kind)

    def find(self, ls):
        """(node or None, does the name exist)."""
        if ls in self.nodes:
            return self.nodes[ls], True
        if ls in self.exist:
            return None, True
        if self.wild:
            for i in range(1, len(ls) + 1):
                if ls[i:] in self.exist:    # closest encloser
                    node = self.nodes.get((b"*",) + ls[i:])
                    return node, node is not None
        return None, False

    def resolve(self, qname, qtype):
        """(special or rcode, delay, slow, [(owner, type, ttl, data)])."""
        records, seen, delay, slow, owner = [], set(), 0.0, 0.0, qname
        while True:
            low = tuple(p.lower() for p in owner)
            node, exists = self.find(low)
            if node is None:
                return (0 if exists else 3), delay, slow, records
            other = "OTHER" if qtype not in node.rr else None
            for table_key in (None, qtype, other):
                delay = max(delay, node.delay.get(table_key, 0.0))
                slow = max(slow, node.slow.get(table_key, 0.0))
            special = node.special.get(qtype) or node.special.get(None) or (
                node.special.get("OTHER") if other else None)
            if special is not None and special != "TRUNC":
                return special, delay, slow, records
            verdict = "TRUNC" if special else 0
            if qtype in node.rr:
                records += [(owner, qtype, t, d) for t, d in node.rr[qtype]]
                # Signatures (RFC 4034 3.1) go with what they cover.
                records += [(owner, RRSIG, t, d) for t, d in
                            node.rr.get(RRSIG, ())
                            if d[:2] == struct.pack("!H", qtype)]
                return verdict, delay, slow, records
            if node.cname is None or low in seen:
                return verdict, delay, slow, records
            seen.add(low)
            ttl, target = node.cname
            records.append((owner, 5, ttl, wire_name(target)))
            owner = target


class Answer:
    """A prepared answer: the parts that depend on the question only."""

    def __init__(self, verdict, delay, rcode, count, answers, negative,
                 ripe=0.0):
        self.verdict = verdict
        self.delay = delay
        self.ripe = ripe            # monotonic time of a SLOW name
        self.rcode = rcode
        self.count = count
        self.answers = answers      # wire, owners compressed
        self.negative = negative    # authority section, 0 or 1 record


def parse_query(pkt):
    """(labels, type, end of the question, EDNS size or 0), or None."""
    if len(pkt) < 17 or pkt[2] & 0x80 or pkt[4:6] != b"\0\1":
        return None
    i, ls = 12, []
    while True:
        if i >= len(pkt):
            return None
        n = pkt[i]
        if n == 0:
            break
        if n > 63 or i + 1 + n > len(pkt):
            return None
        ls.append(pkt[i + 1:i + 1 + n])
        i += 1 + n
    i += 5
    if i > len(pkt):
        return None
    qtype = pkt[i - 4] << 8 | pkt[i - 3]
    edns = 0
    if pkt[10:12] == b"\0\1" and len(pkt) >= i + 11 and \
            pkt[i:i + 3] == b"\0\0\x29":
        edns = max(512, pkt[i + 3] << 8 | pkt[i + 4])
    return tuple(ls), qtype, i, edns


class DnsServer:
    def __init__(self, addr="127.0.0.1", port=0, latency=0.0, log=None,
                 ttl=300, negttl=300, keep_queries=True):
        self.addrs = [addr] if isinstance(addr, str) else list(addr)
        self.port = port
        self.latency = latency
        self.log = log              # a stream, or None
        self.ttl = ttl
        self.negttl = negttl
        self.keep = keep_queries
        self.queries = []
        self.zones = Zones([])
        self.cache = {}
        self.loop = None
        self.thread = None
        self.udp = []
        self.tcp = []
        self.tasks = set()

    # What a caller uses; start() and stop() run the loop in a thread.

    def load(self, zones):
        """Replaces the zones: text or zone lines. ZoneError leaves them."""
        if isinstance(zones, str):
            zones = zones.splitlines()
        new = Zones(zones, self.ttl, self.negttl)
        # One assignment, so that a running loop never sees half of it.
        self.zones, self.cache = new, {}

    def start(self, zones=()):
        self.load(zones)
        ready = threading.Event()
        failed = []

        def run():
            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loop)
            try:
                self.loop.run_until_complete(self.open())
            except OSError as e:
                failed.append(e)
                return
            finally:
                ready.set()
            self.loop.run_forever()
            self.loop.run_until_complete(self.close())
            self.loop.close()
        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        ready.wait()
        if failed:
            raise failed[0]
        return self.port

    def stop(self):
        if self.thread is not None and self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join()
        self.thread = None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()

    # The server.

    async def open(self):
        for attempt in range(50):
            try:
                socks = self.bind()
                break
            except OSError:
                if self.port != 0 or attempt == 49:
                    raise
        self.port = socks[0][0].getsockname()[1]
        for tcp, udp in socks:
            self.tcp.append(await asyncio.start_server(self.serve_tcp,
                                                       sock=tcp, backlog=512))
            self.udp.append(udp)
            self.loop_of().add_reader(udp.fileno(), self.serve_udp, udp)

    @staticmethod
    def loop_of():
        return asyncio.get_running_loop()

    def bind(self):
        """One port, both protocols, all addresses; or nothing stays open."""
        out, port = [], self.port
        try:
            for a in self.addrs:
                fam = socket.AF_INET6 if ":" in a else socket.AF_INET
                pair = [socket.socket(fam, kind) for kind in
                        (socket.SOCK_STREAM, socket.SOCK_DGRAM)]
                out.append(pair)
                pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                pair[1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                   8 << 20)
                for s in pair:
                    s.setblocking(False)
                    if fam == socket.AF_INET6:
                        s.setsockopt(socket.IPPROTO_IPV6,
                                     socket.IPV6_V6ONLY, 1)
                    s.bind((a, port))
                    port = s.getsockname()[1]
        except OSError:
            for pair in out:
                for s in pair:
                    s.close()
            raise
        return out

    async def close(self):
        for udp in self.udp:
            self.loop_of().remove_reader(udp.fileno())
            udp.close()
        for srv in self.tcp:
            srv.close()
        tasks = [t for t in asyncio.all_tasks()
                 if t is not asyncio.current_task()]
        for t in tasks:
            t.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def note(self, ls, qtype, tcp):
        line = show_name(ls) + " " + type_name(qtype) + (" tcp" if tcp
                                                         else "")
        if self.keep:
            self.queries.append(line)
        if self.log is not None:
            self.log.write(line + "\n")
            self.log.flush()

    def prepare(self, ls, qtype):
        key = (ls, qtype)
        ans = self.cache.get(key)
        if ans is not None:
            return ans
        verdict, delay, slow, records = self.zones.resolve(ls, qtype)
        rcode = verdict if isinstance(verdict, int) else \
            RCODES.get(verdict, 0)
        if rcode not in (0, 3):
            records = []
        # Owners point back: the question's is at 12, others at their first
        # appearance, which is the target inside a CNAME before.
        where, pos, out = {ls: 12}, 12 + len(wire_name(ls)) + 4, []
        for owner, t, ttl, data in records:
            at = where.get(owner)
            if at is not None and at < 0x4000:
                own = struct.pack("!H", 0xc000 | at)
            else:
                own = wire_name(owner)
            out.append(own + struct.pack("!HHIH", t, 1, ttl, len(data))
                       + data)
            if t == 5:
                where.setdefault(self.split(data), pos + len(own) + 10)
            pos += len(out[-1])
        negative = b""
        if rcode in (0, 3) and not any(r[1] == qtype for r in records):
            soa = wire_name((b"ns", b"invalid")) + \
                wire_name((b"root", b"invalid")) + struct.pack(
                    "!5I", 1, 3600, 600, 86400, self.zones.negttl)
            negative = b"\0" + struct.pack("!HHIH", 6, 1, self.zones.negttl,
                                           len(soa)) + soa
        ans = Answer(verdict, delay, rcode, len(records), b"".join(out),
                     negative, time.monotonic() + slow if slow else 0.0)
        if len(self.cache) > 100000:
            self.cache = {}
        self.cache[key] = ans
        return ans

    @staticmethod
    def split(data):
        out, i = [], 0
        while data[i]:
            out.append(data[i + 1:i + 1 + data[i]])
            i += 1 + data[i]
        return tuple(out)

    def build(self, pkt, question_end, edns, ans, tcp):
        if ans.verdict == "GARBAGE":
            return pkt[:2] + b"\x81\x80\0\1\0\7\0\0\0\0\xff\xff\xff\xc0\x0c"
        question = pkt[12:question_end]
        if ans.verdict == "WRONGQ":
            question = b"\5wrong\4test\0\0\1\0\1"
        flags = 0x8080 | (pkt[2] & 0x01) << 8 | (pkt[2] & 0x78) << 8 \
            | ans.rcode
        opt = b"" if edns == 0 else \
            b"\0\0\x29" + struct.pack("!HIH", UDP_MAX, 0, 0)
        size = 12 + len(question) + len(ans.answers) + len(ans.negative) + \
            len(opt)
        tc = not tcp and (ans.verdict == "TRUNC" or
                          size > min(max(edns, 512), UDP_MAX))
        if tc:
            return pkt[:2] + struct.pack("!5H", flags | 0x200, 1, 0, 0,
                                         edns != 0) + question + opt
        if size > 65535:
            return pkt[:2] + struct.pack("!5H", flags | 2, 1, 0, 0,
                                         edns != 0) + question + opt
        return pkt[:2] + struct.pack(
            "!5H", flags, 1, ans.count, ans.negative != b"",
            edns != 0) + question + ans.answers + ans.negative + opt

    def answer(self, pkt, tcp):
        """(packet, delay), or (None, 0) for no answer."""
        q = parse_query(pkt)
        if q is None:
            if len(pkt) >= 12 and not pkt[2] & 0x80:
                return pkt[:2] + b"\x80\x81" + bytes(8), 0
            return None, 0
        ls, qtype, end, edns = q
        self.note(ls, qtype, tcp)
        ans = self.prepare(ls, qtype)
        if ans.verdict == "TIMEOUT":
            return None, 0
        if ans.verdict == "CLOSE":
            # Over UDP it must send the client to TCP first.
            if tcp:
                return b"", ans.delay + self.latency
            ans = Answer("TRUNC", ans.delay, 0, 0, b"", b"")
        wait = ans.delay + self.latency
        if ans.ripe:
            wait = max(wait, ans.ripe - time.monotonic())
        return self.build(pkt, end, edns, ans, tcp), wait

    def serve_udp(self, sock):
        for _ in range(BATCH):
            try:
                pkt, peer = sock.recvfrom(65535)
            except OSError:
                return
            out, delay = self.answer(pkt, False)
            if out is None:
                continue
            if delay > 0:
                self.loop_of().call_later(delay, self.send_udp, sock, out,
                                          peer)
            else:
                self.send_udp(sock, out, peer)

    @staticmethod
    def send_udp(sock, out, peer):
        try:
            sock.sendto(out, peer)
        except OSError:
            pass        # the client has gone, or asks again

    async def serve_tcp(self, reader, writer):
        async def later(out, delay):
            await asyncio.sleep(delay)
            send(out)

        def send(out):
            if out == b"":
                writer.close()
            elif not writer.is_closing():
                writer.write(struct.pack("!H", len(out)) + out)

        tasks = set()
        try:
            while True:
                head = await asyncio.wait_for(reader.readexactly(2), 30)
                pkt = await asyncio.wait_for(
                    reader.readexactly(head[0] << 8 | head[1]), 30)
                out, delay = self.answer(pkt, True)
                if out is None:
                    continue
                if delay > 0:
                    t = asyncio.ensure_future(later(out, delay))
                    tasks.add(t)
                    t.add_done_callback(tasks.discard)
                else:
                    send(out)
                    await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.TimeoutError,
                asyncio.CancelledError, OSError):
            pass
        finally:
            for t in tasks:
                t.cancel()
            writer.close()


def read_zones(paths):
    lines = []
    for p in paths:
        with open(p, encoding="latin-1") as f:
            lines += f.read().split("\n")
    return lines


def main():
    ap = argparse.ArgumentParser(description="DNS server for tests")
    ap.add_argument("--port", type=int, required=True)
    ap.add_argument("--addr", action="append")
    ap.add_argument("--log")
    ap.add_argument("--latency", type=float, default=0.0)
    ap.add_argument("--ttl", type=int, default=300)
    ap.add_argument("--negttl", type=int, default=300)
    ap.add_argument("zonefile", nargs="*")
    a = ap.parse_args()
    log = open(a.log, "a", encoding="latin-1") if a.log else None
    srv = DnsServer(a.addr or "127.0.0.1", a.port, a.latency, log, a.ttl,
                    a.negttl, keep_queries=False)

    def reload():
        try:
            srv.load(read_zones(a.zonefile))
        except (OSError, ZoneError) as e:
            print("dnsd: %s" % e, file=sys.stderr, flush=True)

    async def run():
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, reload)
        for s in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(s, stop.set)
        await srv.open()
        print("ready %d" % srv.port, flush=True)
        await stop.wait()
        await srv.close()

    try:
        srv.load(read_zones(a.zonefile))
        asyncio.run(run())
    except (OSError, ZoneError) as e:
        print("dnsd: %s" % e, file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
