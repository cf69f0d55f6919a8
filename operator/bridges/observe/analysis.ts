import { type Analysis, analysisValues, BUILT_IN_ANALYSIS, saysNothing } from "../../api/v1alpha1/rollout.ts";
import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { NamedAnalysis } from "../../settings/analyses.ts";

/** What the administrator's settings say of analyses. */
export interface AnalysisSettings {
  readonly analyses: readonly NamedAnalysis[];
  readonly defaultAnalysis?: string | undefined;
}

/** The analysis in force for a bridge: its own, or one of the administrator's, with `from` saying which. */
export type AnalysisInForce =
  | { readonly ok: true; readonly value: Analysis }
  | { readonly ok: false; readonly message: string };

const BUILT_IN: Analysis = { ...analysisValues.parse({}), from: BUILT_IN_ANALYSIS };

export function analysisInForce(own: Analysis, settings: AnalysisSettings): AnalysisInForce {
  const from = own.from ?? (saysNothing(own) ? settings.defaultAnalysis : undefined);
  if (from === undefined) return { ok: true, value: own };
  if (from === BUILT_IN_ANALYSIS) return { ok: true, value: BUILT_IN };
  const named = settings.analyses.find(({ name }) => name === from);
  if (named === undefined) {
    const known = [BUILT_IN_ANALYSIS, ...settings.analyses.map(({ name }) => name)].join(", ");
    return {
      ok: false,
      message: `spec.rollout.analysis.from: there is no analysis named "${from}" in the operator's settings, but ${known}; take one of these, or ask the administrator for it.`,
    };
  }
  const { name, ...values } = named;
  return { ok: true, value: { ...values, from: name } };
}

/** The spec as it is acted on. Where its analysis is not known it keeps its own, and is not accepted. */
export function withAnalysis(spec: LLMBridgeSpec, analysis: AnalysisInForce): LLMBridgeSpec {
  if (!analysis.ok || analysis.value === spec.rollout.analysis) return spec;
  return { ...spec, rollout: { ...spec.rollout, analysis: analysis.value } };
}
