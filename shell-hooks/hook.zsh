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
  local -a words
  sysread -s 2048 head <"$1" || return 1
  if [[ $head == '#!'* ]]; then
    words=(${=${head%%$'\n'*}#\#\!})
    interpreter=${words[1]-}
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

# The name of a program as it is in the line. Where it has to be quoted it can be no alias.
__nix_foreign_define() {
  local name=$1
  if (( ! ${+aliases[$name]} )) && [[ $name == ${(q)name} ]]; then
    aliases[$name]="${(q)__nix_foreign_launcher} -- ${(q)name}"
    __nix_foreign_aliases+=("$name")
  fi
  __nix_foreign_define_later $name
}

# The name of a file that the line itself may make a program; what it is is seen when it is started.
__nix_foreign_define_later() {
  if (( ! ${+functions[$1]} )); then
    functions[$1]="__nix_foreign_run ${(q)1} \"\$@\""
    __nix_foreign_functions+=("$1")
  fi
}

__nix_foreign_run() {
  # After a cd the same name can be another file.
  if [[ $1 != */* ]] || __nix_foreign_is_foreign $1; then
    $__nix_foreign_launcher -- "$@"
  elif [[ ! -e $1 ]]; then
    # As zsh says it where there is no function.
    print -ru2 -- "zsh: no such file or directory: $1"
    return 127
  elif [[ -d $1 && -o autocd && $# -eq 1 ]]; then
    cd -- $1
  elif [[ -d $1 || ! -x $1 ]]; then
    print -ru2 -- "zsh: permission denied: $1"
    return 126
  else
    command "$@"
  fi
}

# A name → REPLY, the file of PATH that it is. What is in $commands can be older than the files.
__nix_foreign_find() {
  local directory
  REPLY=${commands[$1]-}
  [[ -f $REPLY && -x $REPLY ]] && return
  for directory in "${path[@]}"; do
    REPLY=${directory:-.}/$1
    [[ -f $REPLY && -x $REPLY ]] && return
  done
  REPLY=
  return 1
}

# A name in the place of a command that is not known to be native, how deep it is, and the alias that it is in.
__nix_foreign_look_at_name() {
  # In its own text an alias is none.
  local key=${${(M)3:#$1}:+\\}$1 REPLY
  if (( ${+aliases[$1]} )) && [[ $1 != $3 ]]; then
    __nix_foreign_scan "$aliases[$1]" $(($2 + 1)) $1
  elif [[ -n ${__nix_foreign_known[$key]-} ]]; then
    return 0
  elif (( ${+functions[$1]} )); then
    (( ${#functions[$1]} > 20000 )) || __nix_foreign_scan "$functions[$1]" $(($2 + 1))
  elif (( ${+builtins[$1]} )); then
    # What was learned of names can be wrong after these, so they are looked at each time.
    [[ $1 == (hash|rehash|unhash|source|.|eval|alias|unalias|unset|unfunction|enable|disable|autoload) ]] ||
      __nix_foreign_known[$key]=native
  elif __nix_foreign_find $1; then
    if __nix_foreign_is_foreign $REPLY; then __nix_foreign_define $1; else __nix_foreign_known[$key]=native; fi
  fi
}

# Text of commands, how deep in it this is: its names with a slash that are quoted.
__nix_foreign_scan_quoted() {
  local word name at=start earlier=${(M)CONTEXT:#cont}
  (( $2 < 4 )) || return 0
  for word in ${(Z:C:)1}; do
    case $word in
      (['(){}!;&|']*|then|do|else|elif|if|while|until|time|command|exec|eval)
        at=start
        continue
        ;;
      ([A-Za-z_]*=*) word=${word#*=} at=value ;;
    esac
    [[ $word != *[\`\(]* ]] || __nix_foreign_scan_quoted "${word#*[\`\(]}" $(($2 + 1))
    if [[ $word == *[\\\'\"]* ]]; then
      name=${(Q)word}
      [[ $name != (#b)\$(\{|)([A-Za-z_][A-Za-z_0-9]#)(\}|)(|/*) ]] || name=${(P)match[2]-}$match[4]
      if [[ $name != */* ]]; then
      elif __nix_foreign_is_foreign $name; then
        __nix_foreign_define $name
      elif [[ $at == start && -n $earlier && $2 -eq 0 && ! -x $name ]]; then
        __nix_foreign_define_later $name
      fi
    fi
    if [[ $at == value ]]; then at=start; else at=argument earlier=1; fi
  done
}

# Text of commands, how deep in aliases and functions, which alias. What is no command does no harm: it is only looked at.
__nix_foreign_scan() {
  local text=$1 word base at=start earlier=${(M)CONTEXT:#cont} REPLY
  local -a words bases=('')
  (( $2 < 4 )) || return 0
  # A long text is a function, and few of these name files of their own.
  [[ $text != *[\\\'\"]* || $#text -gt 4000 ]] || __nix_foreign_scan_quoted $text $2
  text=${text//[;&|()\`$'\n']/ ; }
  words=(${=text//[\"\'<>]/ })
  for word in $words; do
    if [[ $at == skipped || ( $at == argument && $word != */* ) ]]; then
      [[ $word != ';' ]] || at=start
      continue
    fi
    case $word in
      (';') at=start; continue ;;
      ('{'|'!'|then|do|else|elif|if|while|until|time|-p|nocorrect|noglob|command|exec|export|[0-9-]) continue ;;
      (eval)
        __nix_foreign_stale=1
        continue
        ;;
      ([A-Za-z_]*=*/*) word=${word#*=} at=value ;;
      ([A-Za-z_]*=*) continue ;;
      ('$'*)
        [[ $word == (#b)\$(\{|)([A-Za-z_][A-Za-z_0-9]#)(\}|)(*) ]] || continue
        word=${(P)match[2]-}$match[4]
        word=${word%% *}
        [[ -n $word ]] || continue
        ;;
      ('~/'*) word=$HOME/${word#??} ;;
      ('\'[A-Za-z]*) word=${word#?} ;;
      ('='[^=/]*) ! __nix_foreign_find ${word#?} || word=$REPLY ;;
    esac
    case $at in
      (start)
        at=argument
        case $word in
          (cd|pushd) at=directory ;;
          # They would tell of what is made here.
          (type|which|whence|typeset|declare|functions) (( $2 )) || at=skipped ;;
          (hash|rehash|unhash|source|.|alias|unalias|unset|unfunction|function|enable|disable|autoload)
            __nix_foreign_stale=1 ;;
        esac
        if [[ $word != */* ]]; then
          [[ -n ${__nix_foreign_known[$word]-} ]] || __nix_foreign_look_at_name $word $2 "${3-}"
          earlier=1
          continue
        fi
        [[ -z $earlier || $2 -gt 0 || -x $word || $word != [[:alnum:]_./+@%,:-]## ]] ||
          __nix_foreign_define_later $word
        earlier=1
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
  emulate -L zsh
  # A program that was native can be another one by now.
  if [[ -n $__nix_foreign_stale || $code -eq 127 || $code -eq 126 ]]; then
    __nix_foreign_known=() __nix_foreign_stale=
  fi
  if (( $#__nix_foreign_aliases + $#__nix_foreign_functions )); then
    for name in $__nix_foreign_aliases; do unalias -- $name; done
    for name in $__nix_foreign_functions; do unfunction -- $name; done
    __nix_foreign_aliases=() __nix_foreign_functions=()
  fi
  return 0
}

# A name that zsh could not start, and its arguments. Runs in a process of its own (zshmisc(1), COMMAND EXECUTION).
__nix_foreign_not_found() {
  local directory REPLY
  trap - ZERR # it is for the shell itself to call
  if [[ $1 != */* && $1 != (|.|..) ]]; then
    # After `command`, or of a line that the line editor did not see.
    ! __nix_foreign_find $1 || ! __nix_foreign_is_foreign $REPLY || exec $__nix_foreign_launcher -- "$@"
    directory=$__nix_foreign_shims
    [[ ! -f $directory/$1 || ! -x $directory/$1 ]] || exec $directory/$1 "${@:2}"
    if [[ -r $__nix_foreign_directories ]]; then
      while IFS= read -r directory; do
        [[ ! -f $directory/$1 || ! -x $directory/$1 ]] || exec $__nix_foreign_launcher -- $directory/$1 "${@:2}"
      done <$__nix_foreign_directories
    fi
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
