#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Boots a machine of Debian in QEMU and prints what inside.py prints there.

usage: vm.py SUITE      bookworm or trixie

image.sh makes the machine in $B/vm/SUITE-ARCH; results, what inside.py
printed, and console, what the kernel and systemd did, are there after a run.
ARCH: Debian's name of the architecture, by default this machine's. VM_ACCEL:
QEMU's accelerator, by default emulation ("kvm" where that can run Debian's
kernels). The machine has no network but its loopback.
"""

import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import product
from check import check, finish, skip

# QEMU's program and its options, the kernel's console
MACHINES = {
    'amd64': ('qemu-system-x86_64', ['-machine', 'q35', '-cpu',
                                     'max,la57=off'], 'ttyS0'),
    'arm64': ('qemu-system-aarch64', ['-machine', 'virt', '-cpu',
                                      'max,pauth-impdef=on'], 'ttyAMA0'),
}
SECONDS = int(os.environ.get('VM_SECONDS', 3000))
BOOT_SECONDS = 600
PORT = 'regress.results'        # inside.py knows it too


def architecture():
    return os.environ.get('ARCH') or subprocess.run(
        ['dpkg', '--print-architecture'], stdout=subprocess.PIPE,
        check=True).stdout.decode().strip()


def command(folder, arch):
    program, machine, console = MACHINES[arch]
    append = ('root=/dev/vda rw console=%s net.ifnames=0 '
              'systemd.show_status=1' % console)
    return [program, *machine, '-accel', os.environ.get(
                'VM_ACCEL', 'tcg,thread=multi'),
            '-smp', '2', '-m', '2048', '-nic', 'none', '-display', 'none',
            '-no-user-config', '-kernel', folder + '/vmlinuz', '-initrd',
            folder + '/initrd', '-append', append,
            '-drive', 'file=%s/disk,format=raw,if=virtio,cache=unsafe'
            % folder, '-serial', 'file:%s/console' % folder,
            '-device', 'virtio-serial-pci', '-chardev',
            'file,id=results,path=%s/results' % folder,
            '-device', 'virtserialport,chardev=results,name=' + PORT]


def follow(p, path):
    """Prints what comes until QEMU ends: the last line, and why it had to
    be ended or None."""
    started, last = time.monotonic(), ''
    with open(path, encoding='utf-8', errors='backslashreplace') as f:
        while True:
            ended = p.poll() is not None
            line = f.readline()
            if line:
                last = line.rstrip('\n')
                print(last, flush=True)
            elif ended:
                return last, None
            else:
                seconds = time.monotonic() - started
                if seconds > SECONDS or last == '' and seconds > BOOT_SECONDS:
                    return last, 'not ended after %d s' % seconds
                time.sleep(0.2)


def main(suite):
    arch = architecture()
    name = 'vm/%s-%s' % (suite, arch)
    if arch not in MACHINES:
        return skip(name, 'no machine of this kind is described')
    qemu = MACHINES[arch][0]
    if not any(os.access(os.path.join(d, qemu), os.X_OK)
               for d in os.environ['PATH'].split(':')):
        return skip(name, 'no ' + qemu)
    made = subprocess.run([HERE + '/image.sh', suite],
                          stdout=subprocess.PIPE).stdout.decode()
    print(made, end='', flush=True)
    if not re.search('^ok .*/made$', made, re.M):
        return None
    folder = os.path.join(os.environ.get(
        'B', os.path.join(product.TOP, 'build')), 'vm', suite + '-' + arch)
    for log in ('results', 'console'):
        with open('%s/%s' % (folder, log), 'wb'):
            pass
    started = time.monotonic()
    p = subprocess.Popen(command(folder, arch), stdin=subprocess.DEVNULL)
    try:
        last, why = follow(p, folder + '/results')
    finally:
        if p.poll() is None:
            p.kill()
        p.wait()
    print('%s: %.0f s in the machine' % (name, time.monotonic() - started))
    good = check(name + '/to-its-end', why is None and last == 'end' and
                 p.returncode == 0, why or (p.returncode, last))
    if not good:
        subprocess.run(['tail', '-n', '40', folder + '/console'])
    return None


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
    finish()
