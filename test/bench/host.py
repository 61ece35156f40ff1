"""host -- what the numbers of a benchmark were measured on, and the clock that measured them"""
import os
import platform
import time


class Clock:
    """Seconds of one backend: those it spent on a core (Linux), else those that passed"""

    def __init__(self, pid):
        self.path = f"/proc/{pid}/schedstat"
        self.name = "core" if os.access(self.path, os.R_OK) else "wall"

    def now(self):
        """Seconds since some moment"""
        if self.name == "wall":
            return time.monotonic()
        with open(self.path, encoding="ascii") as stat:
            return int(stat.read().split()[0]) * 1e-9


def machine(cursor, clock):
    """What the numbers were measured on; load_average: how many wanted a core in the minute before"""
    cursor.execute("SHOW server_version")
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
            model = next(line.split(":")[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {"cpu": model, "cores": os.cpu_count(), "postgresql": cursor.fetchone()[0],
            "kernel": platform.release(), "clock": clock.name, "load_average": round(os.getloadavg()[0], 1)}


def verdict(value, goal):
    """; goal: at most 1.3, and whether it was missed"""
    if goal is None:
        return ""
    bound = float(goal.split()[-1].replace(",", ""))
    missed = value > bound if goal.startswith("at most") else value < bound
    return f"; goal: {goal}{', MISSED' if missed else ''}"
