export const USAGE = `Watch and steer LLM bridges.

Usage:
  kubectl llmbridge get [NAME] [-w] [-o json|yaml]   one line for each bridge; -w follows changes
  kubectl llmbridge status NAME [-w]                 versions, evidence, steps and budgets of one bridge
  kubectl llmbridge explain NAME                     why the operator did what it did, and what it waits for
  kubectl llmbridge promote NAME [--full]            leave the present step now; --full: all traffic to the canary
  kubectl llmbridge abort NAME                       take the canary away and keep the stable version
  kubectl llmbridge pause NAME                       hold the rollout where it is
  kubectl llmbridge resume NAME                      let it go on
  kubectl llmbridge retry NAME                       try a version again that was rolled back
  kubectl llmbridge lint -f FILE                     what the API server would say of a manifest; - reads stdin

Options:
  -n, --namespace NAME     default: the namespace of the kubeconfig's context
  -A, --all-namespaces     with get
      --context NAME       context of the kubeconfig
      --kubeconfig FILE    default: KUBECONFIG, then ~/.kube/config
  -o, --output FORMAT      with get: json or yaml
  -w, --watch              with get and status: follow changes until interrupted
      --timeout SECONDS    with promote, abort and retry: how long to wait for the operator (default 30)
  -f, --filename FILE      with lint; may be given more than once
  -h, --help

Exit codes:
  0 done    1 refused or failed, or lint found something    2 wrong use    3 the operator did not answer in time
`;
