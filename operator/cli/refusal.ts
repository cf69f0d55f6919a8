import { isForbidden, isUnauthorized } from "../kube/errors.ts";

/** Whether the API server answered that it does not know the person, or does not let the person do this. */
export const isRefusal = (error: unknown): boolean => isForbidden(error) || isUnauthorized(error);
