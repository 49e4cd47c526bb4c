# A zsh with the hook → the zsh as it was. Printed by `nix-foreign hook zsh --off`.
__nix_foreign_remove() {
  emulate -L zsh -o extendedglob
  autoload -Uz add-zsh-hook add-zle-hook-widget
  local widget=user:__nix_foreign_finish top=${widgets[zle-line-finish]-} count=${__nix_foreign_earlier-0}
  if [[ -n ${__nix_foreign_earlier_nix_ld-} ]]; then
    export "$__nix_foreign_nix_ld$__nix_foreign_earlier_nix_ld"
  elif [[ -n ${__nix_foreign_nix_ld-} ]]; then
    unset $__nix_foreign_nix_ld
  fi
  unset NIX_RUN_FOREIGN_HOOK
  if (( ${+functions[__nix_foreign_precmd]} )); then
    __nix_foreign_prompted=1 # nothing is to be taken any more
    __nix_foreign_precmd
    add-zsh-hook -d precmd __nix_foreign_precmd
    if [[ $top == $widget ]]; then
      zle -A __nix_foreign_earlier_$count zle-line-finish || zle -D zle-line-finish
    fi
    case $count:$top:${widgets[__nix_foreign_earlier_1]-} in
      (0::|[01]:$widget:*|0:user:azhw:*|1:user:azhw:*:user:azhw:*)
        add-zle-hook-widget -d line-finish $widget # who came later put it in a list
        zle -D $widget __nix_foreign_earlier_1
        unfunction __nix_foreign_{finish,finish_earlier,find_earlier}
        unset __nix_foreign_earlier
        ;;
      # Who came later may call ours by its name.
      (*) functions[__nix_foreign_finish]='__nix_foreign_finish_earlier "$@"' ;;
    esac
    zle -D __nix_foreign_finish
  fi
  if [[ ${functions[command_not_found_handler]-} == *__nix_foreign_not_found* ]]; then
    unfunction command_not_found_handler
    (( ! ${+functions[__nix_foreign_earlier_handler]} )) ||
      functions[command_not_found_handler]=$functions[__nix_foreign_earlier_handler]
  fi
  unset -m '__nix_foreign_^earlier'
  unfunction -m '__nix_foreign_^(finish|finish_earlier|find_earlier)'
}
__nix_foreign_remove 2>/dev/null
true
