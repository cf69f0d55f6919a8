/** What a completion script can be had for; `kubectl` is the executable that kubectl's own completion runs. */
export const SHELLS = ["bash", "zsh", "fish", "kubectl"] as const;

/** kubectl runs an executable of this name with the words behind `kubectl llmbridge`, and reads what cobra's `__complete` prints. */
export const KUBECTL_COMPLETION = `#!/usr/bin/env sh
exec kubectl llmbridge __complete "$@"
`;

const TOOL = "kubectl-llmbridge";

const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = {
  kubectl: KUBECTL_COMPLETION,
  bash: `# bash completion of ${TOOL}
_kubectl_llmbridge() {
  local line directive="" word="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :*) directive="$line" ;;
      "$word"*) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <(${TOOL} __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  [ "$directive" = ":0" ] && compopt -o default
}
complete -F _kubectl_llmbridge ${TOOL}
`,
  zsh: `#compdef ${TOOL}
_kubectl_llmbridge() {
  local line word directive=""
  local -a found
  for line in "\${(@f)$(${TOOL} __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case "$line" in
      :*) directive="$line" ;;
      *$'\\t'*) word="\${line%%$'\\t'*}" && found+=("\${word//:/\\\\:}:\${line#*$'\\t'}") ;;
      ?*) found+=("\${line//:/\\\\:}") ;;
    esac
  done
  _describe 'llmbridge' found
  [ "$directive" = ":0" ] && _files
}
if (( \${+compstate} )); then
  # It is loaded from the fpath, by the first Tab: that wants an answer too.
  _kubectl_llmbridge "$@"
else
  compdef _kubectl_llmbridge ${TOOL}
fi
`,
  fish: `# fish completion of ${TOOL}
function __kubectl_llmbridge
  set -l words (commandline -opc) (commandline -ct)
  for line in (${TOOL} __complete $words[2..-1] 2>/dev/null)
    switch $line
      case ':0'
        __fish_complete_path (commandline -ct)
      case ':*'
      case '*'
        echo $line
    end
  end
end
complete -c ${TOOL} -f -a '(__kubectl_llmbridge)'
`,
};

/** @param shell one of SHELLS */
export const completionScript = (shell: string | undefined): string =>
  SCRIPTS[SHELLS.find((one) => one === shell) ?? "bash"];
