import * as z from "zod";
import { scrapeInterval } from "./fields.ts";

const labelKey = z
  .string()
  .regex(
    /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
    "must be a label of Kubernetes, such as release or example.com/team",
  );
const labelValue = z
  .string({ error: "give the value of a label in quotes" })
  .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/, "must be a value that labels may have");

export const podMonitors = z.strictObject({
  labels: z
    .record(labelKey, labelValue)
    .superRefine((given, context) => {
      const message = "labels of app.kubernetes.io and llmbridge.dev are the operator's own; choose another";
      for (const key of Object.keys(given).filter((one) =>
        /^(app\.kubernetes\.io|llmbridge\.dev)\//.test(one),
      ))
        context.addIssue({ code: "custom", path: [key], message });
    })
    .default({})
    .describe("Labels by which a Prometheus selects PodMonitors, beside the operator's own."),
  interval: scrapeInterval.describe(
    "How often a pod is scraped; not longer than `sources[].scrapeInterval` of the source that reads it.",
  ),
});
