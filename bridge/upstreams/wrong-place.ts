import type { Failure } from "../http/failure.ts";

/** Where a Location header points to, without credentials, query and fragment, which may be secret. */
function placeOf(location: string | undefined, from: string): string | undefined {
  if (location === undefined || !URL.canParse(location, from)) return undefined;
  const { origin, pathname } = new URL(location, from);
  return origin + pathname;
}

/**
 * An upstream that redirects: its `url` names a place where the API no longer is, such as http where it moved to https. It is not followed:
 * every request would be sent twice, its token perhaps to somebody else.
 * @param url The upstream's `url`, without a slash at its end.
 * @param path Path of the call, that of the url included.
 */
export function redirected(
  upstream: string,
  url: string,
  path: string,
  status: number,
  location: string | undefined,
): Failure {
  const { origin, pathname } = new URL(url);
  const place = placeOf(location, origin + path);
  const operation = path.slice(pathname === "/" ? 0 : pathname.length);
  const moved = place?.replace(/\/+$/, "");
  const remedy =
    moved?.endsWith(operation) === true
      ? `write ${moved.slice(0, -operation.length)} as the upstream's url`
      : "correct the upstream's url";
  return {
    status: 502,
    domain: "bridge",
    code: "upstream_redirect",
    message: `Upstream ${upstream} redirects (${status}) to ${place ?? "nowhere that can be read"}, and the bridge follows no redirects; ${remedy}.`,
  };
}

/**
 * An upstream that answers well, but with a page for people: its `url` names a place beside the API, or something on the way answers in its stead. No
 * client can read that, and a version of the bridge whose `url` leads there has failed.
 * @param url The upstream's `url` as it is called.
 */
export const answeredWithPage = (upstream: string, url: string): Failure => ({
  status: 502,
  domain: "bridge",
  code: "upstream_page",
  message: `Upstream ${upstream} answered with a web page; correct its url (${url}), or look for what answers on the way in its stead.`,
});

/**
 * An upstream without the path of the call: its `url` names a place beside the API, such as /v1 before Ollama's own. The paths below the url
 * are ours, so that no caller can have asked for a wrong one; an API says in JSON what it does not have, such as a model.
 * @param url The upstream's `url` as it is called.
 * @param path Path of the call, that of the url included.
 */
export const withoutPath = (upstream: string, url: string, path: string, status: number): Failure => ({
  status: 502,
  domain: "bridge",
  code: "upstream_page",
  message: `Upstream ${upstream} has no API at ${path} (${status}); correct its url (${url}), or look for what answers on the way in its stead.`,
});
