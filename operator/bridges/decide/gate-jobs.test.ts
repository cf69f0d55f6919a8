import { describe, expect, it } from "vitest";
import { LABELS } from "../../../contract/kubernetes.ts";
import { externalGate } from "../../api/v1alpha1/gates.ts";
import { pod } from "../../api/v1alpha1/pod.ts";
import type { GateStatus } from "../../api/v1alpha1/status.ts";
import { question } from "../../gates/testing/questions.ts";
import { gateJobName } from "../desired/gate-job.ts";
import type { RawJob } from "../observe/gate-job.ts";
import type { Booked } from "../observe/gates.ts";
import { askedJobs, gateJobWrites } from "./gate-jobs.ts";

const { receiver: _, timeoutMs: __, ...asked } = question({ gate: "smoke" });

const booked = (state: GateStatus["state"]): Booked => ({
  gate: externalGate.parse({ name: "smoke", job: { image: "registry.example/smoke:1" } }),
  entry: {
    ...{ name: "smoke", kind: "Job", digest: "d", state },
    ...{ since: asked.since, until: asked.until },
  },
  question: asked,
});

const job = (name: string, status: "Complete" | "Failed" | "runs", revision = "d04be81c22"): RawJob =>
  ({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, uid: `u-${name}`, resourceVersion: "7", labels: { [LABELS.revision]: revision } },
    status: { conditions: status === "runs" ? [] : [{ type: status, status: "True" }] },
  }) as unknown as RawJob;

const NAME = gateJobName(asked);
const writes = (gates: readonly Booked[], jobs: readonly RawJob[], kept: readonly string[] = []) =>
  gateJobWrites({ booked: gates, pod: pod.parse({}), kept }, jobs).map((write) => [
    write.kind,
    "object" in write ? write.object.metadata.name : "name" in write ? write.name : "",
  ]);

describe("gateJobWrites", () => {
  it("makes a Job for a gate that is asked and has none", () => {
    expect(writes([booked("Asked")], [])).toEqual([["Create", NAME]]);
    expect(writes([booked("Asked")], [job(NAME, "runs")])).toEqual([]);
    expect(writes([booked("Asked")], [job(NAME, "Failed")])).toEqual([]);
  });

  it.each(["Passed", "Failed", "NoData"] as const)("makes none for a gate that is decided: %s", (state) => {
    expect(writes([booked(state)], [])).toEqual([]);
    expect(writes([booked(state)], [job(NAME, "Complete")])).toEqual([]);
  });

  it("makes none for a gate that is not what was booked, and deletes none that was made before", () => {
    const kept: Booked = { ...booked("Asked"), gate: undefined };
    expect(writes([kept], [])).toEqual([]);
    expect(writes([kept], [job(NAME, "runs")])).toEqual([]);
    expect(askedJobs({ booked: [kept], pod: pod.parse({}), kept: [] }, [job(NAME, "runs")])).toEqual([]);
  });

  it("deletes one whose gate is out of the book, at once if it still runs", () => {
    expect(writes([], [job("old", "runs")], ["d04be81c22"])).toEqual([["Delete", "old"]]);
    expect(writes([], [job("old", "Complete")], ["other"])).toEqual([["Delete", "old"]]);
    expect(writes([], [job("old", "Failed")], ["d04be81c22"])).toEqual([]);
  });

  it("deletes one that still runs when there is no verdict in time, and leaves one that has ended", () => {
    expect(writes([booked("NoData")], [job(NAME, "runs")])).toEqual([["Delete", NAME]]);
    expect(writes([booked("NoData")], [job(NAME, "Complete")])).toEqual([]);
    expect(writes([booked("NoData")], [job(NAME, "Failed")])).toEqual([]);
  });

  it("leaves the deadline to the book, whose clock a pause stops", () => {
    const [made] = gateJobWrites({ booked: [booked("Asked")], pod: pod.parse({}), kept: [] }, []);
    expect(made && "object" in made && made.object).not.toHaveProperty("spec.activeDeadlineSeconds");
  });
});

describe("askedJobs", () => {
  it("are those whose verdict is waited for", () => {
    const wanted = { booked: [booked("Asked")], pod: pod.parse({}), kept: [] };
    expect(
      askedJobs(wanted, [job(NAME, "runs"), job("old", "runs")]).map(({ metadata }) => metadata.name),
    ).toEqual([NAME]);
  });
});

describe("gateJobName", () => {
  it("is a label also for the longest names that the rules allow", () => {
    const bridge = { ...asked.bridge, name: "b".repeat(35) };
    expect(gateJobName({ ...asked, bridge, gate: "g".repeat(16) })).toHaveLength(63);
  });
});
