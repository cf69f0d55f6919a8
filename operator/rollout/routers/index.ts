import type { Rollout } from "../../api/v1alpha1/rollout.ts";
import type { Router } from "../context.ts";
import { gateway } from "./gateway.ts";
import { replicas } from "./replicas.ts";

/** Every router by its name in `spec.rollout.traffic.router`. */
export const ROUTERS: Readonly<Record<Rollout["traffic"]["router"], Router>> = {
  Replicas: replicas,
  Gateway: gateway,
};
