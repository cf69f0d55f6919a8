import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { type Bed, openBed } from "./bed.ts";
import { atRest } from "./explore.ts";
import { type Outcome, outcomeDifferences, outcomeOf } from "./outcome.ts";
import type { FaultProxy, ProxiedRequest } from "./proxy.ts";
import { playStory } from "./story.ts";

/** The operator reads its token and its authority from files, as in a pod, and both are replaced while a rollout is held. */

let bed: Bed;
let reference: Outcome;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "llmbridge-rotation-"));
  bed = await openBed();
  reference = (await play(async () => undefined)).outcome;
});
afterAll(async () => {
  await bed?.down();
  rmSync(folder, { recursive: true });
});

interface Lease extends KubeObject {
  readonly spec: { readonly holderIdentity?: string; readonly leaseTransitions?: number };
}

interface Tokens {
  readonly proxy: FaultProxy;
  /** Puts the token into the file, whole, as kubelet does. */
  write(token: string): void;
}

let files = 0;

/** Plays the story; `rotate` while the second version is held and again while the third is. */
async function play(rotate: (tokens: Tokens, turn: 2 | 3) => Promise<void>, wanted?: Outcome) {
  const stage = await bed.stage({ leaderElection: true, isEmpty: true });
  const { namespace, proxy } = stage;
  const tokenFile = join(folder, `token-${files++}`);
  const write = (token: string): void => {
    writeFileSync(`${tokenFile}.next`, token);
    renameSync(`${tokenFile}.next`, tokenFile);
  };
  write("token-1");
  proxy.requireToken("token-1");
  const operator = await stage.start({ kubeconfigPath: proxy.kubeconfigOfFiles(tokenFile) });
  const lease = async () => (await stage.list<Lease>(resources.leases))[0]?.spec;
  let holder: string | undefined;
  await playStory(bed.plane.client, namespace, async (_, turn) => {
    holder ??= (await lease())?.holderIdentity;
    await rotate({ proxy, write }, turn);
  });
  const { requests } = proxy;
  const outcome = await atRest(() => outcomeOf(bed.plane.client, namespace, requests), wanted);
  const { holderIdentity, leaseTransitions = 0 } = (await lease()) ?? {};
  const isKept = holder !== undefined && holderIdentity === holder && leaseTransitions === 0;
  const errors = operator.lastLines.filter((line) => line.includes('"level":50'));
  await stage.close();
  return { outcome, requests, isKept, errors };
}

const refused = (requests: readonly ProxiedRequest[]) => requests.filter(({ code }) => code === 401);
const watches = (requests: readonly ProxiedRequest[]) =>
  new Set(
    requests.flatMap(({ verb, path, query }) =>
      verb === "watch" ? [`${path} ${query.get("fieldSelector")}`] : [],
    ),
  );

describe("scenario 29: credentials that are rotated in the middle of a rollout", () => {
  it("a token: each connection learns at most once that the old one is refused", async () => {
    const { outcome, requests, isKept, errors } = await play(async ({ proxy, write }, turn) => {
      write(`token-${turn}`);
      proxy.requireToken(`token-${turn}`);
      // Every watch comes back at once, with what is no longer valid.
      proxy.cutAll();
    }, reference);
    expect(outcomeDifferences(reference, outcome)).toEqual([]);
    expect({ isKept, errors }).toEqual({ isKept: true, errors: [] });
    expect(refused(requests).length).toBeGreaterThan(0);
    expect(refused(requests).length).toBeLessThanOrEqual(2 * watches(requests).size);
  });

  it("the authority and the token: all go on over connections that trust the new one, and nobody is refused", async () => {
    const { outcome, requests, isKept, errors } = await play(async ({ proxy, write }, turn) => {
      write(`token-${turn}`);
      proxy.requireToken(`token-${turn}`);
      await proxy.rotate();
      proxy.cutAll();
    }, reference);
    expect(outcomeDifferences(reference, outcome)).toEqual([]);
    expect({ isKept, errors }).toEqual({ isKept: true, errors: [] });
    expect(refused(requests).length).toBeLessThanOrEqual(2);
  });

  it("a token whose file comes after the old one is refused: few ask again, and all go on with the new one", async () => {
    const LATE_MS = 3_000;
    let late: NodeJS.Timeout | undefined;
    onTestFinished(() => clearTimeout(late));
    const { outcome, requests, isKept, errors } = await play(async ({ proxy, write }, turn) => {
      proxy.requireToken(`token-${turn}`);
      proxy.cutAll();
      late = setTimeout(() => write(`token-${turn}`), LATE_MS);
    }, reference);
    expect(outcomeDifferences(reference, outcome)).toEqual([]);
    expect({ isKept, errors }).toEqual({ isKept: true, errors: [] });
    expect(refused(requests).length).toBeGreaterThan(0);
    // A wait that doubles from 0.8 s on leaves room for no more within the time.
    expect(refused(requests).length).toBeLessThanOrEqual(2 * 3 * watches(requests).size);
  });
});
