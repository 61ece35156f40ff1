"""What the tests of lines share: terminals, the faulty line, a paced line, foreign meters and masters."""
import os
import select
import shutil
import signal
import subprocess
import sys
import termios
import time
import tty

import collector_case as case

SHARED = os.environ.get('ELECBILL_SHARED', os.path.join(case.ROOT, '..', 'shared'))
HERE = case.HERE


def reference():
    """The frames' own reference decoder, which shares no code with this project, or None."""
    folder = os.path.join(SHARED, 'vectors', 'frames')
    if not os.path.exists(os.path.join(folder, 'checks.py')):
        return None
    sys.path.insert(0, folder)
    import checks
    return checks


def values(result, frame=0):
    """{id: value} of a frame of the reference decoder."""
    return {item['id']: item['value'] for item in result['frames'][frame]['items']}


class Terminal:
    """One side of a line, raw."""

    def __init__(self, path, speed=None):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.fd)
        if speed:
            self.speed(speed)

    def speed(self, speed):
        settings = termios.tcgetattr(self.fd)
        settings[4] = settings[5] = getattr(termios, 'B%d' % speed)
        termios.tcsetattr(self.fd, termios.TCSANOW, settings)

    def write(self, data):
        os.write(self.fd, data)

    def read(self, seconds=0.3, quiet=0.15, wanted=None):
        """Everything that comes until nothing has come for a while, or wanted bytes are there."""
        data, until = b'', time.monotonic() + seconds
        while time.monotonic() < until and (wanted is None or len(data) < wanted):
            if select.select([self.fd], [], [], max(0, until - time.monotonic()))[0]:
                try:
                    part = os.read(self.fd, 65536)
                except OSError:
                    return data
                if not part:
                    return data
                data += part
                until = time.monotonic() + quiet
        return data

    def gone(self, seconds=2):
        """Whether the terminal is unplugged within so many seconds."""
        poller = select.poll()
        poller.register(self.fd, select.POLLHUP)
        return bool(case.wait_for(lambda: any(event & select.POLLHUP for _, event in poller.poll(10)), seconds))

    def close(self):
        os.close(self.fd)


class Program:
    """A program that says READY, and is told things by its stdin."""

    def __init__(self, *args, ready='READY\n'):
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        if ready and self.process.stdout.readline() != ready:
            sys.exit('%s does not start' % args[0])

    def tell(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(10)
        self.process.stdin.close()
        self.process.stdout.close()


class Faultline(Program):
    """A faulty line: the master's side is .master, the meter's .meter."""

    def __init__(self, folder, name, *rules, gap=5, seed=1):
        self.master = os.path.join(folder, name + '-master')
        self.meter = os.path.join(folder, name + '-meter')
        self.log_path = os.path.join(folder, name + '-line.log')
        super().__init__(folder + '/faultline', '--master', self.master, '--meter', self.meter, '--log', self.log_path,
                         '--gap', str(gap), '--seed', str(seed), *rules)

    def rule(self, text):
        answer = self.tell(text)
        if answer != 'ok':
            sys.exit('faultline: %s: %s' % (text, answer))

    def messages(self, kind='reply', fates=('whole', 'moved', 'hurt')):
        """[(fate, actions, bytes)] of the log, in order."""
        if not os.path.exists(self.log_path):
            return []
        with open(self.log_path) as log:
            lines = [line.split() for line in log]
        return [(w[1], w[4], bytes.fromhex(w[5])) for w in lines if w[0] == kind and w[1] in fates]


class Paced:
    """A line that takes its time, by gensio: .master and .meter; it ends when a client closes, so both are held open."""

    def __init__(self, folder, name, us_per_byte):
        self.master = os.path.join(folder, name + '-master')
        self.meter = os.path.join(folder, name + '-meter')
        limit = 'ratelimit(xmit_delay=%du,xmit_len=1),pty(link=%%s,raw=true)' % us_per_byte
        self.process = subprocess.Popen(['gensiot', '-i', limit % self.master, limit % self.meter],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not case.wait_for(lambda: os.path.exists(self.master) and os.path.exists(self.meter), 5):
            sys.exit('gensiot does not start')
        self.held = [Terminal(self.master), Terminal(self.meter)]

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        for terminal in self.held:
            terminal.close()


def missing(what, *needs):
    """Whether a foreign partner is missing; then it is skipped by name."""
    for need in needs:
        if need.startswith('python3:'):
            if subprocess.run(['/usr/bin/python3', '-c', 'import ' + need[8:]], stderr=subprocess.DEVNULL).returncode == 0:
                continue
        elif need.startswith('/'):
            if os.path.exists(need):
                continue
        elif shutil.which(need):
            continue
        case.skipped.append('%s: %s is not installed' % (what, need))
        return True
    return False


def build_foreign(folder):
    """The slave by libmodbus, where its headers are."""
    if os.path.exists('/usr/include/modbus/modbus.h'):
        subprocess.run([os.environ.get('CC', 'cc'), '-O1', '-g', '-Wall', '-Wextra', '-o', folder + '/slave_libmodbus',
                        HERE + '/slave_libmodbus.c', '-lmodbus'], check=True)


def mbpoll(link, unit, first, count, kind, *more, speed=9600):
    """Values of count registers as text, or None when mbpoll says it failed."""
    done = subprocess.run(['mbpoll', '-m', 'rtu', '-a', str(unit), '-b', str(speed), '-P', 'none', '-t', kind, '-0',
                           '-r', str(first), '-c', str(count), '-1', '-o', '1.5', *more, link],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)
    lines = [line for line in done.stdout.splitlines() if line.startswith('[')]
    return [line.split(':')[1].split()[0] for line in lines] if done.returncode == 0 else None
