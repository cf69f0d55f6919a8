import { namesLoopback, outboundUrl } from "../egress/guard.ts";

/** Names of Services, which only the cluster's own DNS knows. */
const SERVICE = /\.svc(\.cluster\.local)?$/;

/**
 * The URL of a gate's webhook, whose answer moves traffic: what goes over other people's networks is https.
 * @throws RangeError with a sentence for the administrator
 */
export function gateUrl(text: string): URL {
  const url = outboundUrl(text, "a gate's webhook");
  if (url.protocol === "https:" || SERVICE.test(url.hostname) || namesLoopback(url.hostname)) return url;
  throw new RangeError(
    "The URL of a gate's webhook must be https://; http:// is for Services of the cluster, such as http://evals.ml.svc:8080, alone.",
  );
}
