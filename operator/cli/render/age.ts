const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
] as const;

/** A span of time in at most two units: "41h12m", "6m", "12s". */
export function spanText(spanMs: number): string {
  const ms = Math.max(0, spanMs);
  const index = UNITS.findIndex(([, unitMs]) => ms >= unitMs);
  const [unit, unitMs] = UNITS[index] ?? UNITS[3];
  const next = UNITS[index + 1];
  const whole = Math.floor(ms / unitMs);
  // Hours stay hours up to three days, as people speak of holds.
  if (unit === "d" && whole < 3) return `${Math.floor(ms / 3_600_000)}h${rest(ms % 3_600_000, 60_000, "m")}`;
  return `${whole}${unit}${next ? rest(ms % unitMs, next[1], next[0]) : ""}`;
}

function rest(ms: number, unitMs: number, unit: string): string {
  const whole = Math.floor(ms / unitMs);
  return whole === 0 ? "" : `${whole}${unit}`;
}

/** Age as in kubectl's columns: one unit, "31d". */
export function ageText(sinceText: string | undefined, nowMs: number): string {
  const ms = sinceText === undefined ? Number.NaN : nowMs - Date.parse(sinceText);
  if (Number.isNaN(ms)) return "";
  const [unit, unitMs] = UNITS.find(([, unitMs]) => ms >= unitMs * 2) ?? UNITS[3];
  return `${Math.max(0, Math.floor(ms / unitMs))}${unit}`;
}

/** Time of day in UTC, "14:02:59"; of another day with the date instead of the seconds, "2026-11-20 14:02". */
export function clockText(timeText: string, nowMs: number): string {
  const time = new Date(timeText);
  if (Number.isNaN(time.getTime())) return timeText;
  const iso = time.toISOString();
  const today = new Date(nowMs).toISOString().slice(0, 10);
  return iso.startsWith(today) ? iso.slice(11, 19) : `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;
}
