# shellcheck shell=bash
# A bash with the hook → the bash as it was. Printed by `nix-foreign hook bash --off`.
# shellcheck disable=SC2119,SC2120 # its arguments are its own
__nix_foreign_unguard() {
  local text
  text=$(trap -p DEBUG)
  [[ $text == *__nix_foreign_guarded* ]] || return 0
  eval "set -- $text"
  text=${3#*$'\n'}
  # shellcheck disable=SC2064
  trap -- "${text%$'\n'esac}" DEBUG
}
declare -ft __nix_foreign_unguard
# shellcheck disable=SC2119
__nix_foreign_unguard
__nix_foreign_remove() {
  local - && set +eu
  # shellcheck disable=SC2016
  local own='eval "${__nix_foreign_at_prompt:-(exit $?)}" && : __nix_foreign_'
  local keymap i name text IFS=$' \t\n'
  # shellcheck disable=SC2154
  [[ -z ${__nix_foreign_nix_ld-} ]] || unset "$__nix_foreign_nix_ld"
  unset NIX_RUN_FOREIGN_HOOK
  for i in "${!PROMPT_COMMAND[@]}"; do
    for text in "$own; " "$own"; do PROMPT_COMMAND[i]=${PROMPT_COMMAND[i]/"$text"/}; done
    [[ -n ${PROMPT_COMMAND[i]} ]] || unset "PROMPT_COMMAND[i]"
  done
  if [[ $(declare -f command_not_found_handle) == *__nix_foreign_not_found* ]]; then
    unset -f command_not_found_handle
    name=$(declare -f __nix_foreign_earlier_handler) &&
      eval "command_not_found_handle${name#__nix_foreign_earlier_handler}"
  fi
  if [[ -o emacs || -o vi ]]; then
    for keymap in emacs-standard vi-insert vi-command; do
      [[ $(bind -m $keymap -s 2>/dev/null) == *'8463~'* ]] || continue
      bind -m $keymap '"\C-m": accept-line' 2>/dev/null
      bind -m $keymap '"\C-j": accept-line' 2>/dev/null
      bind -m $keymap -r '\e[8463~' 2>/dev/null
      bind -m $keymap -r '\e[8464~' 2>/dev/null
    done
  fi
  # shellcheck disable=SC2154
  for name in "${__nix_foreign_defined[@]}" $(compgen -A function __nix_foreign_); do unset -f -- "$name"; done
  for name in $(compgen -v __nix_foreign_); do unset "$name"; done
}
__nix_foreign_remove 2>/dev/null || :
