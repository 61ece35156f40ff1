"""A collector with simulated DL/T 645 meters on one pseudo-terminal: what they served, and what the table holds."""
import itertools
import json
import os
import re
import signal
import socket
import subprocess

import collector_case as case
from collector_case import check, configuration, readings, sql, wait_for

PORT = 'name = "bus"; path = "%s"; speed = 115200; reply_ms = 300; gap_ms = 60; pause_ms = 5; retries = 0; open_pause_ms = 20; echo = "off";'
numbers = itertools.count(301)


def served_wh(log):
    """{serial: [Wh, ...]} of the totals that meters of DL/T 645 served: the bytes of their replies, in order."""
    totals = {}
    for frame in log:
        wire = bytes.fromhex(frame)
        if wire[8] == 0x91 and wire[10:14] == b'\x33\x32\x34\x33':  # 0001FF00
            digits = ''.join('%02x' % ((byte - 0x33) & 0xff) for byte in reversed(wire[14:18]))
            totals.setdefault(wire[6:0:-1].hex(), []).append(int(digits) * 10)
    return totals


class Probed:
    """What can be asked of a running collector: .socket, .log_path."""

    def log(self):
        with open(self.log_path, errors='replace') as log:
            return log.read()

    def status(self):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(10)
        try:
            client.connect(self.socket)
            client.sendall(b'status\n')
            got = b''
            while True:
                piece = client.recv(65536)
                if not piece:
                    return json.loads(got)
                got += piece
        except (OSError, ValueError):
            return None
        finally:
            client.close()

    def tally(self):
        """Counts of the last closing line about the database and the spool."""
        lines = [line for line in self.log().splitlines() if 'database: ' in line and ' accepted ' in line]
        return {word: int(n) for word, n in re.findall(r'([a-z_]+) (\d+)', lines[-1])} if lines else {}

    def wait_log(self, words, seconds=20, after=0):
        return bool(wait_for(lambda: self.log().count(words) > after, seconds))


class Site(Probed):
    """start() and stop() begin and end the collector; the meters stay until end()."""

    def __init__(self, folder, what, meters=2, port='', meter='', database='', spool='', more='', options=(), known=True, interval=1,
                 registers='"1.8.0"', conninfo='', program=case.PROGRAM, env=None, spool_directory=None):
        self.number = next(numbers)
        self.what = what + ': '
        self.folder, self.name = folder, 'site%d' % self.number
        self.serials = ['%010d%02d' % (self.number, i + 1) for i in range(meters)]
        if known:
            case.add_meters(self.serials)
        self.sim = case.Sim(folder, self.name, *[o for s in self.serials for o in ('--dlt645', s + '=100.00,1.00')], '--grow', '1', '--delay', '2', *options)
        self.spool = spool_directory or os.path.join(folder, self.name + '-spool')
        self.socket = os.path.join(folder, self.name + '.sock')
        self.uuid = case.add_collector(self.number)
        self.program, self.env = program, env or {}
        self.keys = dict(port=port, meter=meter, database=database, spool=spool, more=more, interval=interval, registers=registers, conninfo=conninfo)
        self.log_path = os.path.join(folder, self.name + '.err')
        self.process = None
        self.configure()

    def configure(self, **keys):
        """Writes the configuration anew."""
        self.keys.update(keys)
        k = self.keys
        self.conf = configuration(
            self.folder, self.name, [PORT % self.sim.link + k['port']],
            ['serial = "%s"; port = "bus"; interval = %d; registers = [%s]; identity = ""; %s' % (s, k['interval'], k['registers'], k['meter']) for s in self.serials],
            self.uuid, 'database: { conninfo = "%s"; flush_ms = 50; %s };\nspool: { directory = "%s"; %s };\nhealth: { socket = "%s"; };\n%s'
            % (k['conninfo'], k['database'], self.spool, k['spool'], self.socket, k['more']))

    def start(self, *args, env=None):
        with open(self.log_path, 'a') as err:
            self.process = case.own(subprocess.Popen([self.program, '-c', self.conf] + list(args), stderr=err,
                                                     env=dict(os.environ, **self.env, **(env or {}))))
        return self

    def stop(self, how=signal.SIGTERM, seconds=20):
        self.process.send_signal(how)
        return self.process.wait(seconds)

    def served(self):
        return served_wh(self.sim.log('served'))

    def nserved(self):
        return sum(map(len, self.served().values()))

    def stored(self):
        return readings(self.serials)

    def nstored(self):
        return sum(map(len, self.stored().values()))

    def wait_served(self, n, seconds=20):
        """So many more replies."""
        n += self.nserved()
        return bool(wait_for(lambda: self.nserved() >= n, seconds))

    def wait_stored(self, seconds=20):
        """All that was served up to now is in the table."""
        n = self.nserved()
        return bool(wait_for(lambda: self.nstored() >= n, seconds))

    def arrives(self):
        """Rows come through."""
        return self.wait_served(2) and self.wait_stored()

    def conflicts(self):
        return int(sql("SELECT count(*) FROM elecbill.reading_conflict c JOIN elecbill.meter_register g ON g.id = c.register_id "
                       "JOIN elecbill.meter m ON m.id = g.meter_id WHERE m.serial = ANY ('{%s}')" % ','.join(self.serials))[0][0])

    def end(self):
        """The meters end; the table is what they served."""
        self.sim.stop()
        check(self.what + 'the table is what was served', self.stored(), self.served())
        check(self.what + 'no conflict', self.conflicts(), 0)
