/**
 * What each shell runs to complete a command line: it asks `runtime complete`,
 * whose first line names what the shell finds by itself (`:file`, `:folder` or
 * `:`), and whose others are words, each with a tab and what it does.
 */
export const SHELLS = {
  // Bash 3.2, that of macOS, has no mapfile, no negative index and no compopt.
  bash: `# bash completion for runtime: eval "$(runtime completion bash)" in ~/.bashrc
_runtime() {
  local words=() word names i last=-1 current
  # Bash parts words at "=": --state=do is three of them.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((last >= 0)) && { [[ $word == "=" ]] || [[ \${words[last]} == --*= ]]; }; then
      words[last]=\${words[last]}$word
    else
      last=$((last + 1))
      words[last]=$word
    fi
  done
  current=\${words[last]#--*=}
  COMPREPLY=()
  {
    IFS= read -r names
    while IFS=$'\\t' read -r word _; do
      [[ $word == --*=* ]] && word=\${word#--*=}
      COMPREPLY[\${#COMPREPLY[@]}]=$word
    done
  } < <("\${COMP_WORDS[0]}" complete -- "\${words[@]}" 2>/dev/null)
  local IFS=$'\\n'
  case $names in
    :file)
      type compopt >/dev/null 2>&1 && compopt -o filenames
      COMPREPLY+=($(compgen -f -- "$current"))
      ;;
    :folder)
      type compopt >/dev/null 2>&1 && compopt -o filenames
      COMPREPLY+=($(compgen -d -- "$current"))
      ;;
  esac
}
complete -F _runtime runtime holdfast
`,
  zsh: `#compdef runtime holdfast
# zsh completion for runtime: source <(runtime completion zsh) in ~/.zshrc, behind compinit
_runtime() {
  local -a lines described
  local line names
  lines=("\${(@f)$("\${words[1]}" complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  names=\${lines[1]}
  for line in "\${(@)lines[2,-1]}"; do
    described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  (( \${#described} )) && _describe -t words 'runtime' described
  case $names in
    :file) compset -P '--*='; _files ;;
    :folder) compset -P '--*='; _files -/ ;;
  esac
}
if [[ \${funcstack[1]} == _runtime ]]; then _runtime "$@"; else compdef _runtime runtime holdfast; fi
`,
  fish: `# fish completion for runtime: runtime completion fish > ~/.config/fish/completions/runtime.fish
function __runtime_complete
    set -l words (commandline -opc) "$(commandline -ct)"
    set -l lines ($words[1] complete -- $words[2..] 2>/dev/null)
    for line in $lines[2..]
        echo $line
    end
    switch "$lines[1]"
        case :file
            __fish_complete_path "$(commandline -ct)"
        case :folder
            __fish_complete_directories "$(commandline -ct)" ''
    end
end
complete -c runtime -f -a '(__runtime_complete)'
complete -c holdfast -f -a '(__runtime_complete)'
`,
} as const;
