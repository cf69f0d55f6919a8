import type { LLMBridgeSpecInput } from "../../api/v1alpha1/spec.ts";
import { formatKey, type KubeObject, type ObjectKey } from "../../kube/object.ts";
import { type Change, createStore } from "../../kube/store.ts";
import type { FleetRules } from "../../rollout/fleet/rules.ts";
import { isRolling } from "../../rollout/fleet/view.ts";
import { createFleetBook, type FleetBook } from "../fleet-book.ts";
import { World } from "./world.ts";

/** Several worlds under one book, in one virtual time. What they write reaches the cache when the test says so. */
export class Fleet {
  rules: FleetRules;
  nowMs = Date.parse("2026-01-01T00:00:00Z");
  readonly worlds = new Map<string, World>();
  /** Bridges whose rollout has started, in that order. */
  readonly started: string[] = [];
  /** Whom the book asked to be looked at. */
  readonly told: string[] = [];
  private readonly store = createStore<KubeObject>();
  private handlers: ((change: Change<KubeObject>) => void)[] = [];
  private book: FleetBook;
  private readonly shown = new Map<World, object>();
  private version = 0;

  constructor(rules: Partial<FleetRules>) {
    this.rules = { freezes: [], ...rules };
    this.book = this.newBook();
  }

  add(name: string, spec: LLMBridgeSpecInput, namespace = "ai"): World {
    const world = new World(spec, { namespace, name });
    this.worlds.set(formatKey(world.bridge), world);
    this.show(world);
    return world;
  }

  /** Another process takes over: all that it knows is stored. */
  restart(): void {
    this.handlers = [];
    this.book = this.newBook();
    this.book.begin();
    for (const world of this.worlds.values()) world.restartOperator();
  }

  /**
   * One look at one bridge, as the controller does it. Its spec is in the cache, its last status perhaps not.
   * @param meanwhile what happens between the read of the bridge and the decision
   */
  decide(world: World, meanwhile: () => void = () => {}): void {
    world.nowMs = this.nowMs;
    this.put(world, this.shown.get(world) ?? {});
    this.book.seen(world.bridge);
    meanwhile();
    const wasRolling = isRolling(world.status.rollout?.phase);
    world.rollouts = this.book.view(world.bridge, world.spec.rollout?.after ?? []);
    world.pass();
    this.book.note(world.bridge, world.status);
    if (!wasRolling && isRolling(world.status.rollout?.phase)) this.started.push(world.bridge.name);
  }

  /** What is decided cannot be written. */
  refuse(world: World): void {
    const { status } = world;
    this.decide(world);
    world.status = status;
    this.book.revoke(world.bridge);
    this.started.pop();
  }

  /** The cache shows what is stored of the bridge. */
  show(world: World): void {
    this.put(world, world.status);
  }

  private put(world: World, status: object, more: object = {}): void {
    const { bridge, spec, generation } = world;
    this.shown.set(world, status);
    this.version += 1;
    const metadata = { ...bridge, resourceVersion: String(this.version), generation, ...more };
    const object = { apiVersion: "v1", kind: "LLMBridge", metadata, spec, status } as unknown as KubeObject;
    this.tell(this.store.set(object));
  }

  /** It is marked as being deleted, and a finalizer keeps it there. */
  terminate(world: World): void {
    this.put(world, world.status, { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["a.example/b"] });
    this.worlds.delete(formatKey(world.bridge));
  }

  remove(world: World): void {
    const found = this.store.get(world.bridge.namespace, world.bridge.name);
    if (found) this.tell(this.store.remove(found));
    this.worlds.delete(formatKey(world.bridge));
  }

  rolling(): string[] {
    return [...this.worlds.values()]
      .filter(({ status }) => isRolling(status.rollout?.phase))
      .map(({ bridge }) => bridge.name);
  }

  /** Time goes on for all of them, two seconds at a time; `check` is asked after each. */
  run(seconds: number, check: () => void = () => {}): void {
    for (let second = 0; second < seconds; second += 2) {
      for (const world of this.worlds.values()) {
        this.decide(world);
        world.kubelet();
      }
      check();
      for (const world of this.worlds.values()) this.show(world);
      this.nowMs += 2_000;
    }
  }

  private tell(changes: readonly Change<KubeObject>[]): void {
    for (const change of changes) for (const handler of this.handlers) handler(change);
  }

  private newBook(): FleetBook {
    const bridges = {
      store: this.store,
      onChange: (handler: (change: Change<KubeObject>) => void) => {
        this.handlers.push(handler);
        for (const object of this.store.list()) handler({ kind: "added", object, initial: true });
        return () => {};
      },
    };
    return createFleetBook({
      bridges,
      rules: () => this.rules,
      clock: { now: () => this.nowMs },
      onTurn: (key: ObjectKey) => void this.told.push(key.name),
    });
  }
}
