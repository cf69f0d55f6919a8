import * as z from "zod";
import { type Missing, missingIn, SIGNALS, type Signal } from "./counts.ts";

/** What the checkpoints of a canary's evidence and of a watch have in common as text. */

/** Requests and bad ones. */
export const tally = z.tuple([z.number(), z.number()]);

interface Tally {
  readonly requests: number;
  readonly bad: number;
}

/** Digits kept of each number: what is lost is far below what decides. */
export const round = (value: number): number => Number(value.toPrecision(9));

export const tallyText = ({ requests, bad }: Tally): [number, number] => [round(requests), round(bad)];
export const tallyOf = ([requests, bad]: [number, number]): Tally => ({ requests, bad });

/** An object with what `signal` reads of each signal, where it is there. */
export function perSignal<S extends z.ZodType>(
  signal: S,
): z.ZodObject<Record<Signal, z.ZodOptional<S>>, z.core.$strict> {
  const shape = Object.fromEntries(SIGNALS.map((name) => [name, signal.optional()]));
  return z.strictObject(shape as Record<Signal, z.ZodOptional<S>>);
}

/** The same signals with each value changed. */
export function mapSignals<From, To>(
  signals: { readonly [S in Signal]?: From | undefined },
  change: (value: From) => To,
): Partial<Record<Signal, To>> {
  return Object.fromEntries(
    SIGNALS.flatMap((name) => {
      const value = signals[name];
      return value === undefined ? [] : [[name, change(value)]];
    }),
  );
}

/** Which signals the last interval had nothing of; the reason is told by the next one that is read. Left out where there are none, as before. */
export const missingNames = z.array(z.enum(SIGNALS)).optional();

export function namesOfMissing({ missing }: { readonly missing?: Missing }): { missing?: Signal[] } {
  return missing === undefined ? {} : { missing: SIGNALS.filter((name) => missing[name] !== undefined) };
}

export function missingOfNames(names: readonly Signal[] = []): { readonly missing?: Missing } {
  const why = (name: Signal) => `The metric source lacked series of ${name} when it was last read.`;
  return missingIn({ missing: Object.fromEntries(names.map((name) => [name, why(name)])) });
}

/** What the text holds; undefined where it is no JSON or not of that shape. */
export function readText<S extends z.ZodType>(text: string, shape: S): z.output<S> | undefined {
  try {
    return shape.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
