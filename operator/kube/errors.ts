/** The `Status` object that the API server answers failures with. */
export interface Status {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly {
      readonly reason?: string;
      readonly message?: string;
      readonly field?: string;
    }[];
  };
}

/** A proxy in maintenance may ask for an hour; by then a watch, or the look at an object, would be as old as that. */
const LONGEST_RETRY_AFTER_MS = 60_000;

/**
 * The API server answered, and the answer was not success.
 * `message` names the request and repeats the server's own sentence. Use the predicates below instead of comparing codes.
 */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** HTTP status, or the code inside an ERROR event of a watch. */
  readonly code: number;
  /** The server's machine-readable reason, such as NotFound or Conflict; empty when it gave none. */
  readonly reason: string;
  readonly status: Status;
  /** How long the server asked to wait before the next try; 60 s where it asked for more. */
  readonly retryAfterMs: number | undefined;

  constructor(request: string, code: number, status: Status, retryAfterMs?: number) {
    super(`${request}: ${status.message ?? `the API server answered ${code}`}`);
    this.code = code;
    this.reason = status.reason ?? "";
    this.status = status;
    this.retryAfterMs = retryAfterMs && Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS);
  }
}

/**
 * No answer: connection refused or reset, TLS failure, deadline passed; or one that is not the API server's, though it calls itself success.
 * `cause` holds what the network said.
 */
export class TransportError extends Error {
  override readonly name = "TransportError";
  constructor(request: string, cause: unknown) {
    super(`${request}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** A write was stopped inside this process because it may no longer be the leader. Nothing was sent, unless that came while it was on the wire. */
export class FencedError extends Error {
  override readonly name = "FencedError";
}

const isApiError = (error: unknown): error is ApiError => error instanceof ApiError;

export const isNotFound = (error: unknown): error is ApiError => isApiError(error) && error.code === 404;

export const isUnauthorized = (error: unknown): error is ApiError => isApiError(error) && error.code === 401;

export const isForbidden = (error: unknown): error is ApiError => isApiError(error) && error.code === 403;

/** A server-side apply names a field that the schema does not have. The server answers 500 without a reason, for all versions. */
const isUnknownField = (error: ApiError): boolean =>
  error.code === 500 && (error.status.message ?? "").startsWith("failed to create typed patch object");

/** An apply named a uid that the stored object does not have; the server calls that an invalid change and not a conflict. */
const isOtherUid = (error: ApiError): boolean =>
  error.code === 422 &&
  (error.status.details?.causes?.some((cause) => cause.field === "metadata.uid") ?? false);

/**
 * The object violates its schema, a CEL rule or a validation of the server, or could not be decoded, or a `test` of a JSON patch did
 * not hold. Sending the same again is useless.
 */
export const isInvalid = (error: unknown): error is ApiError =>
  isApiError(error) &&
  (error.code === 400 || (error.code === 422 && !isOtherUid(error)) || isUnknownField(error));

export const isAlreadyExists = (error: unknown): error is ApiError =>
  isApiError(error) && error.code === 409 && error.reason === "AlreadyExists";

/** A precondition (resourceVersion, uid) did not hold, or another field manager owns a field that was not forced. */
export const isConflict = (error: unknown): error is ApiError =>
  isApiError(error) && ((error.code === 409 && error.reason !== "AlreadyExists") || isOtherUid(error));

/** The conflict is about field ownership and not about a precondition; reading again will not solve it. */
export const isFieldConflict = (error: unknown): error is ApiError =>
  isConflict(error) &&
  (error.status.details?.causes?.some((cause) => cause.reason === "FieldManagerConflict") ?? false);

/** The requested resourceVersion or continue token is older than the server's history. */
export const isGone = (error: unknown): error is ApiError =>
  isApiError(error) && (error.code === 410 || error.reason === "Expired" || error.reason === "Gone");

/** The requested resourceVersion is newer than anything the server knows; seen after etcd was restored from a backup. */
export const isFutureVersion = (error: unknown): error is ApiError =>
  isApiError(error) &&
  (error.status.details?.causes?.some((cause) => cause.reason === "ResourceVersionTooLarge") ?? false);

export const isTooManyRequests = (error: unknown): error is ApiError =>
  isApiError(error) && error.code === 429;

/** The namespace is being deleted, so nothing can be created in it. */
export const isNamespaceTerminating = (error: unknown): error is ApiError =>
  isForbidden(error) &&
  (error.status.details?.causes?.some((cause) => cause.reason === "NamespaceTerminating") ?? false);
