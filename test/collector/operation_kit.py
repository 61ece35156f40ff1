"""What the cases of test_operation share: simulators, collectors with a runtime directory, a service manager."""
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

import collector_case as case
from collector_case import wait_for

FOLDER = tempfile.mkdtemp(prefix='elecbill-operation.')
BUS = 'name = "%s"; path = "%s"; speed = 115200; reply_ms = 300; retries = 0; open_pause_ms = 50;'
STARTED = []  # processes


class Sim(case.Sim):
    def __init__(self, *args):
        super().__init__(*args)
        STARTED.append(self.process)


def end_all():
    """Whatever a case that broke off left behind."""
    for process in STARTED:
        if process.poll() is None:
            process.kill()
    shutil.rmtree(FOLDER, ignore_errors=True)


def meter(serial, port='bus', more=''):
    return 'serial = "%s"; port = "%s"; registers = ["1.8.0"]; identity = ""; %s' % (serial, port, more)


def grow(*serials):
    """Options of a simulator whose meters count up with each reply."""
    return [o for s in serials for o in ('--dlt645', s + '=100.00,1.00')] + ['--grow', '1']


def asked(sim, serial):
    """How often a meter was asked."""
    wire = bytes.fromhex(serial)[::-1].hex()
    return sum(1 for request in sim.log('request') if request[2:14] == wire)


def served(sim, serial):
    """Wh of the totals it served, in order."""
    wire = bytes.fromhex(serial)[::-1].hex()
    totals = []
    for frame in sim.log('served'):
        if frame[2:14] == wire and frame[20:28] == '33323433':  # 0001FF00
            totals.append(int(''.join('%02x' % ((byte - 0x33) & 0xff) for byte in reversed(bytes.fromhex(frame)[14:18]))) * 10)
    return totals


class Manager:
    """Stands for systemd: takes what is told to NOTIFY_SOCKET."""

    def __init__(self, name):
        self.path = os.path.join(FOLDER, name)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(0.05)
        self.told = []  # (instant, message)

    def take(self):
        try:
            while True:
                self.told.append((time.monotonic(), self.socket.recv(4096).decode()))
        except socket.timeout:
            return [message for _, message in self.told]

    def heard(self, word):
        return [message for message in self.take() if word in message]

    def times(self, word):
        self.take()
        return [at for at, message in self.told if word in message]


class Daemon(case.Daemon):
    """A collector with a runtime directory of its own."""

    def __init__(self, conf, *args, env=None, program=case.PROGRAM):
        self.log_path = conf + '.err'
        self.directory = tempfile.mkdtemp(dir=FOLDER)
        self.socket = os.path.join(self.directory, 'collector.sock')
        with open(self.log_path, 'w') as err:
            self.process = subprocess.Popen([program, '-c', conf] + list(args), stderr=err,
                                            env=dict(os.environ, RUNTIME_DIRECTORY=self.directory, **(env or {})))
        STARTED.append(self.process)

    def ask(self, line, how=None):
        """What the health socket answers."""
        client = socket.socket(socket.AF_UNIX) if how is None else socket.socket()
        client.settimeout(20)
        try:
            client.connect(how or self.socket)
            client.sendall(line.encode())
            got = b''
            while True:
                piece = client.recv(65536)
                if not piece:
                    return got.decode()
                got += piece
        except OSError as error:
            return str(error)
        finally:
            client.close()

    def status(self):
        answer = self.ask('status\n')
        return json.loads(answer) if answer.startswith('{') else None

    def meter(self, serial):
        status = self.status()
        return next((m for m in (status or {'meters': []})['meters'] if m['serial'] == serial), None)

    def metrics(self):
        """{family{labels}: value}, and what is wrong with the text."""
        samples, wrong, family = {}, [], None
        for line in self.ask('metrics\n').splitlines():
            head = re.fullmatch(r'# (HELP|TYPE) ([a-z_]+) (.+)', line)
            sample = re.fullmatch(r'([a-z_]+)(\{(?:[a-z]+="(?:[^"\\]|\\.)*",?)*\})? (-?[0-9]+(?:\.[0-9]+)?)', line)
            if head and head[1] == 'HELP':
                family = head[2]
            elif head and (head[2] != family or head[3] not in ('gauge', 'counter')):
                wrong.append(line)
            elif not head and (not sample or sample[1] != family or sample[1] + (sample[2] or '') in samples):
                wrong.append(line)
            elif sample:
                samples[sample[1] + (sample[2] or '')] = float(sample[3])
        return samples, wrong

    def wait(self):
        there = bool(wait_for(lambda: self.process.poll() is not None or self.status())) and self.process.poll() is None
        if not there:
            print(self.log())
        return there


class Second(Daemon):
    """A collector in the runtime directory of another one."""

    def __init__(self, conf, directory, own_spool=True):
        self.log_path = conf + '.second'
        args = ['--dry-run'] if own_spool else []
        with open(self.log_path, 'w') as err:
            self.process = subprocess.Popen([case.PROGRAM, '-c', conf] + args, stderr=err,
                                            env=dict(os.environ, RUNTIME_DIRECTORY=directory))
        STARTED.append(self.process)
