import type { Colour } from "./colour.ts";

/** How things are shown, whatever they are. */
export interface View {
  readonly nowMs: number;
  readonly colour: Colour;
  /** Width that lines are laid out for; infinite on a pipe. */
  readonly columns: number;
  /** Most pods of one Deployment, where lines are scarce; default: all. */
  readonly mostPods?: number;
}
