import type { AmountUnit } from "../amounts.ts";
import { celList, celString } from "./cel.ts";

/** How a value of each unit is written: the pattern, and the words for it. */
export const UNITS: Readonly<Record<AmountUnit, { pattern: string; words: string }>> = {
  percent: { pattern: "^[0-9.]+%$", words: "a percentage such as 5%" },
  duration: { pattern: "^[0-9.]+(ms|s|m|h)$", words: "a duration such as 120ms" },
  bytes: { pattern: "^[0-9.]+(Ki|Mi|Gi)$", words: "bytes such as 512Mi" },
  count: { pattern: "^[0-9.]+$", words: "a plain number such as 35000" },
};

const metricsOf = (units: Readonly<Record<string, AmountUnit>>, unit: AmountUnit) =>
  Object.keys(units).filter((metric) => units[metric] === unit);

const used = (units: Readonly<Record<string, AmountUnit>>) => [...new Set(Object.values(units))];

/** CEL that holds when `value` is written in the unit of `self.metric`. */
export function unitRule(units: Readonly<Record<string, AmountUnit>>, value: string): string {
  const cases = used(units).map(
    (unit) =>
      `self.metric in ${celList(metricsOf(units, unit))} ? ${value}.matches(r'${UNITS[unit].pattern}')`,
  );
  return `(${cases.join(" : ")} : true)`;
}

/** CEL for the words of the unit of `self.metric`. */
export function unitWords(units: Readonly<Record<string, AmountUnit>>): string {
  const cases = used(units).map(
    (unit) => `self.metric in ${celList(metricsOf(units, unit))} ? ${celString(UNITS[unit].words)}`,
  );
  return `(${cases.join(" : ")} : '')`;
}

/** The same here: whether the text is written in the unit. */
export function hasUnit(unit: AmountUnit, text: string): boolean {
  return new RegExp(UNITS[unit].pattern).test(text);
}
