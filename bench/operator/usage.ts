import { readFileSync } from "node:fs";

/** Clock ticks per second in /proc (sysconf(_SC_CLK_TCK), 100 on every Linux we support). */
const TICKS = 100;

/** CPU seconds that a process has used so far (proc(5), /proc/pid/stat fields 14 and 15). */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Resident memory now and at its highest, in MiB (proc(5), /proc/pid/status). */
export function memoryMiB(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const field = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
  return { now: field("VmRSS"), peak: field("VmHWM") };
}
