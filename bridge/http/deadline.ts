/** What takes too long, and ends itself when it is told. */
interface Expiring {
  expire(): void;
}

/**
 * Begins the time that a request may take, `limits.requestMs`; clear the timer when the request is over. Keeps no process, and makes no closure:
 * there is one for every request.
 * @param ms 0: without a limit, and then there is no timer.
 */
export const startDeadline = (ms: number, request: Expiring): NodeJS.Timeout | undefined =>
  ms > 0 ? setTimeout(expire, ms, request).unref() : undefined;

function expire(request: Expiring): void {
  request.expire();
}
