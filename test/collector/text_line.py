"""A collector that listens to one meter which prints lines, as fast as it can: what was sent, and what the table holds."""
import os
import signal
import subprocess
import time
import tty

import collector_case as case
from collector_case import configuration, readings, wait_for
from site_kit import Probed, numbers


class TextLine(Probed):
    def __init__(self, folder, name, spool='', database='', conninfo='', program=case.PROGRAM):
        self.number = next(numbers)
        self.serial = 'T%d' % self.number + 50 * 'x'    # a record of some 190 bytes
        case.add_meters([self.serial])
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.slave = slave
        self.program = program
        base = os.path.join(folder, 'text%d' % self.number)
        self.socket, self.log_path = base + '.sock', base + '.err'
        self.spool = base + '-spool'
        if 'directory' in spool:
            self.spool = spool.split('"')[1]
        else:
            spool = 'directory = "%s"; %s' % (self.spool, spool)
        self.conf = configuration(
            folder, 'text%d' % self.number,
            ['name = "shop"; path = "%s"; protocol = "csvline"; speed = 115200; open_pause_ms = 20;' % os.ttyname(slave)],
            ['serial = "%s"; port = "shop";' % self.serial], case.add_collector(self.number),
            'database: { conninfo = "%s"; flush_ms = 50; %s };\nspool: { %s };\nhealth: { socket = "%s"; };' % (conninfo, database, spool, self.socket))
        self.drops_oldest = 'oldest' in spool
        self.sent = []      # Wh
        self.process = None

    def start(self, env=None):
        with open(self.log_path, 'a') as err:
            self.process = case.own(subprocess.Popen([self.program, '-c', self.conf], stderr=err, env=dict(os.environ, **(env or {}))))
        return self

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(30)

    def opened(self):
        """What came before the pause was over would belong to nobody."""
        done = bool(wait_for(lambda: 'port shop is open' in self.log()))
        time.sleep(1)
        return done

    def write(self, lines):
        """Lines of 1 Wh more each; the terminal makes the writer wait."""
        first = len(self.sent) + 1
        for at in range(first, first + lines, 100):
            text = ''.join('%s,%d.%03d\r\n' % (self.serial, wh // 1000, wh % 1000) for wh in range(at, min(at + 100, first + lines)))
            data = text.encode()
            while data:
                data = data[os.write(self.master, data):]
        self.sent += range(first, first + lines)

    def taken(self):
        """Every line has become a row of the spool, or was counted as lost."""
        def all_there():
            state = self.status()
            # with drop = "oldest" what is lost was a row before
            lost = 0 if self.drops_oldest else state['spool']['lost'] if state else 0
            return state and state['spool']['rows'] + lost >= len(self.sent)
        return bool(wait_for(all_there, 60))

    def drained(self):
        return bool(wait_for(lambda: (self.status() or {'spool': {'records': 1}})['spool']['records'] == 0, 60))

    def stored(self):
        return readings([self.serial]).get(self.serial, [])
