"""What the cases of test_collector share: programs, simulated meters, the database, a proxy."""
import atexit
import concurrent.futures
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.path.join(ROOT, 'collector', 'elecbill-collector')
CODES = ('1.8.0', '1.8.1', '1.8.2', '1.8.3', '1.8.4')

passed = failed = 0
skipped = []


one_at_a_time = threading.Lock()    # cases run side by side


def check(what, found, wanted=True):
    global passed, failed
    with one_at_a_time:
        if found == wanted:
            passed += 1
            return
        failed += 1
    print('failed: %s\n    found  %r\n    wanted %r' % (what, found, wanted))


def own(process):
    """A program that does not outlive the test, also when it fails."""
    atexit.register(lambda: process.poll() is None and process.kill())
    return process


def close(name):
    for what in skipped:
        print('skipped: ' + what)
    print('%s: %d passed, %d failed, %d skipped' % (name, passed, failed, len(skipped)))
    return 1 if failed or not passed else 0


def wait_for(condition, seconds=20):
    """The first true answer of condition, or its last one after so many seconds."""
    until = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer or time.monotonic() > until:
            return answer
        time.sleep(0.05)


UNITS = ('unit_collector', 'unit_register', 'unit_bus', 'unit_exchange', 'unit_operation')


def build(folder):
    """The simulator, the shim, the unit programs and a collector under ASan and UBSan."""
    subprocess.run([os.path.join(HERE, 'build-sim'), folder], check=True)
    # not the private server's: its copy has no headers
    pg_config = '/usr/lib/postgresql/15/bin/pg_config'
    include = subprocess.run([pg_config if os.path.exists(pg_config) else 'pg_config', '--includedir'], check=True,
                             stdout=subprocess.PIPE, text=True).stdout.strip()
    with open(os.path.join(ROOT, 'elecbill.control')) as control:
        version = re.search(r"^default_version *= *'([^']*)'", control.read(), re.M)[1]
    sources = [os.path.join(ROOT, room, f) for room in ('collector', 'src/base', 'src/codec')
               for f in sorted(os.listdir(os.path.join(ROOT, room))) if f.endswith('.c')]
    cc = [os.environ.get('CC', 'cc'), '-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all',
          '-I' + os.path.join(ROOT, 'src'), '-I' + os.path.join(ROOT, 'collector'),
          '-I' + os.path.join(ROOT, 'test', 'unit'), '-I' + include, '-DELECBILL_VERSION="%s"' % version]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(lambda source: compiled(cc, folder, source), sources))
    main = [o for o in objects if o.endswith('collector_main.c.o')]
    parts = [o for o in objects if o not in main]
    libs = ['-lpq', '-lserialport', '-lconfig']
    kit = [compiled(cc, folder, os.path.join(HERE, 'bus_kit.c'))]
    for unit in UNITS:
        subprocess.run(cc + ['-o', os.path.join(folder, unit), os.path.join(HERE, unit + '.c')] + kit + parts + libs, check=True)
    subprocess.run(cc + ['-o', folder + '/collector-asan'] + main + parts + libs, check=True)


def compiled(cc, folder, source):
    """The object of a source file."""
    out = os.path.join(folder, os.path.relpath(source, ROOT).replace(os.sep, '_') + '.o')
    subprocess.run(cc + ['-c', '-o', out, source], check=True)
    return out


class Session:
    """A psql that stays: to connect costs more than to ask, and who waits asks often."""
    idle = []
    END = '== end of the answer'

    def __init__(self):
        self.process = own(subprocess.Popen(['psql', '-XAtq', '-F', '\t', '-v', 'ON_ERROR_STOP=1'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))

    def ask(self, text):
        """The lines it prints, or None when it fails."""
        lines = []
        try:
            self.process.stdin.write("%s\n;SELECT '%s';\n" % (text, self.END))
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        for line in self.process.stdout:
            if line == self.END + '\n':
                return lines
            lines.append(line.rstrip('\n'))
        return None


def sql(text):
    """Rows of the last statement as lists of text."""
    while True:
        try:
            session, stayed = Session.idle.pop(), True
        except IndexError:
            session, stayed = Session(), False
        lines = session.ask(text)
        if lines is not None:
            Session.idle.append(session)
            return [line.split('\t') for line in lines]
        # one that stayed may have lost its connection long ago
        if not stayed:
            raise subprocess.CalledProcessError(session.process.wait(), 'psql')


def make_estate():
    sql('''SET client_min_messages = warning;
        CREATE EXTENSION elecbill; CALL elecbill.create_schema();
        INSERT INTO elecbill.org (code, name, zone, currency) VALUES ('T', 'Test', 'Asia/Shanghai', 'CNY');
        INSERT INTO elecbill.meter_model (vendor, model, protocol, digits, decimals)
            VALUES ('Sim', 'any', 'dlt645', 6, 2);''')


def add_meters(serials):
    """Meters with a total and four tariff registers, installed since 2020."""
    sql('''WITH o AS (SELECT id FROM elecbill.org WHERE code = 'T'),
        s AS (SELECT unnest('{%s}'::text[]) AS serial),
        l AS (INSERT INTO elecbill.service_location (org_id, code, kind)
              SELECT o.id, s.serial, 'residential' FROM o, s RETURNING id, code),
        p AS (INSERT INTO elecbill.usage_point (org_id, code, location_id, kind)
              SELECT o.id, l.code, l.id, 'consumer' FROM o, l RETURNING id, code),
        m AS (INSERT INTO elecbill.meter (org_id, serial, model_id, kind, interval_s)
              SELECT o.id, s.serial, d.id, 'smart', 900 FROM o, s, elecbill.meter_model d
              WHERE d.vendor = 'Sim' AND d.model = 'any' RETURNING id, serial),
        r AS (INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh)
              SELECT o.id, m.id, c, 1000000000 FROM o, m, unnest('{%s}'::text[]) c)
        INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, valid)
        SELECT o.id, m.id, p.id, tstzrange('2020-01-01 00:00+00', NULL)
        FROM o, m JOIN p ON p.code = m.serial;''' % (','.join(serials), ','.join(CODES)))


def add_collector(number):
    """Registers a collector; returns its id."""
    uuid = '00000000-0000-4000-8000-%012d' % number
    sql("INSERT INTO elecbill.collector (id, org_id, code) SELECT '%s', id, 'c%d' FROM elecbill.org WHERE code = 'T'"
        % (uuid, number))
    return uuid


def readings(serials, code='1.8.0'):
    """{serial: [Wh, ...]} in the order of time."""
    rows = sql('''SELECT m.serial, string_agg(r.register_wh::text, ' ' ORDER BY r.read_at)
        FROM elecbill.reading r JOIN elecbill.meter_register g ON g.id = r.register_id
        JOIN elecbill.meter m ON m.id = g.meter_id
        WHERE g.code = '%s' AND m.serial = ANY ('{%s}') GROUP BY 1''' % (code, ','.join(serials)))
    return {serial: [int(wh) for wh in values.split()] for serial, values in rows}


def configuration(folder, name, ports, meters, uuid='00000000-0000-4000-8000-000000000000', more=''):
    """Writes a file; ports and meters are the texts between their braces. '\\udcff' is the byte FF."""
    path = os.path.join(folder, name + '.conf')
    with open(path, 'w', errors='surrogateescape') as out:
        out.write('collector: { id = "%s"; log = "debug"; ntp = false; };\n%s\n' % (uuid, more))
        if 'spool:' not in more:
            out.write('spool: { directory = "%s/spool%s"; };\n' % (folder, uuid[-6:]))
        out.write('ports: (\n  { %s }\n);\n' % ' },\n  { '.join(ports))
        out.write('meters: (\n  { %s }\n);\n' % ' },\n  { '.join(meters))
    return path


def run(*args, program=PROGRAM, env=None, seconds=60):
    """Status, stdout, stderr."""
    done = subprocess.run([program] + list(args), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=dict(os.environ, **(env or {})), timeout=seconds)
    return done.returncode, done.stdout, done.stderr


def once(conf, *args, **how):
    """Runs --once; status, rows, refused frames, reports by name, stderr."""
    status, out, err = run('--once', '-c', conf, *args, **how)
    lines = [json.loads(line) for line in out.splitlines()]
    rows = [line for line in lines if 'register' in line]
    bad = [line for line in lines if 'error' in line]
    reports = {line.get('name', line['report']): line for line in lines if 'report' in line}
    return status, rows, bad, reports, err


class Sim:
    """A running meter_sim on the link folder/name."""

    def __init__(self, folder, name, *args):
        self.link = os.path.join(folder, name)
        self.log_path = self.link + '.log'
        self.process = own(subprocess.Popen([folder + '/meter_sim', '--pty', self.link, '--log', self.log_path] + list(args),
                                            stdout=subprocess.PIPE, text=True))
        if self.process.stdout.readline() != 'READY\n':
            sys.exit('meter_sim does not start')

    def log(self, word):
        """Second words of the lines that begin with word."""
        if not os.path.exists(self.log_path):
            return []
        with open(self.log_path) as log:
            return [line.split()[1] for line in log if line.startswith(word + ' ')]

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(10)
        self.process.stdout.close()
        if os.path.islink(self.link):
            os.unlink(self.link)


class Daemon:
    def __init__(self, conf, *args, program=PROGRAM, env=None, stdout=os.devnull):
        self.log_path = conf + '.err'
        with open(self.log_path, 'w') as err, open(stdout, 'w') as out:
            self.process = own(subprocess.Popen([program, '-c', conf] + list(args), stdout=out, stderr=err, env=dict(os.environ, **(env or {}))))

    def log(self):
        with open(self.log_path) as log:
            return log.read()

    def count(self, word):
        """A number of the closing line about the database."""
        found = re.findall(r'database: .*\b%s (\d+)' % word, self.log())
        return int(found[-1]) if found else None

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(20)


class Proxy:
    """Stands between collector and server: can be down, fall silent, or cut a connection before an answer."""

    def __init__(self, folder):
        self.directory = os.path.join(folder, 'proxy')
        os.mkdir(self.directory)
        self.server = os.path.join(os.environ['PGHOST'], '.s.PGSQL.' + os.environ['PGPORT'])
        self.path = os.path.join(self.directory, '.s.PGSQL.5432')
        self.cut_answer = False
        self.cuts = 0
        self.mute = False   # answers are swallowed, connections stay
        self.listener = None
        self.sockets = []

    def up(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def down(self):
        os.unlink(self.path)
        for sock in [self.listener] + self.sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.sockets = []

    def _accept(self, listener):
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.server)
            self.sockets += [client, server]
            threading.Thread(target=self._pump, args=(client, server), daemon=True).start()

    def _pump(self, client, server):
        asked = False
        selector = selectors.DefaultSelector()
        selector.register(client, selectors.EVENT_READ, server)
        selector.register(server, selectors.EVENT_READ, client)
        try:
            while True:
                for key, _ in selector.select():
                    data = key.fileobj.recv(65536)
                    if not data:
                        return
                    asked = asked or (key.fileobj is client and b'elecbill.ingest' in data)
                    if key.fileobj is server and asked and self.cut_answer:
                        self.cut_answer = False
                        self.cuts += 1
                        return
                    if key.fileobj is client or not self.mute:
                        key.data.sendall(data)
        except OSError:
            return
        finally:
            client.close()
            server.close()
