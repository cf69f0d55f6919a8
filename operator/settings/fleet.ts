import * as z from "zod";
import { WEEKDAYS } from "../rollout/fleet/rules.ts";
import { isTimeZone } from "../rollout/fleet/wall-time.ts";

/** What the administrator says of all bridges together: how many may roll at once, and when none may. */

const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/;

const moment = (description: string) =>
  z
    .string({ error: "give a time in quotes" })
    .refine(
      (text) => DATE_TIME.test(text) && !Number.isNaN(Date.parse(text)),
      'must be a time with its offset, such as "2026-12-20T00:00:00Z" or "2026-12-20T00:00:00+01:00"',
    )
    .optional()
    .describe(description);

const clock = (pattern: RegExp, description: string) =>
  z
    .string({ error: "give a time of day in quotes" })
    .regex(pattern, 'must be a time of day, such as "16:00"')
    .describe(description);

const weekly = z
  .strictObject({
    days: z.array(z.enum(WEEKDAYS)).min(1).describe("Days on which it begins, such as `[Saturday, Sunday]`."),
    from: clock(/^([01]\d|2[0-3]):[0-5]\d$/, "When it begins, by the clocks of the time zone."),
    to: clock(
      /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/,
      "When it ends: later that day (`24:00` is its end), else on the next.",
    ),
    timeZone: z
      .string()
      .refine(isTimeZone, 'is not a time zone; write an IANA name such as "Europe/Berlin" or "UTC"')
      .default("UTC")
      .describe("IANA name. Where the clocks are changed, the longest reading of the times counts."),
  })
  .superRefine(({ from, to }, context) => {
    if (from !== to) return;
    const message = 'is the same as from; for a whole day write from "00:00" to "24:00"';
    context.addIssue({ code: "custom", path: ["to"], message });
  });

const freeze = z
  .strictObject({
    name: z
      .string({ error: "give a name in quotes" })
      .regex(/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/, "must be 1 to 40 lower-case letters, digits and dashes")
      .describe("Shown wherever the freeze holds something."),
    namespaces: z
      .array(
        z
          .string()
          .regex(
            /^(\*|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$/,
            'must be the name of a namespace, or "*" for all',
          ),
      )
      .min(1)
      .default(["*"])
      .describe('Namespaces that it holds; `"*"` stands for all.'),
    promote: z
      .enum(["Refuse", "Allow"])
      .default("Refuse")
      .describe("Whether `kubectl llmbridge promote` starts a waiting change or leaves a step all the same."),
    from: moment("When it begins, with its offset (RFC 3339)."),
    to: moment("When it ends."),
    weekly: weekly.optional().describe("Every week, instead of `from` and `to`."),
  })
  .superRefine(({ from, to, weekly: recurring }, context) => {
    const issue = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    if (recurring && (from !== undefined || to !== undefined))
      issue(["weekly"], "cannot be given together with from and to; make two freezes of it");
    else if (!recurring && from === undefined) issue(["from"], "is missing; give from and to, or weekly");
    else if (!recurring && to === undefined) issue(["to"], "is missing; give from and to, or weekly");
    else if (from !== undefined && to !== undefined && Date.parse(to) <= Date.parse(from))
      issue(["to"], "is not after from");
  });

const most = (description: string) => z.int().min(1).max(10_000).optional().describe(description);

export const fleetSettings = z.strictObject({
  maxRollouts: most("Most rollouts at once in all. Without it there is no limit."),
  maxRolloutsPerNamespace: most("Most rollouts at once in one namespace. Without it there is no limit."),
  freezes: z
    .array(freeze)
    .max(100)
    .default([])
    .superRefine((freezes, context) => {
      freezes.forEach(({ name: given }, index) => {
        if (freezes.findIndex((other) => other.name === given) === index) return;
        const message = `there is another freeze named ${JSON.stringify(given)}; names must differ`;
        context.addIssue({ code: "custom", path: [index, "name"], message });
      });
    })
    .describe("Times in which no canary starts and no step is left. Rollbacks go on."),
});
