# A zsh with the hook → the zsh as it was. Printed by `nix-foreign hook zsh --off`.
__nix_foreign_remove() {
  emulate -L zsh
  autoload -Uz add-zsh-hook add-zle-hook-widget
  local widget=user:__nix_foreign_finish
  if [[ -n ${__nix_foreign_earlier_nix_ld-} ]]; then
    export "$__nix_foreign_nix_ld$__nix_foreign_earlier_nix_ld"
  elif [[ -n ${__nix_foreign_nix_ld-} ]]; then
    unset $__nix_foreign_nix_ld
  fi
  unset NIX_RUN_FOREIGN_HOOK
  if (( ${+functions[__nix_foreign_precmd]} )); then
    __nix_foreign_precmd
    add-zsh-hook -d precmd __nix_foreign_precmd
    if [[ ${widgets[zle-line-finish]-} != $widget ]]; then
      add-zle-hook-widget -d line-finish $widget # who came later put it in a list
    elif (( ${+widgets[__nix_foreign_earlier_finish]} )); then
      zle -A __nix_foreign_earlier_finish zle-line-finish
    else
      zle -D zle-line-finish
    fi
    zle -D __nix_foreign_finish
    (( ! ${+widgets[__nix_foreign_earlier_finish]} )) || zle -D __nix_foreign_earlier_finish
  fi
  if [[ ${functions[command_not_found_handler]-} == *__nix_foreign_not_found* ]]; then
    unfunction command_not_found_handler
    (( ! ${+functions[__nix_foreign_earlier_handler]} )) ||
      functions[command_not_found_handler]=$functions[__nix_foreign_earlier_handler]
  fi
  unset -m '__nix_foreign_*'
  unfunction -m '__nix_foreign_*'
}
__nix_foreign_remove 2>/dev/null
true
