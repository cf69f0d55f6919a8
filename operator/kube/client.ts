import { isList, isNamed, isStored, type ListAnswer } from "./answers.ts";
import type { Lane } from "./connections.ts";
import { jsonEvents } from "./json-watch.ts";
import type { DesiredObject, KubeObject } from "./object.ts";
import type { Shape } from "./protobuf.ts";
import { PROTOBUF_STREAM, protobufEvents } from "./protobuf-watch.ts";
import { apiVersionOf, pathOf, type Resource, resourceName, resources } from "./resources.ts";
import type { ApiRequest, Transport } from "./transport.ts";
import type { WatchEvent } from "./watch-event.ts";

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** For all tries together. Default: the transport's (30 s). */
  readonly deadlineMs?: number | undefined;
}

export interface ListOptions extends CallOptions {
  /** Empty or absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Nothing but type and metadata is sent. */
  readonly metadataOnly?: boolean | undefined;
}

interface PageOptions extends ListOptions {
  /** Objects per page. */
  readonly limit: number;
  /** From the page before; absent for the first. */
  readonly continueToken?: string | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Version that the whole list is as of; a watch starts there. */
  readonly resourceVersion: string;
  /** Absent on the last page. */
  readonly continueToken: string | undefined;
}

/** Follows changes from a version on, or first tells every object that there is now. */
type WatchFrom = { readonly resourceVersion: string } | { readonly initialEvents: true };

type WatchOptions = ListOptions &
  WatchFrom & {
    /**
     * Fields of a built-in kind that are read: its events come as protocol buffers with nothing but these, where the server speaks them, and
     * whole where it answers JSON. Default: JSON.
     */
    readonly shape?: Shape | undefined;
    /** After so many seconds the server ends the watch. */
    readonly timeoutSeconds: number;
  };

interface WriteOptions extends CallOptions {
  readonly dryRun?: boolean;
}

interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  /** Take fields that another manager owns. Default true: controllers own what they apply. */
  readonly force?: boolean;
}

interface DeleteOptions extends WriteOptions {
  /** Delete only the object with this uid: not one that was made again under the same name. */
  readonly uid?: string;
  /** Delete only if unchanged since. */
  readonly resourceVersion?: string;
  /** Background (default of most kinds): children follow. Foreground: children first. Orphan: children stay. */
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
}

/** RFC 6902. */
export type JsonPatch = readonly (
  | { readonly op: "add" | "replace" | "test"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string }
)[];

/**
 * Reads and writes raw JSON objects; `T` says what the caller expects and is not checked, but for the metadata that every stored object has.
 *
 * Guarantees: get and list read the latest state. Every write asks the fence right before it leaves. There is no replace: a writer that only knows some of
 * the fields would erase the rest. Writes are server-side apply, or patches that carry what they rest on.
 * Caveats: a write that fails with TransportError, or with the reason of a signal, may have been carried out; create and jsonPatch are then not sent again.
 * Errors: ApiError, TransportError, or the reason of the signal; of writes also FencedError, when nothing was sent, or when leadership ended while it was
 * on the wire. Predicates: errors.ts.
 */
export interface KubeClient {
  /** Reads the latest state by quorum. */
  get<T extends KubeObject>(
    resource: Resource,
    namespace: string,
    name: string,
    options?: CallOptions,
  ): Promise<T>;
  /** One page, consistent with the others of the same list. `kind` and `apiVersion` are filled in for each item. */
  listPage<T extends KubeObject>(resource: Resource, options: PageOptions): Promise<Page<T>>;
  /** All pages. */
  list<T extends KubeObject>(resource: Resource, options?: ListOptions): Promise<readonly T[]>;
  /**
   * Changes, with bookmarks. Ends when the server ends it; throws when the connection breaks.
   *
   * With `initialEvents` what is there is read by quorum and comes first, as events up to the bookmark that says so (Kubernetes
   * KEP-3157). Servers that do not stream lists answer 422.
   */
  watch<T extends KubeObject>(
    resource: Resource,
    options: WatchOptions,
  ): Promise<AsyncIterable<WatchEvent<T>>>;
  /** Fails with AlreadyExists when there is one. */
  create<T extends KubeObject>(resource: Resource, object: DesiredObject, options?: WriteOptions): Promise<T>;
  /**
   * Server-side apply. Fields that this manager applied before and leaves out now are removed. An apply that changes nothing returns
   * the same resourceVersion and causes no event.
   *
   * Preconditions go into the object's metadata and fail with a conflict. `uid`: the object exists and is that one.
   * `resourceVersion`: the object, if it exists, is unchanged; without a uid a missing object is created all the same.
   */
  apply<T extends KubeObject>(resource: Resource, object: DesiredObject, options: ApplyOptions): Promise<T>;
  /** Server-side apply of the status subresource; fields outside status are ignored by the server. */
  applyStatus<T extends KubeObject>(
    resource: Resource,
    object: DesiredObject,
    options: ApplyOptions,
  ): Promise<T>;
  /** Succeeds for an object with finalizers too: it is then only marked. */
  delete(resource: Resource, namespace: string, name: string, options?: DeleteOptions): Promise<void>;
  /**
   * Deletes a pod gracefully, unless a disruption budget forbids it: then 429. A pod with another uid is left alone (409).
   */
  evict(namespace: string, pod: string, options: CallOptions & { readonly uid: string }): Promise<void>;
  /** Never sent twice: after a lost answer a `test` could fail on our own success. */
  jsonPatch<T extends KubeObject>(
    resource: Resource,
    namespace: string,
    name: string,
    patch: JsonPatch,
    options?: WriteOptions,
  ): Promise<T>;
  /** RFC 7386; a `metadata.resourceVersion` or `metadata.uid` in it is a precondition. */
  mergePatch<T extends KubeObject>(
    resource: Resource,
    namespace: string,
    name: string,
    patch: Readonly<Record<string, unknown>>,
    options?: WriteOptions,
  ): Promise<T>;
}

export interface ClientOptions {
  /**
   * Asked right before each write goes out. Throws FencedError when this process must not write; the signal it returns ends writes
   * that are on the wire. Default: writes are always allowed.
   */
  readonly fence?: () => AbortSignal;
  /** Connections to use. Default `requests`. */
  readonly lane?: Lane;
}

const LIST_LIMIT = 500;

/** Without a resourceVersion "not older" means: not older than the latest at the time of the request. */
const STREAMED_LIST = { sendInitialEvents: true, resourceVersionMatch: "NotOlderThan" };
/** A server that cannot leave out the rest sends objects whole. */
const metadataOnly = (kind: string): string =>
  `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json`;

/** A typed face over a transport; holds no state. */
export function createClient(transport: Transport, options: ClientOptions = {}): KubeClient {
  const { fence, lane = "requests" } = options;

  const read = (resource: Resource, verb: string, namespace: string, name: string, call: CallOptions) => ({
    method: "GET" as const,
    verb,
    resource: resourceName(resource),
    subject: subjectOf(namespace, name),
    path: pathOf(resource, namespace, name),
    accepts: (answer: unknown) => isStored(answer) && isNamed(answer, name),
    idempotent: true,
    lane,
    signal: call.signal,
    deadlineMs: call.deadlineMs,
  });

  const write = async <T>(
    resource: Resource,
    target: { readonly namespace: string; readonly name: string; readonly subresource?: string },
    request: Pick<ApiRequest, "method" | "verb" | "idempotent"> & Partial<ApiRequest>,
    call: WriteOptions,
  ): Promise<T> => {
    const name = request.method === "POST" ? "" : target.name;
    const answer = await transport.send({
      resource: resourceName(resource) + (target.subresource ? `/${target.subresource}` : ""),
      subject: subjectOf(target.namespace, target.name),
      path: pathOf(resource, target.namespace, name, target.subresource),
      lane,
      signal: call.signal,
      deadlineMs: call.deadlineMs,
      ...(fence ? { permit: fence } : {}),
      accepts: (answer) => isNamed(answer, target.name) && (call.dryRun === true || isStored(answer)),
      ...request,
      query: { ...request.query, ...(call.dryRun ? { dryRun: "All" } : {}) },
    });
    return answer as T;
  };

  const apply = <T>(
    resource: Resource,
    object: DesiredObject,
    options: ApplyOptions,
    subresource: string,
  ): Promise<T> => {
    const { namespace = "", name } = object.metadata;
    const request = {
      method: "PATCH",
      verb: "apply",
      // JSON is YAML; the server knows server-side apply by this content type.
      contentType: "application/apply-patch+yaml",
      idempotent: true,
      body: { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object },
      query: { fieldManager: options.fieldManager, force: options.force ?? true, fieldValidation: "Strict" },
    } as const;
    return write(resource, { namespace, name, subresource }, request, options);
  };

  const listPage = async <T extends KubeObject>(resource: Resource, page: PageOptions): Promise<Page<T>> => {
    const list = (await transport.send({
      ...read(resource, "list", page.namespace ?? "", "", page),
      accepts: isList,
      ...(page.metadataOnly ? { accept: metadataOnly("PartialObjectMetadataList") } : {}),
      query: {
        limit: page.limit,
        continue: page.continueToken,
        labelSelector: page.labelSelector,
        fieldSelector: page.fieldSelector,
      },
    })) as ListAnswer;
    const type = { apiVersion: apiVersionOf(resource), kind: resource.kind };
    return {
      items: (list.items ?? []).map((item) => ({ ...type, ...(item as T) })),
      resourceVersion: list.metadata.resourceVersion,
      continueToken: list.metadata.continue || undefined,
    };
  };

  return {
    listPage,
    async get<T extends KubeObject>(
      resource: Resource,
      namespace: string,
      name: string,
      call: CallOptions = {},
    ) {
      return (await transport.send(read(resource, "get", namespace, name, call))) as T;
    },
    async list<T extends KubeObject>(resource: Resource, list: ListOptions = {}) {
      const items: T[] = [];
      let continueToken: string | undefined;
      do {
        const page: Page<T> = await listPage(resource, { ...list, limit: LIST_LIMIT, continueToken });
        items.push(...page.items);
        continueToken = page.continueToken;
      } while (continueToken !== undefined);
      return items;
    },
    async watch<T extends KubeObject>(resource: Resource, watch: WatchOptions) {
      const stream = await transport.open({
        ...read(resource, "watch", watch.namespace ?? "", "", watch),
        ...(watch.metadataOnly ? { accept: metadataOnly("PartialObjectMetadata") } : {}),
        ...(watch.shape ? { accept: `${PROTOBUF_STREAM},application/json` } : {}),
        query: {
          watch: true,
          allowWatchBookmarks: true,
          ...("initialEvents" in watch ? STREAMED_LIST : { resourceVersion: watch.resourceVersion }),
          timeoutSeconds: watch.timeoutSeconds,
          labelSelector: watch.labelSelector,
          fieldSelector: watch.fieldSelector,
        },
      });
      const isProtobuf = stream.contentType.startsWith("application/vnd.kubernetes.protobuf");
      return watch.shape && isProtobuf
        ? protobufEvents<T>(stream.pieces, watch.shape)
        : jsonEvents<T>(stream.pieces);
    },
    create(resource, object, call = {}) {
      const { namespace = "", name } = object.metadata;
      const body = { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object };
      const request = { method: "POST", verb: "create", idempotent: false, body } as const;
      return write(resource, { namespace, name }, { ...request, query: { fieldValidation: "Strict" } }, call);
    },
    apply: (resource, object, call) => apply(resource, object, call, ""),
    applyStatus: (resource, object, call) => apply(resource, object, call, "status"),
    async delete(resource, namespace, name, call = {}) {
      const { uid, resourceVersion, propagationPolicy } = call;
      const preconditions = { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
      const body = {
        apiVersion: "v1",
        kind: "DeleteOptions",
        preconditions,
        ...(propagationPolicy && { propagationPolicy }),
      };
      await write(
        resource,
        { namespace, name },
        { method: "DELETE", verb: "delete", idempotent: true, body, accepts: isAnything },
        call,
      );
    },
    async evict(namespace, name, { uid, ...call }) {
      const body = {
        apiVersion: "policy/v1",
        kind: "Eviction",
        metadata: { name, namespace },
        deleteOptions: { preconditions: { uid } },
      };
      const path = pathOf(resources.pods, namespace, name, "eviction");
      // A budget without room answers 429 too, and is not waited for here. But the server is left its time: an eviction that is cut when the budget has
      // been charged for it and the pod not yet deleted keeps the budget from letting any pod go for two minutes.
      const asked = { verb: "create", idempotent: false, once: true, accepts: isAnything } as const;
      const request = { ...asked, method: "POST", body, path } as const;
      await write(resources.pods, { namespace, name, subresource: "eviction" }, request, call);
    },
    jsonPatch(resource, namespace, name, patch, call = {}) {
      const contentType = "application/json-patch+json";
      const request = {
        method: "PATCH",
        verb: "patch",
        idempotent: false,
        contentType,
        body: patch,
      } as const;
      return write(resource, { namespace, name }, request, call);
    },
    mergePatch(resource, namespace, name, patch, call = {}) {
      const contentType = "application/merge-patch+json";
      const request = { method: "PATCH", verb: "patch", idempotent: true, contentType, body: patch } as const;
      return write(resource, { namespace, name }, request, call);
    },
  };
}

/** What a deletion answers depends on the object: itself, as long as it is there, or a Status. */
const isAnything = (): boolean => true;

function subjectOf(namespace: string, name: string): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}
