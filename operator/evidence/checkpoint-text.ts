import * as z from "zod";
import { SIGNALS, type Signal } from "./counts.ts";

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

/** What the text holds; undefined where it is no JSON or not of that shape. */
export function readText<S extends z.ZodType>(text: string, shape: S): z.output<S> | undefined {
  try {
    return shape.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
