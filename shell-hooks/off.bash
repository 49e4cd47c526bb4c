# shellcheck shell=bash
# A bash with the hook → the bash as it was. Printed by `nix-foreign hook bash --off`.
__nix_foreign_remove() {
  local - && set +eu
  local keymap name key IFS=$' \t\n'
  # shellcheck disable=SC2154
  if [[ -n ${__nix_foreign_earlier_nix_ld-} ]]; then
    export "$__nix_foreign_nix_ld$__nix_foreign_earlier_nix_ld"
  elif [[ -n ${__nix_foreign_nix_ld-} ]]; then
    unset "$__nix_foreign_nix_ld"
  fi
  unset NIX_RUN_FOREIGN_HOOK
  if [[ $(declare -f command_not_found_handle) == *__nix_foreign_not_found* ]]; then
    unset -f command_not_found_handle
    name=$(declare -f __nix_foreign_earlier_handler) &&
      eval "command_not_found_handle${name#__nix_foreign_earlier_handler}"
  fi
  if [[ -o emacs || -o vi ]]; then
    for keymap in emacs-standard vi-insert vi-command; do
      [[ $(bind -m $keymap -s 2>/dev/null) == *'8463~'* ]] || continue
      for key in '"\C-m"' '"\C-j"'; do
        [[ $(bind -m $keymap -s 2>/dev/null) != *"$key: \"\\e[8463~"* ]] || bind -m $keymap "$key: accept-line" 2>/dev/null
      done
      bind -m $keymap -r '\e[8463~' 2>/dev/null
      bind -m $keymap -r '\e[8464~' 2>/dev/null
    done
  fi
  # shellcheck disable=SC2154
  for name in "${__nix_foreign_defined[@]}" $(compgen -A function __nix_foreign_); do unset -f -- "$name"; done
  for name in $(compgen -v __nix_foreign_); do unset "$name"; done
}
__nix_foreign_remove 2>/dev/null || :
