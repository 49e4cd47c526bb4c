#compdef nix-foreign nix-run-foreign
# Words typed so far → what can follow them, for nix-foreign and nix-run-foreign.
# Printed, with its tables filled in, by `nix-foreign completions zsh`: to be evaluated after compinit, or to lie as a
# file named _nix-foreign in a directory of fpath. No name begins like those of the hook, which `hook --off` removes.

_nix_foreign_data() {
  REPLY=${XDG_DATA_HOME:-}
  [[ $REPLY == /* ]] || REPLY=$HOME/.local/share
  REPLY+=/nix-run-foreign
}

_nix_foreign_shims() {
  local REPLY
  _nix_foreign_data
  local -a found=("$REPLY"/shims/*(N.:t))
  _describe -t shims shim found
}

_nix_foreign_registered() {
  local REPLY
  _nix_foreign_data
  local -a found=()
  [[ ! -r $REPLY/directories ]] || found=("${(@f)$(<"$REPLY/directories")}")
  compadd -a found
}

_nix_foreign_commands() {
  local -a commands=(
# @commands@
  )
  _describe -t commands command commands
}

# The words of a group's commands, or on to the one that is named: `typed` is its name so far.
_nix_foreign_complete() {
  local -a commands
  case $1 in
# @cases@
  esac
}

_nix_foreign_group() {
  local typed=$1
  if ((CURRENT == 2)); then
    if [[ $PREFIX == -* ]]; then _arguments "${@:2}"; else _describe -t commands command commands; fi
  else
    local next=$words[2]
    shift words
    ((CURRENT--))
    _nix_foreign_complete "${typed:+$typed }$next"
  fi
}

_nix-foreign() {
  local curcontext=$curcontext state state_descr line
  typeset -A opt_args
  if [[ $service == nix-run-foreign ]]; then
    _arguments -S : \
# @launcher@
      '(-):program:_command_names -e' '*::arguments:_normal'
  else
    _nix_foreign_complete ''
  fi
}

if [[ $funcstack[1] == _nix-foreign ]]; then
  _nix-foreign "$@"
elif (($+functions[compdef])); then
  compdef _nix-foreign nix-foreign nix-run-foreign
else
  print -ru2 'nix-foreign: completions need what comes before them: autoload -Uz compinit && compinit'
fi
