# shellcheck shell=bash
# shellcheck disable=SC2154 # hook.bash sets what is used here
# Text of commands → functions named like the foreign programs in it.
# Printed before hook.bash by `nix-foreign hook bash`; for bash 4.4 and newer.
#
# A function that answers with a text leaves it in REPLY, one that answers with words in the array `__reply`; the caller
# has declared these local. What lasts from line to line, and the paths, are declared in hook.bash.

# What is local begins with two underscores: a variable of the user's is not hidden when it is looked up, and may be
# read-only.

# There is no `[[ =~ ]]` here: it sets BASH_REMATCH, which is the user's, and which `local` does not keep.

# A file → REPLY, its interpreter; else false. bash complains of a locale that is not installed; callers discard that.
__nix_foreign_read_interpreter() {
  local LC_ALL=C IFS=$'\n' __head __word
  local -a __pieces
  IFS= read -r -N 4 __head <"$1"
  if [[ $__head == '#!'* ]]; then
    IFS=$' \t' read -r -n 256 __head <"$1"
    __head=${__head#'#!'}
    __head=${__head#"${__head%%[! $'\t']*}"}
    REPLY=${__head%%[ $'\t']*}
    [[ $REPLY == /* ]]
  elif [[ $__head == $'\x7fELF' ]]; then
    # It follows the program headers; Go puts it at the end of the first page. bash drops the NULs between them.
    IFS= read -r -N 1500 __head <"$1"
    # The first word from a slash on that is a loader's path; a byte in front of it can be a slash too.
    until
      __word=${__head%%/*/ld*.so*} __head=${__head:${#__word}}
      __word=${__head%%[!]A-Za-z0-9_./+@%~-]*}
      [[ $__word == /*/ld*.so* ]]
    do
      [[ -n $__head ]] || return 1
      __head=${__head:1}
    done
    __head=${__word##*.so}
    REPLY=${__word%.so*}.so${__head%%[!.0-9]*}
    [[ $REPLY == /*/*/* && ! -e $REPLY ]] || return 0
    # What was in front of a NUL can be part of it: the build id of Go, which has slashes.
    mapfile -d '' -n 4096 -t __pieces <"$1"
    __head=$'\n'${__pieces[*]}
    while __word=${__head%%$'\n'/*} && ((${#__word} < ${#__head})); do
      __head=${__head:${#__word}+1}
      __word=${__head%%$'\n'*}
      [[ $__word != /*/ld*.so* ]] || { REPLY=$__word && return 0; }
    done
  else
    return 1
  fi
}

# True for an executable whose interpreter is missing or is NixOS' stub.
__nix_foreign_is_foreign() {
  [[ -f $1 && -x $1 && -r $1 ]] || return 1
  local REPLY
  __nix_foreign_read_interpreter "$1" 2>/dev/null || return 1
  [[ ! -e $REPLY || :$__nix_foreign_stubs: == *":$REPLY:"* ]]
}

# A command's name → REPLY, its file on PATH; else false.
__nix_foreign_on_path() {
  local __directory IFS=:
  for __directory in $PATH; do
    REPLY=${__directory:-.}/$1
    [[ -f $REPLY && -x $REPLY ]] && return 0
  done
  return 1
}

# Text of commands → __reply, its words that matter: `;` and the word at the place of each command, words with a
# slash, and where `cd` goes. Quotes are dropped and not understood: a word too many does no harm, it is only looked at.
__nix_foreign_words() {
  local __text=$1 __word __at=start
  local -a __words
  __reply=()
  ((${#__text} <= 20000)) || return 0
  __text=${__text//[;&|()\`$'\n']/ ; }
  __text=${__text//[<>]/ > }
  __text=${__text//[\"\'\\]/}
  # shellcheck disable=SC2206
  __words=($__text)
  for __word in "${__words[@]}"; do
    case $__at:$__word in
      argument:*/*) __reply+=("${__word#[A-Za-z_]*=}") ;;
      *:';') __at=start ;;
      argument:*) ;;
      directory:-*) ;;
      directory:*) __reply+=("$__word") __at=argument ;;
      *:'>') __at=target ;; # of a redirection in front of the command
      target:*) __at=start ;;
      start:[A-Za-z_]*=*)
        if [[ ${__word%%=*} == */* && ${__word%%=*} != *\[* ]]; then # the name of a program
          __reply+=(';' "$__word") __at=argument
        elif [[ $__word == */* ]]; then
          __reply+=("${__word#*=}")
        fi
        ;;
      start:cd | start:pushd) __reply+=(';' cd) __at=directory ;;
      start:eval) __reply+=(';' eval) ;; # a command follows
      *)
        # Behind one of these comes a command.
        [[ ' { ! if then elif else while until do time -p coproc 0 1 2 3 - ' != *" $__word "* ]] || continue
        [[ ${__nix_foreign_known[$__word]-} == native ]] || __reply+=(';' "$__word")
        __at=argument
        ;;
    esac
  done
}

# A word → REPLY, what bash makes of `$name`, `${name[key]:-other}` or `~/` at its start.
__nix_foreign_expand() {
  REPLY=$1
  if [[ $1 == \~/* ]]; then
    REPLY=$HOME/${1:2}
  elif [[ $1 == \$[A-Za-z_]* || $1 == \$\{[A-Za-z_]* ]]; then
    local __name=${1#\$} __rest __other
    __name=${__name#\{}
    __rest=${__name#"${__name%%[!A-Za-z_0-9]*}"}
    __name=${__name%"$__rest"}
    if [[ $1 == \$\{* ]]; then
      __nix_foreign_add_key
      __other=${__rest#:}
      [[ $__other != -* ]] || __rest=${__rest#*\}}
    fi
    REPLY=${!__name-}
    if [[ -z $REPLY && ${__other-} == -* ]]; then
      __other=${__other#-}
      REPLY=${__other%%\}*}
    fi
    REPLY+=${__rest#\}}
    REPLY=${REPLY%% *}
  fi
}

# `[key]` at the start of what follows a name → behind the name. A key that is no number is for bash an expression where
# the array has no names for keys: it is not evaluated here.
__nix_foreign_add_key() {
  local __key
  [[ $__rest == \[*\]* ]] || return 0
  __key=${__rest#\[}
  __key=${__key%%\]*}
  case $__key in
    0 | [@*]) ;; # the first element, as without a key
    0* | *[!A-Za-z0-9_]*) return 0 ;;
    *)
      if [[ $(declare -p -- "$__name" 2>/dev/null) == 'declare -'*([a-z])A* ]]; then
        __name+=[$__key]
      elif [[ $__key != *[!0-9]* ]]; then
        ((${#__key} < 19)) || return 0 # bash counts to 2^63
        __name+=[$__key]
      fi
      ;;
  esac
  __rest=${__rest#*\]}
}

# How deep in aliases and functions, the one whose text it is or '', then words as of __nix_foreign_words → functions.
__nix_foreign_look() {
  local __depth=$1 __within=$2 __at=argument __word __directory REPLY
  local -a __directories=('')
  shift 2
  ((__depth < 4)) || return 0
  for __word; do
    [[ $__word != [\$\~]* ]] || { __nix_foreign_expand "$__word" && __word=$REPLY; }
    case $__at:$__word in
      *: | *:';') __at=start && continue ;;
      start:cd) __at=directory && continue ;;
      directory:*)
        [[ ! -d $__word ]] || __directories+=("$__word/")
        __at=argument && continue
        ;;
      start:*/*)
        __at=argument
        # An earlier command of the line can make it.
        [[ $__depth -ne 0 || $__nix_foreign_line != several || (-f $__word && -x $__word) ]] ||
          __nix_foreign_define "$__word"
        ;;
      start:*)
        __nix_foreign_look_at_name "$__word" "$__depth" "$__within"
        __at=argument && continue
        ;;
    esac
    for __directory in "${__directories[@]}"; do
      ! __nix_foreign_is_foreign "$__directory$__word" || __nix_foreign_define "$__word"
    done
  done
}

# A command's name without a slash, then as __nix_foreign_look.
__nix_foreign_look_at_name() {
  local REPLY
  local -a __reply
  [[ ${__nix_foreign_known[$1]-} != native ]] || return 0
  if [[ -n ${BASH_ALIASES[$1]-} && $1 != "$3" ]]; then
    [[ ${BASH_ALIASES[$1]} != *[\;\(\{\&\|]* ]] || __nix_foreign_line=several
    __nix_foreign_note_shared "${BASH_ALIASES[$1]}"
    __nix_foreign_words "${BASH_ALIASES[$1]}"
    __nix_foreign_look $(($2 + 1)) "$1" "${__reply[@]}"
  elif declare -F -- "$1" &>/dev/null; then
    [[ $1 != "$3" ]] || return 0
    # A process, once for each function. Names that turned out to be native are left out of it the next time.
    __nix_foreign_words "${__nix_foreign_bodies[$1]-$(declare -f -- "$1")}"
    __nix_foreign_bodies[$1]=${__reply[*]}
    __nix_foreign_look $(($2 + 1)) "$1" "${__reply[@]}"
  elif [[ $1 == @(hash|source|.|eval|alias|unalias|unset|enable|function|trap) ]]; then
    __nix_foreign_stale=1 # what is known of names can be wrong after these
  elif [[ $__nix_foreign_builtins == *$'\n'"$1"$'\n'* ]]; then
    __nix_foreign_known[$1]=native
  elif __nix_foreign_on_path "$1"; then
    if [[ $__nix_foreign_wrapped == *" $1 "* ]] || __nix_foreign_is_foreign "$REPLY"; then
      __nix_foreign_define "$1"
    elif [[ -z ${BASH_ALIASES[$1]-} ]]; then
      __nix_foreign_known[$1]=native
    fi
  fi
}
