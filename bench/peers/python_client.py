"""The official Python client with the same rows: the row API, or dataframes. Talks to the harness in JSON lines.

In:  one JSON argument: mode (rows, dataframe), address, rows, warmupRows, rowsPerFlush, pool (file of rows), table.
Out: {"topic": "ready"} after the warm-up, and {"topic": "written", "data": {...}} at the end. "go" comes in as a line.
Exit code 3 with {"topic": "missing", "data": {"why": ...}} when a package is not there.
"""

import json
import resource
import sys
import time
import warnings

warnings.simplefilter("ignore")


def say(topic, data=None):
    print(json.dumps({"topic": topic, "data": data}), flush=True)


def missing(why):
    say("missing", {"why": why})
    sys.exit(3)


try:
    from questdb.ingress import Sender, TimestampMicros
except ImportError as error:
    missing(f"the package questdb is not there ({error})")

SYMBOLS = ["exchange", "symbol", "side"]
DOUBLES = ["price", "amount", "mark", "index", "rate"]


def now_us():
    return time.time_ns() // 1000


def row_writer(sender, job, pool):
    """Rows as dicts, ready-made: only their times are new."""
    rows = [({s: r[s] for s in SYMBOLS}, {c: r[c] for c in [*DOUBLES, "id"]}) for r in pool]
    table, per_flush = job["table"], job["rowsPerFlush"]

    def write(count, first_us):
        add, size = sender.row, len(rows)
        for done in range(count):
            symbols, columns = rows[done % size]
            add(table, symbols=symbols, columns=columns, at=TimestampMicros(first_us + done))
            if (done + 1) % per_flush == 0:
                sender.flush()
        sender.flush()

    return write


def dataframe_writer(sender, job, pool):
    """Frames of one flush each, symbols as categories, ready-made: only their times are new."""
    try:
        import numpy as np
        import pandas as pd
        import pyarrow  # noqa: F401 (the client needs it for frames)
    except ImportError as error:
        missing(f"dataframes need pandas and pyarrow ({error})")
    per_flush = job["rowsPerFlush"]
    repeated = [pool[i % len(pool)] for i in range(per_flush)]
    frame = pd.DataFrame({
        **{s: pd.Categorical([r[s] for r in repeated]) for s in SYMBOLS},
        **{d: np.array([r[d] for r in repeated], dtype="float64") for d in DOUBLES},
        "id": np.array([r["id"] for r in repeated], dtype="int64"),
    })
    steps = np.arange(per_flush, dtype="int64")

    def write(count, first_us):
        for done in range(0, count, per_flush):
            part = frame if count - done >= per_flush else frame.iloc[: count - done].copy()
            times = first_us + done + steps[: len(part)]
            # Nanoseconds are what the client has taken in every version.
            part["ts"] = (times * 1000).astype("datetime64[ns]")
            sender.dataframe(part, table_name=job["table"], symbols=SYMBOLS, at="ts")
            sender.flush()

    return write


def main():
    job = json.loads(sys.argv[1])
    with open(job["pool"], encoding="utf-8") as file:
        pool = json.load(file)
    conf = f"http::addr={job['address']};auto_flush=off;request_timeout=60000;"
    with Sender.from_conf(conf) as sender:
        make = row_writer if job["mode"] == "rows" else dataframe_writer
        write = make(sender, job, pool)
        first_us = now_us() - job["rows"] - job["warmupRows"]
        write(job["warmupRows"], first_us)
        say("ready")
        sys.stdin.readline()
        before = resource.getrusage(resource.RUSAGE_SELF)
        start_us = now_us()
        write(job["rows"], first_us + job["warmupRows"])
        delivered_us = now_us()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    say("written", {
        "startUs": start_us,
        "deliveredUs": delivered_us,
        "cpuSeconds": cpu,
        "rssMaxBytes": after.ru_maxrss * 1024,
        "loopDelayP99Ms": None,
        "gcSeconds": None,
    })


main()
