# shellcheck shell=bash
# Words typed so far → what can follow them, for nix-foreign and nix-run-foreign.
# Printed, with its tables filled in, by `nix-foreign completions bash`; for bash 4.4 and newer. bash-completion is
# used where it is there. No name begins like those of the hook, which `hook --off` removes.

# A command's path → its words, its options (`--name` or `--name=kind`) and the kinds of its arguments.
_nix_foreign_table() {
  words='' options='' arguments=''
  case $1 in
# @cases@
    *) return 1 ;;
  esac
}

# A kind → what is offered. Readline itself completes names of files: it knows how they are quoted.
_nix_foreign_offer() {
  local data=${XDG_DATA_HOME:-} file line
  [[ $data == /* ]] || data=$HOME/.local/share
  data+=/nix-run-foreign
  case $1 in
    file) return 0 ;;
    directory)
      compopt +o bashdefault +o default -o dirnames 2>/dev/null
      return 0
      ;;
  esac
  compopt +o bashdefault +o default 2>/dev/null
  case $1 in
    shim)
      for file in "$data"/shims/*; do
        [[ ! -f $file ]] || _nix_foreign_add "${file##*/}" "$2"
      done
      ;;
    registered)
      [[ ! -r $data/directories ]] || while IFS= read -r line; do
        _nix_foreign_add "$line" "$2"
      done <"$data/directories"
      ;;
    words:*) _nix_foreign_among "${1#words:}" "$2" ;;
  esac
}

# A name, and how one begins. Readline inserts what it gets as it is, inside a quote that was opened or outside of one.
_nix_foreign_add() {
  local word=$1 begun=$2
  case $begun in
    [\"\']*) begun=${begun:1} ;;
    *) printf -v word %q "$1" ;;
  esac
  [[ $word != "$begun"* && $1 != "$begun"* ]] || COMPREPLY+=("$word")
}

# Words with commas between them, and how one begins.
_nix_foreign_among() {
  local word IFS=$' \t\n'
  for word in ${1//,/ }; do
    [[ $word != "$2"* ]] || COMPREPLY+=("$word")
  done
}

_nix_foreign_kind_of_option() {
  local option IFS=$' \t\n'
  REPLY=
  for option in $options; do
    [[ ${option%%=*} != "$1" ]] || REPLY=${option#"$1"}
  done
  REPLY=${REPLY#=}
}

_nix_foreign_complete() {
  local words options arguments path='' pending='' last='' position=0 ended='' index word REPLY IFS=$' \t\n'
  local current=${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  _nix_foreign_table ''
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=${COMP_WORDS[index]}
    if [[ $word == '=' ]]; then
      pending=$last # readline takes --option=value apart
    elif [[ -n $pending ]]; then
      pending=
    elif [[ -z $ended && $word == -- ]]; then
      ended=1
    elif [[ -z $ended && $word == -?* ]]; then
      _nix_foreign_kind_of_option "$word"
      pending=$REPLY last=$REPLY
    elif [[ -n $words ]]; then
      path+=${path:+ }$word
      _nix_foreign_table "$path" || return 0
    else
      position=$((position + 1))
    fi
  done
  if [[ $current == '=' && -n $last ]]; then
    pending=$last current=
  fi
  if [[ -n $pending ]]; then
    _nix_foreign_offer "$pending" "$current"
  elif [[ -z $ended && $current == -* ]]; then
    for word in $options; do
      [[ ${word%%=*} != "$current"* ]] || COMPREPLY+=("${word%%=*}")
    done
  elif [[ -n $words ]]; then
    _nix_foreign_offer "words:${words// /,}" "$current"
  else
    local -a kinds
    read -r -a kinds <<<"$arguments"
    ((position < ${#kinds[@]})) || position=$((${#kinds[@]} - 1))
    if ((position < 0)); then word=text; else word=${kinds[position]}; fi
    _nix_foreign_offer "$word" "$current"
  fi
}

# The words from the program on, as if they stood alone: as bash-completion's _command_offset, where that is not there.
_nix_foreign_from() {
  local name=${COMP_WORDS[$1]} rule='' function=''
  local -a rules
  rule=$(complete -p -- "$name" 2>/dev/null || complete -p -- "${name##*/}" 2>/dev/null)
  read -r -a rules <<<"$rule"
  while [[ ${#rules[@]} -gt 1 ]]; do
    [[ ${rules[0]} != -F ]] || function=${rules[1]}
    rules=("${rules[@]:1}")
  done
  [[ -n $function ]] && declare -F -- "$function" >/dev/null || return 0
  local before=${COMP_WORDS[*]:0:$1}
  COMP_LINE=${COMP_LINE:$((${#before} + 1))} COMP_POINT=$((COMP_POINT - ${#before} - 1))
  COMP_WORDS=("${COMP_WORDS[@]:$1}") COMP_CWORD=$((COMP_CWORD - $1))
  "$function" "$name" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
}

_nix_run_foreign_complete() {
  local options='@launcher@' words='' arguments='' pending='' last='' index word REPLY IFS=$' \t\n'
  local current=${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=${COMP_WORDS[index]}
    if [[ -n $pending ]]; then
      pending=
    elif [[ $word == -?* ]]; then
      _nix_foreign_kind_of_option "$word"
      pending=$REPLY
      [[ $word != -- ]] || { index=$((index + 1)) last=ended && break; }
    else
      break
    fi
  done
  if ((index < COMP_CWORD)); then
    if declare -F _comp_command_offset >/dev/null; then
      _comp_command_offset "$index"
    elif declare -F _command_offset >/dev/null; then
      _command_offset "$index"
    else
      _nix_foreign_from "$index"
    fi
  elif [[ -n $pending ]]; then
    _nix_foreign_offer "$pending" "$current"
  elif [[ -z $last && $current == -* ]]; then
    for word in $options; do
      [[ ${word%%=*} != "$current"* ]] || COMPREPLY+=("${word%%=*}")
    done
  elif [[ $current != */* && -n $current ]]; then
    # Programs on PATH; names of files here are of no use to it.
    while IFS= read -r word; do
      [[ $(type -t -- "$word") != file ]] || _nix_foreign_add "$word" "$current"
    done < <(compgen -c -- "$current" | sort -u | head -n 200)
  fi
}

complete -o bashdefault -o default -F _nix_foreign_complete nix-foreign
complete -o bashdefault -o default -F _nix_run_foreign_complete nix-run-foreign
