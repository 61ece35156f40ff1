"""The protocols as the cases of the failure list need them: a simulated meter, its configuration, what its bytes say.

A Kit makes n meters on one line. What they served is read from the bytes on the line by the reference decoder of the
frames (line_case.reference), so a mistake of the collector's codecs cannot hide in the expectation.
"""
from decimal import Decimal


class Kit:
    def __init__(self, name, protocol, port, sim, meter, item, wh, code='1.8.0', asks=True, more='', address=None, checked='', interval=1, meters=2,
                 each=1, noise='0055aa', bit=-9, identity=None, mark=None):
        self.name = name
        self.protocol = protocol    # of the reference decoder
        self.port = port            # keys of the port, without name and path
        self.sim = sim              # (number of the meter, serial) -> options of meter_sim
        self.meter = meter          # (number, serial) -> keys of the meter, without port
        self.item = item            # id of the register in the decoded frame
        self.wh = wh                # Wh of one unit of its value
        self.code = code
        self.asks = asks            # the collector asks; else the meters speak by themselves
        self.more = more            # groups of the configuration
        self.address = address      # (number, serial) -> address in the decoded frame; None: one meter alone
        self.checked = checked      # hex that only replies with a value have
        self.interval = interval    # seconds in which the budget lets these meters be asked
        self.meters = meters
        self.each = each            # replies of one meter in one turn
        self.noise = noise          # bytes that the line can carry and that begin nothing
        self.bit = bit              # of a reply, that only its checksum tells
        self.identity = identity    # what the first of several pushing meters calls itself,
        self.mark = mark or identity    # and how that looks in the decoded frame

    def options(self, serials):
        return [option for number, serial in enumerate(serials, 1) for option in self.sim(number, serial)]

    def strange(self, reply):
        """The reply with another address, and with another item, its checks right."""
        frames = []
        lead = reply.index(b'\x68') if self.name != 'modbus' else 0
        for at, xor in STRANGE[self.name]:
            frame = bytearray(reply[lead:])
            frame[at] ^= xor
            SEAL[self.name](frame)
            frames.append(reply[:lead] + bytes(frame))
        return frames

    def frames(self, checks, message):
        """All frames of a message; the reference decoder gives the first telegram of some protocols."""
        while message:
            found = checks.decode(self.protocol, message)['frames']
            yield from found
            message = message[found[-1]['offset'] + found[-1]['length']:] if found else b''

    def is_of_first(self, frame):
        """Whether a telegram is of the first of several meters."""
        return self.mark is None or self.mark in [frame.get('server_id')] + [i['value'] for i in frame['items']] or self.mark in frame.get('information', '')

    def totals(self, checks, serials, messages):
        """{serial: [Wh, ...]} of the whole replies, in order."""
        names = {str(self.address(n, s)): s for n, s in enumerate(serials, 1)} if self.address else {}
        out = {}
        for message in messages:
            for frame in self.frames(checks, message):
                found = {item['id']: item['value'] for item in frame['items']}
                who = frame.get('address', frame.get('unit'))
                if self.item in found and self.is_of_first(frame):
                    serial = names[str(who)] if self.address else serials[0]
                    out.setdefault(serial, []).append(int(Decimal(found[self.item]) * self.wh))
        return out


def twelve(number, serial):
    return serial


def x25(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc ^ 0xFFFF


def modbus_crc(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def seal_sum(frame, first=0):
    frame[-2] = sum(frame[first:-2]) & 0xFF


def seal_698(frame):
    head = 6 + (frame[4] & 15) + 1
    frame[head:head + 2] = x25(frame[1:head]).to_bytes(2, 'little')
    frame[-3:-1] = x25(frame[1:-3]).to_bytes(2, 'little')


def seal_modbus(frame):
    frame[-2:] = modbus_crc(frame[:-2]).to_bytes(2, 'little')


# byte and bits that make of a reply one of another meter, and one of another item
STRANGE = {'dlt645': ((1, 0x01), (12, 0x03)), 'dlt645-1997': ((1, 0x01), (11, 0x03)), 'dlt698': ((5, 0x01), (18, 0x30)),
           'modbus': ((0, 0x10), (1, 0x07)), 'mbus': ((5, 0x10),)}
SEAL = {'dlt645': seal_sum, 'dlt645-1997': seal_sum, 'dlt698': seal_698, 'modbus': seal_modbus, 'mbus': lambda frame: seal_sum(frame, 4)}


DLT645 = Kit('dlt645', 'dlt645', 'protocol = "dlt645"; speed = 115200; reply_ms = 180; gap_ms = 60; pause_ms = 5; retries = 1;',
             lambda n, s: ['--dlt645', '%s=%d00.00,1.00' % (s, n), '--fe', '0'],
             lambda n, s: 'serial = "%s"; registers = ["1.8.0"];' % s, '00010000', 1000, address=twelve)
DLT645_1997 = Kit('dlt645-1997', 'dlt645-1997', DLT645.port.replace('"dlt645"', '"dlt645-1997"'),
                  lambda n, s: ['--dlt645-1997', '%s=%d00.00,1.00' % (s, n), '--fe', '0'], DLT645.meter, '9010', 1000, address=twelve)
DLT698 = Kit('dlt698', 'dlt698', 'protocol = "dlt698"; speed = 115200; reply_ms = 180; gap_ms = 60; pause_ms = 5; retries = 1;',
             lambda n, s: ['--dlt698', '%s=%d00.00,1.00' % (s, n)],
             lambda n, s: 'serial = "%s"; registers = ["1.8.0"];' % s, '00100201', 1000, address=twelve, checked='85')
MODBUS = Kit('modbus', 'modbus:0=u32*0.01', 'protocol = "modbus"; speed = 115200; reply_ms = 180; gap_ms = 60; pause_ms = 5; retries = 1;',
             lambda n, s: ['--modbus', str(n), '--register', '4:48:u32=%d0000+1' % n],
             lambda n, s: 'serial = "%s"; address = "%d"; map = ( { code = "1.8.0"; fc = 4; addr = 72; type = "u32"; '
                          'scale = "0.01"; unit = "kWh"; } );' % (s, n), '0', 1000, address=lambda n, s: n, bit=-1)
MBUS = Kit('mbus', 'mbus', 'protocol = "mbus"; speed = 38400; reply_ms = 300; retries = 1;',
           lambda n, s: ['--mbus', '%d=%08d:%d00.00' % (n, n, n)],
           lambda n, s: 'serial = "%s"; address = "%d";' % (s, n), '0', 1, address=lambda n, s: n,
           more='registers: ( { protocol = "mbus"; item = "0"; code = "1.8.0"; } );', checked='0c04', interval=3)
IEC62056 = Kit('iec62056', 'iec62056', 'protocol = "iec62056"; reply_ms = 600; gap_ms = 200; retries = 0; switch_ms = 100; pause_ms = 20; '
                'readout = 256; switch_speed = 9600;',
               lambda n, s: ['--iec62056', '%d=5:%d00.00' % (n, n)],
               lambda n, s: 'serial = "%s"; address = "%d"; registers = ["1.8.0"];' % (s, n), '1.8.0', 1000, checked='312e382e3028',
               interval=5, meters=1, each=2, noise='0055', bit=-8)
P1 = Kit('p1', 'p1', 'protocol = "p1";', lambda n, s: ['--p1', '100.00', '--every', '400'],
         lambda n, s: 'serial = "%s"; registers = ["1.8.1"]; interval = 0;' % s, '1-0:1.8.1', 1000, code='1.8.1', asks=False,
         bit=8, identity='53494D')
SML = Kit('sml', 'sml', 'protocol = "sml";', lambda n, s: ['--sml', '100.00', '--every', '400'],
          lambda n, s: 'serial = "%s"; registers = ["1.8.0"]; interval = 0;' % s, '1-0:1.8.0*255', 1, asks=False, bit=-1,
          identity='53494D3031')
HDLC = Kit('hdlc', 'hdlc', 'protocol = "hdlc";', lambda n, s: ['--hdlc', '100.00', '--every', '400'],
           lambda n, s: 'serial = "%s"; registers = ["1.8.0"]; interval = 0;' % s, '1-0:1.8.0*255', 1, asks=False,
           identity='SIM', mark='53494D')

KITS = {kit.name: kit for kit in (DLT645, DLT645_1997, DLT698, MODBUS, MBUS, IEC62056, P1, SML, HDLC)}


def only_reads(protocol, message):
    """Whether the bytes the collector sent are one whole request that reads, and nothing else."""
    if protocol.startswith('dlt645'):
        frame = message.lstrip(b'\xfe')
        functions = (0x01, 0x02) if protocol.endswith('1997') else (0x11, 0x12, 0x13)
        return (len(frame) >= 12 and frame[0] == frame[7] == 0x68 and frame[8] in functions and len(frame) == 12 + frame[9]
                and sum(frame[:-2]) & 0xFF == frame[-2] and frame[-1] == 0x16)
    if protocol == 'dlt698':
        frame = message.lstrip(b'\xfe')
        return (len(frame) > 20 and frame[0] == 0x68 and len(frame) == int.from_bytes(frame[1:3], 'little') + 2
                and frame[3] == 0x43 and frame[5 + (frame[4] & 15) + 1 + 3] == 0x05
                and x25(frame[1:-3]) == int.from_bytes(frame[-3:-1], 'little'))
    if protocol.startswith('modbus'):
        return len(message) == 8 and message[1] in (1, 2, 3, 4)
    if protocol == 'mbus':
        return (len(message) == 5 and message[0] == 0x10 and message[1] in (0x40, 0x5B, 0x7B) and message[4] == 0x16
                and (message[1] + message[2]) & 0xFF == message[3])
    if protocol == 'iec62056':
        return (message[:2] == b'/?' and message[-3:] == b'!\r\n' or
                len(message) == 6 and message[0] == 6 and message[3:4] == b'0' and message[4:] == b'\r\n')
    return False
