import { double, long, optional, symbol } from "../columns.ts";
import { defineEvent } from "../define.ts";

export const daemonHealth = defineEvent({
  name: "daemon_health",
  why: "Is the trading daemon alive, and is it getting slower or fatter?",
  sampling: "one sample per daemon and instance every 10 s",
  keys: ["daemon", "instance"],
  columns: {
    daemon: symbol("Name of the daemon, the same over all its instances."),
    instance: symbol("One running copy of it: host and port, pod or pid."),
    uptime_s: double("Seconds since the process started."),
    cpu_percent: optional(double("CPU use since the last sample; 100 is one core.")),
    rss_bytes: optional(long("Resident memory.")),
    heap_used_bytes: optional(long("Heap in use.")),
    event_loop_lag_ms: optional(double("p99 of the event loop delay since the last sample.")),
    restarts: optional(long("How often the supervisor restarted a part of it since the process started.")),
    open_fds: optional(long("Open file descriptors.")),
  },
});
