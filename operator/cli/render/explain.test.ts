import { describe, expect, it } from "vitest";
import { freshBridge, SAMPLE_NOW_MS, sampleBridge } from "../testing/sample-bridge.ts";
import { colours } from "./colour.ts";
import { explainText } from "./explain.ts";
import { visibleLength } from "./wrap.ts";

const pipe = { nowMs: SAMPLE_NOW_MS, colour: colours(false), columns: Number.POSITIVE_INFINITY };

describe("explainText", () => {
  it("tells each decision with what was refused, answers the question, and says what comes and what to type", () => {
    expect(explainText(sampleBridge(), pipe, " -n ai")).toBe(
      `${[
        "14:02:00  ScaleUp (Demand): Replicas 9 to 10.",
        "          considered and refused: one more worker thread: CPU throttled 12%",
        "",
        "2026-11-20 09:00  Step (Proved): Step tenth begins.",
        "",
        "Evidence",
        "  errors  +0.02pp  [-0.09, +0.21]  n=288,412  ProvedBelow  Worse by less than 0.5% is proved.",
        "  gc      1.8%  Passed  Below 5%.",
        "",
        "Why is it not promoted yet? The hold of step tenth ends in 41h12m.",
        "",
        "What comes next",
        "  2026-11-23 09:00 (in 41h12m): When the hold is over and errors are proved worse by less than 1pp, step half (50%) begins.",
        "  At any time: if errors are proved worse by more than 0.1pp or its pods fail, it is rolled back.",
        "  2026-11-26 09:00 (in 4d17h): If nothing is proved by then, it waits for a person (inconclusive.action: Pause).",
        "",
        "What you can do",
        "  kubectl llmbridge promote chat -n ai          leave step tenth now, without the proof",
        "  kubectl llmbridge promote chat --full -n ai   give it all of the traffic now, without the proof",
        "  kubectl llmbridge abort chat -n ai            take the canary away and keep the stable version",
        "  kubectl llmbridge pause chat -n ai            hold it where it is",
        "  kubectl llmbridge diff chat -n ai             see what the canary changes",
        "  kubectl llmbridge get chat -w -n ai           watch its pods and its evidence",
        "  kubectl llmbridge history chat -n ai          see its revisions",
      ].join("\n")}\n`,
    );
  });

  it("names what is not as it should be", () => {
    const conditions = [
      {
        ...{ type: "MetricsAvailable", status: "False", reason: "SourceFailing", message: "No answer." },
        lastTransitionTime: "2026-11-21T14:02:00Z",
      },
      {
        ...{ type: "Progressing", status: "False", reason: "AtRest", message: "m" },
        lastTransitionTime: "2026-11-21T14:02:00Z",
      },
    ];
    const text = explainText(sampleBridge({ status: { conditions } }), pipe);
    expect(text).toContain(
      "Not as it should be\n  MetricsAvailable  SourceFailing since 14:02:00: No answer.\n\n",
    );
  });

  it("says how many pods have read a Secret that changed", () => {
    const secret = { ...{ name: "openai", state: "Rereading", pods: 3, read: 2, waiting: ["chat-1"] } };
    const message = 'Secret "openai" has changed and was re-read by 2 of 3 pods so far.';
    const secrets = [{ ...secret, message, changedAt: "2026-11-21T14:02:00Z" }];
    expect(explainText(sampleBridge({ status: { secrets } }), pipe)).toContain(
      `Secrets\n  14:02:00  ${message}\n\n`,
    );
  });

  it("tells of a bridge that no operator has seen", () => {
    const text = explainText(freshBridge(), pipe);
    expect(text).toContain("The operator has not looked at this bridge yet; is it running?");
    expect(text).toContain("kubectl get pods -A -l app.kubernetes.io/name=llmbridge-operator");
  });

  it.each([80, 120])("fits %i columns", (columns) => {
    const text = explainText(sampleBridge(), { ...pipe, columns, colour: colours(true) });
    expect(text.split("\n").filter((line) => visibleLength(line) > columns)).toEqual([]);
  });
});
