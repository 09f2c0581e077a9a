# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""A strict reader of OpenMetrics text (version 1.0), as far as counters,
gauges and histograms go: Prometheus' older format knows these too.

    families = parse(text)      ValueError says what is wrong, and where
    families['x'].samples       {(name, ((label, value), ...)): number}
"""

import math
import re

NAME = r'[a-zA-Z_:][a-zA-Z0-9_:]*'
META = re.compile(r'# (TYPE|HELP|UNIT) (%s) (.+)' % NAME)
SAMPLE = re.compile(r'(%s)(?:\{(.*)\})? (\S+)' % NAME)
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
                   r'(?:,|$)')
NUMBER = re.compile(r'-?\d+(?:\.\d+)?(?:e[-+]?\d+)?|[+-]Inf|NaN')
SUFFIXES = {'counter': ('_total',), 'gauge': ('',),
            'histogram': ('_bucket', '_sum', '_count')}


class Family:
    def __init__(self, name):
        self.name = name
        self.type = self.help = self.unit = None
        self.samples = {}


def number(text):
    if not NUMBER.fullmatch(text):
        raise ValueError('no number: ' + text)
    return float(text)


def labels_of(text):
    out, at = [], 0
    while at < len(text):
        m = LABEL.match(text, at)
        if m is None:
            raise ValueError('labels: ' + text)
        out.append((m.group(1), m.group(2)))
        at = m.end()
    if text.endswith(',') or text == '':
        raise ValueError('labels: ' + text)
    if len({k for k, _ in out}) != len(out):
        raise ValueError('a label twice: ' + text)
    return tuple(out)


def check_histogram(f):
    groups = {}
    for (name, labels), value in f.samples.items():
        rest = tuple(x for x in labels if x[0] != 'le')
        g = groups.setdefault(rest, {'buckets': []})
        if name == f.name + '_bucket':
            le = [number(v) for k, v in labels if k == 'le']
            if len(le) != 1:
                raise ValueError('a bucket without le: ' + f.name)
            g['buckets'].append((le[0], value))
        else:
            g[name[len(f.name):]] = value
    for g in groups.values():
        bounds = [b for b, _ in g['buckets']]
        counts = [c for _, c in g['buckets']]
        if bounds != sorted(set(bounds)) or counts != sorted(counts):
            raise ValueError('order of buckets: ' + f.name)
        if not bounds or bounds[-1] != math.inf:
            raise ValueError('no bucket +Inf: ' + f.name)
        if g.get('_count') != counts[-1]:
            raise ValueError('count is not that of +Inf: ' + f.name)
        if '_sum' not in g or g['_sum'] < 0:
            raise ValueError('sum: ' + f.name)


def check_family(f):
    if f.type not in SUFFIXES:
        raise ValueError('type %s of %s' % (f.type, f.name))
    if f.unit is not None and not f.name.endswith('_' + f.unit):
        raise ValueError('unit %s of %s' % (f.unit, f.name))
    if f.type == 'counter' and f.name.endswith('_total'):
        raise ValueError('family named as a sample: ' + f.name)
    for (name, labels), value in f.samples.items():
        if f.type != 'gauge' and not value >= 0:
            raise ValueError('%s is %s' % (name, value))
        if f.type != 'histogram' and 'le' in dict(labels):
            raise ValueError('le outside of a histogram: ' + name)
    if len({tuple(k for k, _ in labels if k != 'le')
            for _, labels in f.samples}) > 1:
        raise ValueError('other labels inside ' + f.name)
    if f.type == 'histogram':
        check_histogram(f)


def meta(families, current, m):
    kind, name, value = m.groups()
    if current is None or current.name != name:
        if name in families:
            raise ValueError('not in one piece: ' + name)
        current = families[name] = Family(name)
    if current.samples:
        raise ValueError('%s behind samples of %s' % (kind, name))
    key = kind.lower()
    if getattr(current, key) is not None:
        raise ValueError('%s twice for %s' % (kind, name))
    setattr(current, key, value)
    return current


def sample(current, m):
    name, labels, value = m.groups()
    if current is None or current.type is None:
        raise ValueError('a sample without a type: ' + name)
    if name not in [current.name + s for s in SUFFIXES.get(current.type, ())]:
        raise ValueError('%s inside of %s %s' % (name, current.type,
                                                 current.name))
    key = name, labels_of(labels) if labels is not None else ()
    if key in current.samples:
        raise ValueError('twice: %s %s' % key)
    current.samples[key] = number(value)


def parse(text):
    if not text.endswith('\n# EOF\n'):
        raise ValueError('no EOF')
    families, current = {}, None
    for line in text[:-len('# EOF\n')].split('\n')[:-1]:
        m = META.fullmatch(line)
        if m is not None:
            current = meta(families, current, m)
            continue
        m = SAMPLE.fullmatch(line)
        if m is None:
            raise ValueError('no line of OpenMetrics: ' + line)
        sample(current, m)
    for f in families.values():
        check_family(f)
    return families
