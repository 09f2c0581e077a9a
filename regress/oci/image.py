#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Makes a container image of the programs of the build folder B: an archive
of an OCI image layout, which podman, docker and umoci read.

    B=build regress/oci/image.py VERSION [FOLDER]
                                        prints the archive's path

It has the three programs, the libraries of this machine that they are linked
with (with the copyright files of their packages) and a few files in /etc: no
shell, no package manager. Owners and times are set in the archive, so root is
not needed, and the same programs and libraries give the same octets.
"""

import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
B = os.environ.get('B', os.path.join(TOP, 'build'))
PROGRAMS = ('pyspf-milter', 'policyd-spf', 'spfctl')
UID = 991
CONF = '/etc/pyspf-milter/pyspf-milter.conf'
ETC = {
    '/etc/passwd': 'root:x:0:0:root:/:/nonexistent\n'
                   'pyspf-milter:x:%d:%d::/:/nonexistent\n' % (UID, UID),
    '/etc/group': 'root:x:0:\npyspf-milter:x:%d:\n' % UID,
    '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
    CONF: '# Replaced by a file that is mounted here. Variables PYSPF_Key of '
          'the\n# environment count more.\nSocket = inet:8893\n',
}
# mode and group; the first as the daemon makes it if root starts it
FOLDERS = {'/run/pyspf-milter': (0o1775, UID), '/proc': (0o755, 0),
           '/sys': (0o755, 0), '/dev': (0o755, 0)}
HEALTH = ['spfctl', 'status', '--environment']
SECOND = 10 ** 9        # in nanoseconds


def run(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, check=True,
                          encoding='utf-8', env={**os.environ, 'LC_ALL': 'C'}
                          ).stdout


def libraries():
    """Of all programs, the loader included: the paths that it looks for."""
    out = run('ldd', *(os.path.join(B, p) for p in PROGRAMS))
    if 'not found' in out:
        sys.exit('a library is missing: ' + out)
    return sorted(set(re.findall(r'(/\S+) \(0x', out)))


def copyrights(libs):
    """The copyright files of the Debian packages of the libraries."""
    docs = set()
    for lib in libs:
        # with its folder: there may be one for another architecture
        out = run('dpkg-query', '-S', '*/' + '/'.join(lib.split('/')[-2:]))
        for package in re.findall(r'^([^:,\s]+)', out, re.M):
            path = '/usr/share/doc/%s/copyright' % package
            if os.path.exists(path):
                docs.add(path)
    return sorted(docs)


class Layer:
    """A tar archive of a root, built in memory."""

    def __init__(self):
        self.out = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.out, mode='w',
                                format=tarfile.PAX_FORMAT)
        self.made = {'/'}

    def add(self, path, kind, mode, gid=0, data=b''):
        above = os.path.dirname(path)
        if above not in self.made:
            self.folder(above)
        info = tarfile.TarInfo(path[1:])
        info.type, info.mode, info.size = kind, mode, len(data)
        info.gid = gid
        self.tar.addfile(info, io.BytesIO(data))

    def folder(self, path, mode=0o755, gid=0):
        self.add(path, tarfile.DIRTYPE, mode, gid)
        self.made.add(path)

    def file(self, path, data, mode=0o644):
        self.add(path, tarfile.REGTYPE, mode, 0, data)

    def copy(self, source, path, mode=0o644):
        with open(source, 'rb') as f:
            self.file(path, f.read(), mode)

    def close(self):
        self.tar.close()
        return self.out.getvalue()


def root():
    layer = Layer()
    for path, (mode, gid) in FOLDERS.items():
        layer.folder(path, mode, gid)
    for path, text in ETC.items():
        layer.file(path, text.encode())
    for p in PROGRAMS:
        layer.copy(os.path.join(B, p), '/usr/bin/' + p, 0o755)
    libs = libraries()
    for lib in libs:
        layer.copy(lib, lib, 0o755)
    for path in copyrights(libs):
        layer.copy(path, path)
    layer.copy(os.path.join(TOP, 'LICENSE'),
               '/usr/share/doc/pyspf-milter/LICENSE')
    return layer.close()


class Layout:
    """The files of an OCI image layout, by their names."""

    def __init__(self):
        self.files = {'oci-layout': b'{"imageLayoutVersion": "1.0.0"}'}

    def blob(self, kind, data):
        """Adds a blob (a dict is written as JSON); returns its descriptor."""
        if isinstance(data, dict):
            data = json.dumps(data, indent=1).encode()
        name = hashlib.sha256(data).hexdigest()
        self.files['blobs/sha256/' + name] = data
        return {'mediaType': 'application/vnd.oci.image.' + kind,
                'digest': 'sha256:' + name, 'size': len(data)}

    def write(self, path):
        with tarfile.open(path, 'w') as tar:
            for name, data in sorted(self.files.items()):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))


def image(version, folder):
    layer = root()
    layout = Layout()
    config = layout.blob('config.v1+json', {
        'architecture': run('dpkg', '--print-architecture').strip(),
        'os': 'linux',
        'config': {
            'User': '%d:%d' % (UID, UID),
            'Entrypoint': ['/usr/bin/pyspf-milter', '-es'],
            'Env': ['PATH=/usr/bin'],
            'ExposedPorts': {'8893/tcp': {}},
            # Docker's addition to the format; Podman ignores it
            'Healthcheck': {
                'Test': ['CMD'] + HEALTH,
                'Interval': 30 * SECOND, 'Timeout': 5 * SECOND},
            'StopSignal': 'SIGTERM',
            'WorkingDir': '/',
        },
        'rootfs': {'type': 'layers', 'diff_ids': [
            'sha256:' + hashlib.sha256(layer).hexdigest()]},
    })
    packed = layout.blob('layer.v1.tar+gzip',
                         gzip.compress(layer, mtime=0))
    manifest = layout.blob('manifest.v1+json', {
        'schemaVersion': 2, 'config': config, 'layers': [packed],
        'mediaType': 'application/vnd.oci.image.manifest.v1+json'})
    manifest['annotations'] = {
        'org.opencontainers.image.ref.name': version,
        'io.containerd.image.name':
            'docker.io/library/pyspf-milter:' + version}
    layout.files['index.json'] = json.dumps(
        {'schemaVersion': 2, 'manifests': [manifest]}).encode()
    path = os.path.join(folder, 'pyspf-milter-%s.oci.tar' % version)
    layout.write(path)
    return path


if __name__ == '__main__':
    if len(sys.argv) not in (2, 3):
        sys.exit('usage: image.py VERSION [FOLDER]')
    print(image(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else B))
