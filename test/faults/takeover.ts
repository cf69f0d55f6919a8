import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { until } from "../kube/until.ts";
import type { Bridge } from "../scene/api.ts";
import { type Audit, type AuditedRequest, startAudit } from "../scene/audit.ts";
import { administrator } from "./account.ts";
import type { Another, Bed, Stage } from "./bed.ts";
import { atRest } from "./explore.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import { isOwnWrite, type ProxiedRequest, type RuleOptions } from "./proxy.ts";
import { playStory } from "./story.ts";
import type { Strike } from "./strike.ts";

/** Two operators with one Lease, each a user of its own behind a proxy of its own: one leads, the other has full caches. */
export interface Pair {
  readonly leader: Another;
  readonly standby: Another;
  /** Strikes the leader's next write of a Deployment; ends with it when it is struck. */
  strikeWrite(strike: Strike, onStruck: () => void): Promise<ProxiedRequest>;
  standbyLeads(): Promise<boolean>;
}

export interface TakenOver {
  readonly outcome: Outcome;
  /** Children's writes that changed nothing. */
  readonly idle: readonly ProxiedRequest[];
  /** By the audit log: what the leader and then the standby have written, and when the standby took the lease. */
  readonly leaderWrote: readonly AuditedRequest[];
  readonly standbyWrote: readonly AuditedRequest[];
  readonly taken: AuditedRequest | undefined;
}

interface Lease extends KubeObject {
  readonly spec: { readonly holderIdentity?: string };
}

let pairs = 0;

/**
 * Plays the story, in which somebody makes the bridge grow while its second version is held, and promotes it.
 * @param whileHeld makes it grow, and whatever is to happen to the leader then; the promotion comes when it ends
 */
export async function takeOver(
  bed: Bed,
  whileHeld: (pair: Pair, bridge: Bridge) => Promise<void>,
  wanted?: Outcome,
): Promise<TakenOver> {
  const stage = await bed.stage({ leaderElection: true, isEmpty: true });
  const audit = startAudit(bed.plane.server.auditLogPath);
  const users = ["leader", "standby"].map((role) => `${role}-${process.pid}-${pairs++}`);
  const pair = await open(bed, stage, users);
  const { namespace } = stage;
  const { client } = bed.plane;
  try {
    await playStory(client, namespace, async (bridge, version) => {
      if (version === 2) await whileHeld(pair, bridge);
    });
    const requests = () =>
      [...pair.leader.proxy.requests, ...pair.standby.proxy.requests].sort((a, b) => a.atMs - b.atMs);
    const outcome = await atRest(() => outcomeOf(client, namespace, requests()), wanted);
    const isOfChild = (request: ProxiedRequest) => !request.resource.startsWith("llmbridges");
    const idle = requests().filter((one) => isOwnWrite(one) && one.isIdle && isOfChild(one));
    return { outcome, idle, ...(await told(audit, namespace, users)) };
  } finally {
    await stage.close();
  }
}

async function open(bed: Bed, stage: Stage, [first = "", second = ""]: readonly string[]): Promise<Pair> {
  const start = async (user: string): Promise<Another> =>
    stage.startBehind(await administrator(bed.plane, user), { instance: user });
  const holder = async () => (await stage.list<Lease>(resources.leases))[0]?.spec.holderIdentity ?? "";
  const leader = await start(first);
  await until("the first to lead", async () => (await holder()).startsWith(first));
  const standby = await start(second);
  const { healthPort } = JSON.parse(standby.process.readyLine) as { healthPort: number };
  await until("full caches", async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok);
  return {
    leader,
    standby,
    strikeWrite(strike, onStruck) {
      const { promise, resolve } = Promise.withResolvers<ProxiedRequest>();
      const options: RuleOptions = {
        times: 1,
        onStruck(request) {
          onStruck();
          resolve(request);
        },
      };
      leader.proxy.when(
        (request) => isOwnWrite(request) && request.resource === "deployments",
        strike,
        options,
      );
      return promise;
    },
    standbyLeads: async () => (await holder()).startsWith(second),
  };
}

const WRITES = new Set(["create", "patch", "update", "delete"]);

async function told(audit: Audit, namespace: string, [first, second]: readonly string[]) {
  const done = (await audit.requests()).filter(
    (one) => one.namespace === namespace && WRITES.has(one.verb) && one.code < 400,
  );
  const wrote = (who: string | undefined) =>
    done.filter(({ user, resource }) => user === who && !["leases", "events"].includes(resource));
  const taken = done.find(({ user, resource }) => user === second && resource === "leases");
  return { leaderWrote: wrote(first), standbyWrote: wrote(second), taken };
}
