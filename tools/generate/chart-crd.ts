/**
 * The chart's copy of the CRD: a template, so that `helm upgrade` brings new fields (files in a chart's crds/ folder are installed once
 * and never again), kept on uninstall unless told otherwise.
 */
export function chartCrd(crdYaml: string): string {
  if (crdYaml.includes("{{")) throw new Error("the CRD contains {{, which Helm would read as a template");
  const marker = "metadata:\n name:";
  if (!crdYaml.includes(marker)) throw new Error("the CRD's metadata does not begin with its name");
  const annotated = crdYaml.replace(
    marker,
    `metadata:\n {{- if .Values.crds.keep }}\n annotations:\n  helm.sh/resource-policy: keep\n {{- end }}\n name:`,
  );
  return `{{- if .Values.crds.install }}\n${annotated}{{- end }}\n`;
}
