import { describe } from "vitest";
import { ROUTERS } from "./index.ts";
import { keepsItsPromises } from "./testing/promises.ts";

describe("router Replicas", () => keepsItsPromises("Replicas", ROUTERS.Replicas));
describe("router Gateway", () => keepsItsPromises("Gateway", ROUTERS.Gateway));
