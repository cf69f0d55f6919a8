import { isNotFound } from "../../operator/kube/errors.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { type Resource, resources } from "../../operator/kube/resources.ts";
import type { ServerProcess } from "../servers/process.ts";
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from "./control-plane.ts";
import { type OperatorOptions, type OperatorProgram, operatorProgram } from "./operator-process.ts";
import { childrenOf } from "./outcome.ts";
import { type FaultProxy, isOwnWrite, type ProxiedRequest, startFaultProxy } from "./proxy.ts";
import { type Actor, actor, storySpec } from "./story.ts";

/** A control plane for a suite, and for each test a namespace with an operator of its own behind a proxy of its own. */
export interface Bed {
  readonly plane: ControlPlane;
  /** Opens a place and starts its operator; `stage.close` ends both. */
  stage(options?: StageOptions): Promise<Stage>;
  /** A stage with a bridge `chat` whose first version is this image and serves. */
  serving(image: string): Promise<Stage>;
  down(): Promise<void>;
}

export interface StageOptions extends Partial<Pick<OperatorOptions, "leaderElection">> {
  /** Start no operator; the test does. */
  readonly isEmpty?: boolean;
}

export interface Stage {
  readonly namespace: string;
  readonly proxy: FaultProxy;
  actor(name?: string): Actor;
  /** Objects of a kind in the namespace, as the API server has them. */
  list<T extends KubeObject = KubeObject>(resource: Resource): Promise<readonly T[]>;
  /** What each child of a bridge says, by `Kind name`. */
  children(bridge: string): Promise<Readonly<Record<string, unknown>>>;
  /** Starts the operator (again), through the stage's proxy unless told otherwise. */
  start(options?: Partial<OperatorOptions>): Promise<ServerProcess>;
  /** Starts one more operator, behind a proxy of its own, so that it is known who wrote what. */
  startAnother(options: Partial<OperatorOptions>): Promise<Another>;
  /** Starts an operator with the rights of another kubeconfig, behind a proxy of its own. */
  startBehind(kubeconfigPath: string, options?: Partial<OperatorOptions>): Promise<Another>;
  /** Ends the operator in order; its exit code. */
  end(): Promise<number | undefined>;
  /** Ends the operator at once, as the kernel would. */
  kill(): Promise<void>;
  /** The operator's writes so far: to children and status, not its lease and its Events. */
  writes(): ProxiedRequest[];
  close(): Promise<void>;
}

export interface Another {
  readonly process: ServerProcess;
  readonly proxy: FaultProxy;
}

let stages = 0;

export async function openBed(options: ControlPlaneOptions = {}): Promise<Bed> {
  const [plane, program] = await Promise.all([startControlPlane(options), operatorProgram()]);
  const open = new Set<Stage>();
  const stage: Bed["stage"] = async (stageOptions = {}) => {
    const opened = await openStage(plane, program, stageOptions);
    open.add(opened);
    return opened;
  };
  return {
    plane,
    stage,
    async serving(image) {
      const opened = await stage();
      const { bridge } = opened.actor();
      await bridge.apply(storySpec(image));
      await bridge.promoted(image);
      return opened;
    },
    async down() {
      await Promise.all([...open].map((one) => one.close()));
      program.remove();
      await plane.down();
    },
  };
}

async function openStage(
  plane: ControlPlane,
  program: OperatorProgram,
  { leaderElection = false, isEmpty = false }: StageOptions,
): Promise<Stage> {
  // Not only among this suite's: another one may have used the control plane.
  const namespace = `stage-${process.pid}-${stages++}`;
  await plane.api.request("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
  const proxies: FaultProxy[] = [];
  const openProxy = async (path = plane.server.kubeconfigPath): Promise<FaultProxy> => {
    const opened = await startFaultProxy(path);
    proxies.push(opened);
    return opened;
  };
  const proxy = await openProxy();
  const running = new Set<ServerProcess>();
  let last: ServerProcess | undefined;
  let isOpen = true;
  const stage: Stage = {
    namespace,
    proxy,
    actor: (name = "chat") => actor(plane.client, namespace, name),
    list: <T extends KubeObject>(resource: Resource) => plane.client.list<T>(resource, { namespace }),
    children: (bridge) => childrenOf(plane.client, namespace, bridge),
    async start(more = {}) {
      const { kubeconfigPath } = proxy;
      last = await program.start({ kubeconfigPath, namespaces: [namespace], leaderElection, ...more });
      running.add(last);
      return last;
    },
    async startAnother(options) {
      const own = await openProxy();
      return { process: await stage.start({ kubeconfigPath: own.kubeconfigPath, ...options }), proxy: own };
    },
    async startBehind(path, options = {}) {
      const own = await openProxy(path);
      return { process: await stage.start({ kubeconfigPath: own.kubeconfigPath, ...options }), proxy: own };
    },
    async end() {
      last?.signal("SIGTERM");
      return last?.exited;
    },
    async kill() {
      last?.signal("SIGKILL");
      await last?.exited;
    },
    writes: () => proxy.requests.filter(isOwnWrite),
    async close() {
      if (!isOpen) return;
      isOpen = false;
      await Promise.all([...running].map((one) => one.stop()));
      await Promise.all(proxies.map((one) => one.close()));
      await plane.client.delete(resources.namespaces, "", namespace).catch((error: unknown) => {
        // A test may have deleted it itself.
        if (!isNotFound(error)) throw error;
      });
    },
  };
  if (!isEmpty) await stage.start();
  return stage;
}
