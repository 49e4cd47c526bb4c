# shellcheck shell=bash
# shellcheck disable=SC2154 # hook.bash sets what is used here
# Text of commands → functions named like the foreign programs in it.
# Printed before hook.bash by `nix-foreign hook bash`; for bash 4.4 and newer.
#
# A function that answers with a text leaves it in REPLY, one that answers with words in the array `reply`; the caller
# has declared these local. What lasts from line to line, and the paths, are declared in hook.bash.

# There is no `[[ =~ ]]` here: it sets BASH_REMATCH, which is the user's, and which `local` does not keep.

# A file → REPLY, its interpreter; else false. bash complains of a locale that is not installed; callers discard that.
__nix_foreign_read_interpreter() {
  local LC_ALL=C head word
  IFS= read -r -N 4 head <"$1"
  if [[ $head == '#!'* ]]; then
    IFS=$' \t' read -r -n 256 head <"$1"
    head=${head#'#!'}
    head=${head#"${head%%[! ]*}"}
    REPLY=${head%%[ $'\t']*}
    [[ $REPLY == /* ]]
  elif [[ $head == $'\x7fELF' ]]; then
    # It follows the program headers; bash drops the NULs between them.
    IFS= read -r -N 700 head <"$1"
    # The first word from a slash on that is a loader's path; a byte in front of it can be a slash too.
    until
      word=${head%%/*/ld*.so*} head=${head:${#word}}
      word=${head%%[!]A-Za-z0-9_./+@%~-]*}
      [[ $word == /*/ld*.so* ]]
    do
      [[ -n $head ]] || return 1
      head=${head:1}
    done
    head=${word##*.so}
    REPLY=${word%.so*}.so${head%%[!.0-9]*}
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
  local directory IFS=:
  for directory in $PATH; do
    REPLY=${directory:-.}/$1
    [[ -f $REPLY && -x $REPLY ]] && return 0
  done
  return 1
}

# Text of commands → reply, its words that matter: `;` and the word at the place of each command, words with a slash,
# and where `cd` goes. Quotes are dropped and not understood: a word too many does no harm, for it is only looked at.
__nix_foreign_words() {
  local text=$1 word at=start
  local -a words
  reply=()
  ((${#text} <= 20000)) || return 0
  text=${text//[;&|()\`$'\n']/ ; }
  text=${text//[<>]/ > }
  text=${text//[\"\']/}
  # shellcheck disable=SC2206
  words=($text)
  for word in "${words[@]}"; do
    word=${word#\\}
    case $at:$word in
      argument:*/*) reply+=("${word#[A-Za-z_]*=}") ;;
      *:';') at=start ;;
      argument:*) ;;
      directory:-*) ;;
      directory:*) reply+=("$word") at=argument ;;
      *:'>') at=target ;; # of a redirection in front of the command
      target:*) at=start ;;
      start:[A-Za-z_]*=*) [[ $word != */* ]] || reply+=("${word#*=}") ;;
      start:cd | start:pushd) reply+=(';' cd) at=directory ;;
      start:eval) reply+=(';' eval) ;; # a command follows
      *)
        # Behind one of these comes a command.
        [[ ' { ! if then elif else while until do time -p coproc 0 1 2 3 - ' != *" $word "* ]] || continue
        [[ ${__nix_foreign_known[$word]-} == native ]] || reply+=(';' "$word")
        at=argument
        ;;
    esac
  done
}

# A word → REPLY, what bash makes of `$name` and `~/` at its start.
__nix_foreign_expand() {
  REPLY=$1
  if [[ $1 == \~/* ]]; then
    REPLY=$HOME/${1:2}
  elif [[ $1 == \$[A-Za-z_]* || $1 == \$\{[A-Za-z_]* ]]; then
    local name=${1#\$} rest
    name=${name#\{}
    rest=${name#"${name%%[!A-Za-z_0-9]*}"}
    name=${name%"$rest"}
    REPLY=${!name-}${rest#\}}
    REPLY=${REPLY%% *}
  fi
}

# How deep in aliases and functions, the one whose text it is or '', then words as of __nix_foreign_words → functions.
__nix_foreign_look() {
  local depth=$1 within=$2 at=argument word directory REPLY
  local -a directories=('')
  shift 2
  ((depth < 4)) || return 0
  for word; do
    [[ $word != [\$\~]* ]] || { __nix_foreign_expand "$word" && word=$REPLY; }
    case $at:$word in
      *: | *:';') at=start && continue ;;
      start:cd) at=directory && continue ;;
      directory:*)
        [[ ! -d $word ]] || directories+=("$word/")
        at=argument && continue
        ;;
      start:*/*)
        at=argument
        # An earlier command of the line can make it.
        [[ $depth -ne 0 || $__nix_foreign_line != several || (-f $word && -x $word) ]] || __nix_foreign_define "$word"
        ;;
      start:*)
        __nix_foreign_look_at_name "$word" "$depth" "$within"
        at=argument && continue
        ;;
    esac
    for directory in "${directories[@]}"; do
      ! __nix_foreign_is_foreign "$directory$word" || __nix_foreign_define "$word"
    done
  done
}

# A command's name without a slash, then as __nix_foreign_look.
__nix_foreign_look_at_name() {
  local REPLY
  local -a reply
  [[ ${__nix_foreign_known[$1]-} != native ]] || return 0
  if [[ -n ${BASH_ALIASES[$1]-} && $1 != "$3" ]]; then
    [[ ${BASH_ALIASES[$1]} != *[\;\(\{\&\|]* ]] || __nix_foreign_line=several
    __nix_foreign_words "${BASH_ALIASES[$1]}"
    __nix_foreign_look $(($2 + 1)) "$1" "${reply[@]}"
  elif declare -F -- "$1" >/dev/null; then
    [[ $1 != "$3" ]] || return 0
    # A process, once for each function. Names that turned out to be native are left out of it the next time.
    __nix_foreign_words "${__nix_foreign_bodies[$1]-$(declare -f -- "$1")}"
    __nix_foreign_bodies[$1]=${reply[*]}
    __nix_foreign_look $(($2 + 1)) "$1" "${reply[@]}"
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
