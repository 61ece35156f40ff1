"""What the cases of test_protocol with a network in them share: a serial server, calls of terminal units."""
import os
import select
import socket
import threading
import time
import tty


def cpu_s(pid):
    """Seconds of processor a process has used."""
    with open('/proc/%d/stat' % pid) as stat:
        return sum(map(int, stat.read().rsplit(')', 1)[1].split()[11:13])) / os.sysconf('SC_CLK_TCK')


def free_port():
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]


class Wire:
    """Carries bytes between a socket and a simulated meter; what each side may add or do is the caller's."""

    def __init__(self, sock, link, to_line=None, extra=b''):
        self.sock = sock
        self.line = os.open(link, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.line)
        self.extra = extra      # glued in front of every reply
        self.to_line = to_line  # takes a request; None: it goes to the line
        self.ended = threading.Event()
        for pump in (self._down, self._up):
            threading.Thread(target=pump, daemon=True).start()

    def _down(self):
        try:
            while data := self.sock.recv(4096):
                if self.to_line is None or self.to_line(self, data):
                    os.write(self.line, data)
        except OSError:
            pass
        self.close()

    def _up(self):
        try:
            while not self.ended.is_set():
                if select.select([self.line], [], [], 0.02)[0] and not self.ended.is_set():
                    time.sleep(0.02)    # a unit sends a whole reply as one packet
                    self.sock.sendall(self.extra + os.read(self.line, 4096))
        except OSError:
            pass
        os.close(self.line)

    def close(self):
        if not self.ended.is_set():
            self.ended.set()
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.sock.close()


class SerialServer:
    """Raw TCP in front of simulated meters, as ser2net gives it."""

    def __init__(self, link, **how):
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.link, self.how, self.wires = link, how, []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        try:
            while True:
                self.wires.append(Wire(self.listener.accept()[0], self.link, **self.how))
        except OSError:
            return

    def stop(self):
        self.listener.close()
        for wire in self.wires:
            wire.close()


def call(number, *pieces, gap=0.05):
    """Calls as a unit and says these pieces one after the other."""
    sock = socket.create_connection(('127.0.0.1', number))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for piece in pieces:
        time.sleep(gap)
        sock.sendall(piece)
    return sock


def closed(sock, seconds=2.0):
    """Whether the other side hangs up within this time."""
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            sock.settimeout(until - time.monotonic())
            if sock.recv(100) == b'':
                return True
    except ConnectionError:
        return True
    except TimeoutError:
        pass
    return False
