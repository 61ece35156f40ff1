"""Stands between the collector and the server, reads their protocol, and cuts connections at stated places.

A batch is the call of elecbill.ingest(): what lies between its Parse and the ReadyForQuery of the server, which comes
after COMMIT. What is done to the next batches is told by .plan, a list of
  before   the connection ends before the server gets the call
  after    the server has committed, and nothing of its answer gets through
  inside   the server has committed, and half of its answer gets through
  pass     nothing happens
"""
import os
import selectors
import socket
import struct
import threading
import time


class Stream:
    """Bytes of one direction as messages: type, body, bytes. The first of a client has no type."""

    def __init__(self, typed):
        self.typed = typed
        self.held = b''

    def feed(self, data):
        self.held += data
        out = []
        while True:
            head = 5 if self.typed else 4
            if len(self.held) < head:
                return out
            length = struct.unpack('!I', self.held[head - 4:head])[0] + head - 4
            if len(self.held) < length:
                return out
            kind = self.held[:1] if self.typed else b''
            out.append((kind, self.held[head:length], self.held[:length]))
            self.held = self.held[length:]
            self.typed = True


def parameters(body):
    """The parameters of a Bind message."""
    at = body.index(b'\0') + 1
    at = body.index(b'\0', at) + 1
    at += 2 + 2 * struct.unpack('!H', body[at:at + 2])[0]
    count = struct.unpack('!H', body[at:at + 2])[0]
    at += 2
    out = []
    for _ in range(count):
        length = struct.unpack('!i', body[at:at + 4])[0]
        at += 4
        out.append(body[at:at + length] if length >= 0 else None)
        at += max(length, 0)
    return out


class Batch:
    """A call as the collector sent it."""

    def __init__(self, body):
        values = parameters(body)
        self.first = struct.unpack('!q', values[1])[0]
        dimensions = struct.unpack('!i', values[2][:4])[0]
        self.rows = struct.unpack('!i', values[2][12:16])[0] if dimensions else 0
        self.fate = 'pass'


class Cutter:
    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        self.path = os.path.join(directory, '.s.PGSQL.5432')
        self.server = os.path.join(os.environ['PGHOST'], '.s.PGSQL.' + os.environ['PGPORT'])
        self.plan = []
        self.delay_s = 0    # of each answer to a batch
        self.batches = []   # in the order they were sent
        self.listener = None
        self.pairs = []

    def conninfo(self, user=None, more=''):
        return 'host=%s port=5432 user=%s dbname=%s %s' % (self.directory, user or os.environ['PGUSER'], os.environ['PGDATABASE'], more)

    def up(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()
        return self

    def down(self):
        os.unlink(self.path)
        for sock in [self.listener] + [s for pair in self.pairs for s in pair]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.listener.close()
        self.pairs = []

    def _accept(self, listener):
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self.server)
            except OSError:
                client.close()
                continue
            self.pairs.append((client, server))
            threading.Thread(target=self._serve, args=(client, server), daemon=True).start()

    def _serve(self, client, server):
        selector = selectors.DefaultSelector()
        selector.register(client, selectors.EVENT_READ)
        selector.register(server, selectors.EVENT_READ)
        talk = Talk(self, client, server)
        try:
            while True:
                for key, _ in selector.select():
                    data = key.fileobj.recv(65536)
                    if not data or not (talk.asked(data) if key.fileobj is client else talk.answered(data)):
                        return
        except OSError:
            return
        finally:
            selector.close()
            client.close()
            server.close()


class Talk:
    """One connection."""

    def __init__(self, cutter, client, server):
        self.cutter, self.client, self.server = cutter, client, server
        self.question, self.answer = Stream(False), Stream(True)
        self.ingest = False     # the statement that is being asked
        self.batch = None       # the call that is out
        self.kept = b''         # of its answer

    def asked(self, data):
        """False: the connection ends."""
        for kind, body, whole in self.question.feed(data):
            if kind == b'P':
                self.ingest = b'elecbill.ingest(' in body
            elif kind == b'B' and self.ingest:
                self.batch = Batch(body)
                self.batch.fate = self.cutter.plan.pop(0) if self.cutter.plan else 'pass'
                self.cutter.batches.append(self.batch)
                if self.batch.fate == 'before':
                    return False
            self.server.sendall(whole)
        return True

    def answered(self, data):
        for kind, _, whole in self.answer.feed(data):
            if self.batch is None:
                self.client.sendall(whole)
                continue
            self.kept += whole
            if kind == b'Z' and not self.ended():
                return False
        return True

    def ended(self):
        """The server is ready again: what it did is committed."""
        fate, kept = self.batch.fate, self.kept
        self.batch, self.kept = None, b''
        if self.cutter.delay_s:
            time.sleep(self.cutter.delay_s)
        if fate == 'after':
            return False
        self.client.sendall(kept[:len(kept) // 2] if fate == 'inside' else kept)
        return fate != 'inside'
