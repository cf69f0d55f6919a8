import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LABELS } from "../../contract/kubernetes.ts";
import { type LLMBridgeSpecInput, llmBridgeSpec } from "../../operator/api/v1alpha1/spec.ts";
import type { LLMBridgeStatus } from "../../operator/api/v1alpha1/status.ts";
import { ANNOTATIONS } from "../../operator/bridges/names.ts";
import { configMapRefs } from "../../operator/bridges/references.ts";
import {
  BASE,
  CONFIG_MAPS,
  DECIDES_ONLY,
  MUTATIONS,
  ON_SECRET_CHANGE,
  specWith,
} from "../../operator/bridges/testing/fields.ts";
import { type Mutation, wrongs } from "../../operator/bridges/testing/mutations.ts";
import { World } from "../../operator/bridges/testing/world.ts";
import type { ApiError } from "../../operator/kube/errors.ts";
import { type Resource, resources } from "../../operator/kube/resources.ts";
import { seededRandom } from "../load/random.ts";
import { conditionOf } from "../scene/api.ts";
import type { ServerProcess } from "../servers/process.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import { differences } from "./outcome.ts";
import { settingsFile, type TestSettings } from "./settings-file.ts";
import { type Rest, revisionOf, type Walk, walk } from "./walk.ts";

/**
 * Every field of the schema is changed on a bridge that serves, and changed back (Acto, SOSP 2023), with the operator's process on a
 * real API server: the model that operator/bridges/mutations.test.ts does the same on cannot know what the server makes of writes,
 * defaults and owners of fields, nor in which order the operator gets to see it.
 */

/** What is tried when not everything is (`make explore`): the same each time, so that a change is judged by what it changes. */
const SAMPLE = { fields: 4, jumps: 1, refused: 1 };
const ALL_JUMPS = 12;
const isFull = process.env.LLMBRIDGE_EXPLORE === "all";
const seed = Number(process.env.LLMBRIDGE_SEED ?? 1);
const random = seededRandom(seed);

/** The admission of pods asks for the one that the field is changed to. */
const PRIORITY_CLASSES: Resource = {
  group: "scheduling.k8s.io",
  version: "v1",
  plural: "priorityclasses",
  kind: "PriorityClass",
  namespaced: false,
};

/** What only the operator can see: a source that its settings do not name, and ceilings below what runs. */
const REFUSED_BY_OPERATOR: readonly Mutation[] = [
  { path: "metrics.source", value: "other" },
  { path: "budget.cpu", value: "1" },
  { path: "budget.memory", value: "1Gi" },
];
const ACCEPTED = MUTATIONS.filter(
  ({ path }) => path !== "metrics.source" && !ON_SECRET_CHANGE.includes(path),
);
/**
 * What these have added stays when they are changed back: on missing metrics nothing is made smaller, and a pod that has not confirmed
 * fewer connections may hold the more it was granted.
 */
const GROWS = /^(replicas|scaling\.minReplicas|workers\.min|pools\.postgres\.maxPerPod)$/;
/** Who else may decide on replicas, and what keeps a rollout from its end: a pause, another bridge, a route that is not there. */
const NOT_IN_JUMPS = /^(scaling\.mode|rollout\.(paused|after(\[\])?|steps\[\]\.mirror|traffic\.rout.*))$/;

function chosen<T>(list: readonly T[], count: number): T[] {
  const left = [...list];
  const next = () => left.splice(Math.floor(random() * left.length), 1);
  return Array.from({ length: Math.min(count, left.length) }, next).flat();
}

/** How far a rollout has come when the next edit meets it. */
const MOMENTS = ["Seen", "Held", "Promoting"] as const;

interface Jump {
  readonly paths: string;
  readonly spec: LLMBridgeSpecInput;
  readonly moment: (typeof MOMENTS)[number];
}

/** Several fields at once, as they go together. */
function jump(): Jump {
  const candidates = ACCEPTED.filter(({ path }) => !GROWS.test(path) && !NOT_IN_JUMPS.test(path));
  for (;;) {
    const mutations = chosen(candidates, 2 + Math.floor(random() * 4));
    const [moment = "Seen"] = chosen(MOMENTS, 1);
    const spec = mutations.reduce((before, mutation) => specWith(mutation, before), BASE);
    if (isAccepted(spec)) return { paths: mutations.map(({ path }) => path).join(", "), spec, moment };
  }
}

function isAccepted(spec: LLMBridgeSpecInput): boolean {
  const world = new World(spec);
  world.pass();
  return world.status.conditions.some(({ type, status }) => type === "Accepted" && status === "True");
}

const fields = isFull ? ACCEPTED : chosen(ACCEPTED, SAMPLE.fields);
const refused = isFull ? REFUSED_BY_OPERATOR : chosen(REFUSED_BY_OPERATOR, SAMPLE.refused);
const jumps = Array.from(
  { length: isFull ? ALL_JUMPS : SAMPLE.jumps },
  () => [jump(), jump(), jump()] as const,
);

/** Names that the fields have. */
const SETTINGS = {
  sources: [{ name: "default", url: "http://127.0.0.1:9" }],
  gateWebhooks: ["evals", "other"].map((name) => ({ name, url: "http://127.0.0.1:9" })),
  gateJobs: {},
};

let settings: TestSettings;
let bed: Bed;
let stage: Stage;
let operator: ServerProcess;
/** Where bridges are made that get a spec at once, without a way to it. */
let elsewhere: Stage;
let bridges = 0;
let walked: Walk;
let base: Rest;
let isAtBase = false;

beforeAll(async () => {
  console.log(`seed ${seed}`);
  bed = await openBed();
  settings = settingsFile(SETTINGS);
  [stage, elsewhere] = await Promise.all([bed.stage({ isEmpty: true }), bed.stage({ isEmpty: true })]);
  await elsewhere.start({ settingsPath: settings.path });
  for (const { namespace } of [stage, elsewhere])
    for (const [name, data] of Object.entries(CONFIG_MAPS))
      await bed.plane.client.create(resources.configMaps, { metadata: { namespace, name }, data } as never);
  operator = await stage.start({ settingsPath: settings.path });
  const metadata = { name: "changed" };
  await bed.plane.client.create(PRIORITY_CLASSES, { metadata, value: 1 } as never);
});
afterAll(async () => {
  await bed?.down();
  settings?.remove();
});

/** What failed has left its bridge anywhere; the next begins with another. */
beforeEach(async () => {
  if (isAtBase) return;
  await walked?.leave();
  walked = walk(stage, `walked-${bridges++}`);
  await walked.set(BASE);
  base = await walked.rest();
  isAtBase = true;
});

/** What a bridge serves that was made with this spec; a test that has failed before asks for it no more. */
function madeWith(spec: LLMBridgeSpecInput): Promise<unknown> {
  const made = walk(elsewhere, `made-${bridges++}`);
  const serving = (async () => {
    await made.set(spec);
    const { serves } = await made.rest();
    await made.leave();
    return serves;
  })();
  serving.catch(() => undefined);
  return serving;
}

async function backToBase(): Promise<void> {
  await walked.set(BASE);
  expect(differences(base.serves, (await walked.rest()).serves)).toEqual([]);
  isAtBase = true;
}

const conditionsOf = ({ conditions }: LLMBridgeStatus) =>
  Object.fromEntries(conditions.map(({ type, status }) => [type, status]));

/** What holds wherever the operator is at rest. */
function expectGood({ status }: Rest, accepted: "True" | "False" = "True"): void {
  expect(conditionsOf(status)).toMatchObject({
    ...{ Ready: "True", Accepted: accepted, Reconciling: "False" },
    ...(accepted === "True" ? { Stalled: "False", Progressing: "False" } : {}),
  });
  const stale = status.conditions.filter((one) => one.observedGeneration !== status.observedGeneration);
  expect(stale).toEqual([]);
  // Each write was bound to a version, and has made another.
  expect(stage.writes().filter(({ isIdle }) => isIdle)).toEqual([]);
  expect(operator.lastLines.filter((line) => /"level":(50|60)|unhandled/i.test(line))).toEqual([]);
}

const writtenSince = (from: number) =>
  walked
    .writes()
    .slice(from)
    .filter(({ resource }) => resource !== "llmbridges/status");
/** Revisions whose Deployments are not noted as retired. */
const inUse = async () =>
  (await stage.list(resources.deployments)).flatMap(({ metadata: { name, labels, annotations } }) =>
    name.startsWith(`${walked.bridge.name}-`) && annotations?.[ANNOTATIONS.retiredAt] === undefined
      ? [labels?.[LABELS.revision]]
      : [],
  );
const created = (from: number) => writtenSince(from).filter(({ serverCode }) => serverCode === 201);

describe(`another value of one field (seed ${seed})`, () => {
  it.each(fields.filter(({ path }) => DECIDES_ONLY.test(path)))(
    "is decided by, restarts no pod, and costs no write but of what it changes: $path",
    async (mutation) => {
      isAtBase = false;
      const spec = specWith(mutation);
      const [before, from] = [Object.values(await walked.pods()).flat(), walked.writes().length];
      const made = madeWith(spec);
      await walked.set(spec);
      const rest = await walked.rest();
      expectGood(rest);
      expect(differences(await made, rest.serves)).toEqual([]);
      expect(Object.values(await walked.pods()).flat()).toEqual(expect.arrayContaining(before));
      const changed = differences(base.serves, rest.serves).join("\n");
      expect(changed).not.toMatch(/template|immutable/);
      const rewritten = writtenSince(from).filter(
        ({ resource, verb }) => resource !== "pods" && verb !== "delete",
      );
      for (const { name, resource } of rewritten)
        expect(changed, resource).toContain(name.replace(/^walked-\d+/, "BRIDGE"));
      if (GROWS.test(mutation.path)) return keepsWhatWasAdded();
      await backToBase();
    },
  );

  it.each(fields.filter(({ path }) => !DECIDES_ONLY.test(path)))(
    "is run by a revision of its own beside what serves, the same as without a way to it, and back: $path",
    async (mutation) => {
      isAtBase = false;
      const spec = specWith(mutation);
      const revision = base.status.stable?.revision ?? "";
      const [before, from] = [await walked.pods(), walked.writes().length];
      const direct = madeWith(spec);
      await walked.set(spec);
      await walked.holding();
      // What serves is not touched by what comes.
      expect((await walked.pods())[revision]).toEqual(before[revision]);
      const rest = await walked.rest();
      expectGood(rest);
      expect(rest.status.stable?.revision).not.toBe(revision);
      expect(differences(await direct, rest.serves)).toEqual([]);
      const made = created(from).map(({ resource }) => resource);
      const maps = Array.from({ length: 2 + keptMaps(spec) }, () => "configmaps");
      expect(made.sort()).toEqual([...maps, "deployments"]);
      expect(await inUse()).toEqual([rest.status.stable?.revision]);
      const there = walked.writes().length;
      await backToBase();
      expect(created(there)).toEqual([]);
      expect(await inUse()).toEqual([revision]);
    },
  );
});

/** ConfigMaps of which a revision of this spec keeps a copy, beside its own two. */
function keptMaps(spec: LLMBridgeSpecInput): number {
  const refs = configMapRefs(llmBridgeSpec.parse(spec)).filter(({ onChange }) => onChange === "Canary");
  return new Set(refs.map(({ name }) => name)).size;
}

/** Fewer pods, worker threads and connections come with a metric that tells that fewer are enough, or in use. */
async function keepsWhatWasAdded(): Promise<void> {
  await walked.set(BASE);
  const rest = await walked.rest();
  expectGood(rest);
  const places = differences(base.serves, rest.serves).map((line) => line.slice(0, line.indexOf(":")));
  expect(places.length).toBeGreaterThan(0);
  for (const place of places) expect(place).toMatch(/replicas$|ready$|^pods|-runtime\.data|pool-ceiling$/);
}

describe(`several fields at once, and again before the rollout is over (seed ${seed})`, () => {
  const reach = async ({ spec, moment }: Jump, present: LLMBridgeSpecInput): Promise<void> => {
    await walked.set(spec);
    if (moment === "Seen" || revisionOf(spec) === revisionOf(present)) return;
    await walked.holding();
    if (moment === "Promoting") await walked.promote();
  };

  it.each(
    jumps.map((three, index) => ({
      three,
      name: `${index}: ${three.map(({ paths }) => paths).join(" | ")}`,
    })),
  )(
    "leads where the last spec says, and a change that is taken back leads nowhere: $name",
    async ({ three: [first, second, third] }) => {
      isAtBase = false;
      const made = madeWith(second.spec);
      await reach(first, BASE);
      await walked.set(second.spec);
      const rest = await walked.rest();
      expectGood(rest);
      expect(differences(await made, rest.serves)).toEqual([]);
      await reach(third, second.spec);
      await walked.set(second.spec);
      const again = await walked.rest();
      expectGood(again);
      expect(again.status.rollout?.failed).toBeUndefined();
      expect(differences(rest.serves, again.serves)).toEqual([]);
      await backToBase();
    },
  );
});

describe("a wrong value of one field", () => {
  it("is refused by the API server with the field's place, and the operator does nothing", async () => {
    isAtBase = false;
    const { bridge } = walked;
    const from = walked.writes().length;
    const wrong = await Promise.all(
      wrongs().map(async (mutation) => {
        const place = `spec.${mutation.path.replaceAll("[]", "[0]")}`;
        const said = await bridge.patch({ ...specWith(mutation) }).then(
          () => "nothing",
          (error: ApiError) => error.message,
        );
        return said.includes(place) ? [] : [`${place} is refused with: ${said}`];
      }),
    );
    expect(wrong.flat()).toEqual([]);
    // Of edits that say nothing new it writes what it always does.
    const rest = await walked.rest();
    expectGood(rest);
    expect(writtenSince(from)).toEqual([]);
    expect(differences(base.serves, rest.serves)).toEqual([]);
    isAtBase = true;
  });

  it.each(refused)(
    "that only the operator can see is said of the field, and what serves goes on: $path",
    async (mutation) => {
      isAtBase = false;
      const [before, from] = [await walked.pods(), walked.writes().length];
      await walked.set(specWith(mutation));
      const rest = await walked.rest();
      expectGood(rest, "False");
      expect(conditionOf(rest.status, "Accepted")?.message).toContain(`spec.${mutation.path}`);
      expect(await walked.pods()).toEqual(before);
      await backToBase();
      expect(writtenSince(from)).toEqual([]);
    },
  );
});
