// Loaded into the operator that is measured (`--import`): says twice a second how long its event loop stood still and what keeps it alive.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const RESOLUTION_MS = 5;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();
// From when the program has been loaded on: a timer comes first after that.
setTimeout(() => delays.reset(), 0);

/** @param {number} nanoseconds between two ticks of the monitor */
const beyondTick = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);

setInterval(() => {
  const count = Object.groupBy(process.getActiveResourcesInfo(), (kind) => kind);
  const vitals = {
    p99Ms: beyondTick(delays.percentile(99)),
    maxMs: beyondTick(delays.max),
    timers: count.Timeout?.length ?? 0,
    sockets: (count.TCPSocketWrap?.length ?? 0) + (count.TLSWrap?.length ?? 0),
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
  };
  console.log(JSON.stringify({ vitals }));
}, 500).unref();

// Asked for, since a whole collection changes what is measured: what is alive.
process.on("SIGUSR2", () => {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  console.log(JSON.stringify({ liveMiB: process.memoryUsage().heapUsed / 1024 ** 2 }));
});
