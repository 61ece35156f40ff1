"""A payment channel in small: it takes an order, and says so by signed callbacks.

Channel signs with the key in a file, Door checks the signature and calls payment_order_confirm(), as
the web application of an estate would. Nothing here knows what the database makes of it.
"""

import hashlib
import hmac
import itertools
import json
import os
import subprocess


class Channel:
    """What the customer pays with: knows its own transactions, and nothing of bills."""

    def __init__(self, name, key_file):
        self.name = name
        self.key = open(key_file, "rb").read()
        self.numbers = itertools.count(1)

    def pay(self, order, amount, paid_at):
        """A transaction of the channel; callback() may say it as often as wanted."""
        return {"channel": self.name, "txn": f"{self.name}-{next(self.numbers):06d}", "order": order,
                "amount": amount, "paid_at": paid_at}

    def callback(self, transaction):
        body = json.dumps(transaction, sort_keys=True).encode()
        return body, hmac.new(self.key, body, hashlib.sha256).hexdigest()


class Door:
    """Where callbacks come in: what is not signed by the channel goes no further."""

    def __init__(self, org, key_files, database):
        self.org = org
        self.keys = {name: open(path, "rb").read() for name, path in key_files.items()}
        self.database = database

    def take(self, body, signature, clock=None):
        said = json.loads(body)
        key = self.keys.get(said.get("channel"), b"")
        if not key or not hmac.compare_digest(hmac.new(key, body, hashlib.sha256).hexdigest(), signature):
            return "forged"
        return sql(self.database, "SELECT elecbill.payment_order_confirm(:'org', :'channel', :'txn', :'order', "
                   ":'amount', :'paid_at')", clock=clock, org=self.org, **said)


def sql(database, statement, clock=None, **variables):
    """The rows of a statement as text, or the SQLSTATE of its error."""
    environment = dict(os.environ, PGOPTIONS="-c client_min_messages=error")
    user = []
    if clock:  # only a superuser sets the clock
        environment["PGOPTIONS"] += " -c elecbill.clock_override=" + clock.replace(" ", "\\ ")
        user = ["-U", os.environ["PGSUPERUSER"]]
    command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=sqlstate", "-d", database, *user]
    for name, value in variables.items():
        command += ["-v", f"{name}={value}"]
    done = subprocess.run(command, input=statement, text=True, capture_output=True, env=environment, check=False)
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip().split()[-1]
