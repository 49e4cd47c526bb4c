# A typed line → aliases and functions named like the foreign programs in it, which start these through the launcher.
# Printed, with its paths filled in, by `nix-foreign hook zsh`; for zsh 5.3 and newer.
#
# When the line editor is done with a line and before zsh reads it, the line is looked at (zle-line-finish). An alias may
# be named `./tool`; a function of the same name serves where aliases do not count: quoted words, parameters, functions.
# History keeps what was typed, and all of it is gone at the next prompt.

typeset -g __nix_foreign_launcher='@launcher@'
typeset -g __nix_foreign_stubs='@stubs@'
typeset -g __nix_foreign_nix_ld='@nix-ld@'
typeset -g __nix_foreign_shims='@shims@'
typeset -g __nix_foreign_directories='@directories@'

[[ -z $__nix_foreign_nix_ld ]] || export "$__nix_foreign_nix_ld=$__nix_foreign_launcher"

# True for an executable whose interpreter is missing or is NixOS' stub.
__nix_foreign_is_foreign() {
  emulate -L zsh -o extendedglob -o nomultibyte
  [[ -f $1 && -x $1 && -r $1 ]] || return 1
  local head interpreter match mbegin mend
  sysread -s 2048 head <"$1" || return 1
  if [[ $head == '#!'* ]]; then
    interpreter=${${=${head%%$'\n'*}#\#\!}[1]}
    [[ $interpreter == /* ]] || return 1
  elif [[ $head == $'\x7fELF'* ]]; then
    # It follows the program headers.
    interpreter=${${(M)${(@ps:\0:)head}:#/*/ld*.so*}[1]}
    [[ -n $interpreter ]] || return 1
  else
    return 1
  fi
  [[ ! -e $interpreter || :$__nix_foreign_stubs: == *:$interpreter:* ]]
}

# The name of a program, and what it is called in the line.
__nix_foreign_define() {
  local name=$1
  if (( ! ${+aliases[$name]} )); then
    aliases[$name]="${(q)__nix_foreign_launcher} -- ${(q)name}"
    __nix_foreign_aliases+=("$name")
  fi
  if (( ! ${+functions[$name]} )); then
    functions[$name]="__nix_foreign_run ${(q)name} \"\$@\""
    __nix_foreign_functions+=("$name")
  fi
}

__nix_foreign_run() {
  # After a cd the same name can be another file.
  if [[ $1 == */* ]] && ! __nix_foreign_is_foreign $1; then
    command "$@"
  else
    $__nix_foreign_launcher -- "$@"
  fi
}

# A name in the place of a command that is not known to be native, and how deep it is.
__nix_foreign_look_at_name() {
  if (( ${+aliases[$1]} )); then
    __nix_foreign_scan "$aliases[$1]" $(($2 + 1))
  elif (( ${+functions[$1]} )); then
    (( ${#functions[$1]} > 20000 )) || __nix_foreign_scan "$functions[$1]" $(($2 + 1))
  elif (( ${+builtins[$1]} )); then
    # What was learned of names can be wrong after these, so they are looked at each time.
    [[ $1 == (hash|rehash|unhash|source|.|eval|alias|unalias|unset|unfunction|enable|disable|autoload) ]] ||
      __nix_foreign_known[$1]=native
  elif [[ -n ${commands[$1]-} ]]; then
    if __nix_foreign_is_foreign $commands[$1]; then __nix_foreign_define $1; else __nix_foreign_known[$1]=native; fi
  fi
}

# Text of commands, how deep in aliases and functions. What is no command does no harm: it is only looked at.
__nix_foreign_scan() {
  local text=$1 word base at=start
  local -a words bases=('')
  (( $2 < 4 )) || return 0
  text=${text//[;&|(\`$'\n']/ ; }
  words=(${=text//[\"\')<>]/ })
  for word in $words; do
    if [[ $at == argument && $word != */* ]]; then
      [[ $word != ';' ]] || at=start
      continue
    fi
    case $word in
      (';') at=start; continue ;;
      ('{'|'!'|then|do|else|elif|if|while|until|time|-p|nocorrect|noglob|command|exec|[0-9-]) continue ;;
      ([A-Za-z_]*=*/*) word=${word#*=} at=value ;;
      ([A-Za-z_]*=*) continue ;;
      ('$'*)
        [[ $word == (#b)\$(\{|)([A-Za-z_][A-Za-z_0-9]#)(\}|)(*) ]] || continue
        word=${(P)match[2]-}$match[4]
        word=${word%% *}
        [[ -n $word ]] || continue
        ;;
      ('~/'*) word=$HOME/${word#??} ;;
    esac
    case $at in
      (start)
        at=argument
        case $word in
          (cd|pushd) at=directory ;;
          (type|which|whence|export|typeset|declare|functions) (( $2 )) || return 0 ;;
          (hash|rehash|unhash|source|.|eval|alias|unalias|unset|unfunction|function|enable|disable|autoload)
            __nix_foreign_stale=1 ;;
        esac
        if [[ $word != */* ]]; then
          [[ -n ${__nix_foreign_known[$word]-} ]] || __nix_foreign_look_at_name $word $2
          continue
        fi
        ;;
      (value) at=start ;; # FOO=./tool; $FOO
      (directory)
        at=argument
        [[ ! -d $word ]] || bases+=("$word/")
        ;;
    esac
    [[ $word == */* ]] || continue
    for base in "$bases[@]"; do
      [[ $word != /* || -z $base ]] || continue
      ! __nix_foreign_is_foreign $base$word || __nix_foreign_define $word
    done
  done
}

# The line editor is done with a line.
__nix_foreign_finish() {
  __nix_foreign_look
  [[ -z $__nix_foreign_has_earlier ]] || zle __nix_foreign_earlier_finish -N -- "$@"
}

__nix_foreign_look() {
  # One command that is known to be native, and nothing that could hide another.
  [[ $BUFFER == [[:alnum:]]* && $BUFFER != *[^][:alnum:][:blank:]_.,:@%+*?-]* &&
    ${__nix_foreign_known[${BUFFER%%[[:blank:]]*}]-} == native && $PATH == $__nix_foreign_path ]] && return
  emulate -L zsh -o extendedglob
  [[ -n $BUFFER ]] || return 0
  local line=$BUFFER
  # An expansion of history is looked up; zle has no way to ask for it.
  [[ $line != *'!'[^\ =\(]* ]] || line+=" ; ${(j. ; .)${(@v)history[(R)*]}[1,20]}"
  if [[ $PATH != $__nix_foreign_path || $line == *'()'* ]]; then
    __nix_foreign_known=()
    __nix_foreign_path=$PATH
  fi
  __nix_foreign_scan $line 0
}

__nix_foreign_precmd() {
  local code=$? name
  # A program that was native can be another one by now.
  if [[ -n $__nix_foreign_stale || $code -eq 127 || $code -eq 126 ]]; then
    __nix_foreign_known=() __nix_foreign_stale=
  fi
  if (( $#__nix_foreign_aliases + $#__nix_foreign_functions )); then
    for name in $__nix_foreign_aliases; do unalias -- $name; done
    for name in $__nix_foreign_functions; do unfunction -- $name; done
    __nix_foreign_aliases=() __nix_foreign_functions=()
  fi
  return $code
}

# A name that is nowhere on PATH, and its arguments. Runs in a process of its own (zshmisc(1), COMMAND EXECUTION).
__nix_foreign_not_found() {
  local directory
  [[ $1 == */* || ! -x $__nix_foreign_shims/$1 ]] || exec $__nix_foreign_shims/$1 "${@:2}"
  if [[ $1 != */* && -r $__nix_foreign_directories ]]; then
    while IFS= read -r directory; do
      [[ ! -f $directory/$1 || ! -x $directory/$1 ]] || exec $__nix_foreign_launcher -- $directory/$1 "${@:2}"
    done <$__nix_foreign_directories
  fi
  if (( ${+functions[__nix_foreign_earlier_handler]} )); then
    __nix_foreign_earlier_handler "$@"
  else
    print -ru2 -- "zsh: command not found: $1"
    return 127
  fi
}

__nix_foreign_install() {
  emulate -L zsh
  zmodload zsh/system zsh/parameter zsh/zleparameter 2>/dev/null || return 0
  autoload -Uz add-zsh-hook
  typeset -gA __nix_foreign_known=()
  typeset -ga __nix_foreign_aliases=() __nix_foreign_functions=()
  typeset -g __nix_foreign_path=$PATH __nix_foreign_stale=
  if [[ ${functions[command_not_found_handler]-} != *__nix_foreign_not_found* ]]; then
    (( ! ${+functions[command_not_found_handler]} )) ||
      functions[__nix_foreign_earlier_handler]=$functions[command_not_found_handler]
    command_not_found_handler() { __nix_foreign_not_found "$@"; }
  fi
  add-zsh-hook precmd __nix_foreign_precmd
  (( ! ${+widgets[__nix_foreign_finish]} )) || return 0
  typeset -g __nix_foreign_has_earlier=${widgets[zle-line-finish]-}
  [[ -z $__nix_foreign_has_earlier ]] || zle -A zle-line-finish __nix_foreign_earlier_finish
  zle -N __nix_foreign_finish
  zle -A __nix_foreign_finish zle-line-finish
}

if [[ -o interactive ]]; then
  __nix_foreign_install
  export NIX_RUN_FOREIGN_HOOK='@mark@'
fi
