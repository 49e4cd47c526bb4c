# shellcheck shell=bash
# A typed line → functions named like the foreign programs in it, which start these through the launcher.
# Printed, with its paths filled in, by `nix-foreign hook bash`; for bash 4.4 and newer.
#
# bash has no hook between reading a line and running it, and its command_not_found_handle does not hear of programs
# that are there and cannot start. So Enter first looks at the line (bind -x), then accepts it as it is: a function may
# be named `./tool`, and pipes, redirections, loops, substitutions and jobs then treat it as any command. The functions
# are gone at the next prompt.

__nix_foreign_launcher='@launcher@'
__nix_foreign_stubs='@stubs@'
__nix_foreign_nix_ld='@nix-ld@'
__nix_foreign_shims='@shims@'
__nix_foreign_directories='@directories@'

[[ -z $__nix_foreign_nix_ld ]] || export "$__nix_foreign_nix_ld=$__nix_foreign_launcher"

# A file → its interpreter in REPLY. A locale that is not installed makes bash complain; callers discard that.
__nix_foreign_read_interpreter() {
  local LC_ALL=C head
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
    [[ $head =~ /[]A-Za-z0-9_./+@%~-]*/ld[-A-Za-z0-9_.]*\.so[.0-9]* ]] && REPLY=${BASH_REMATCH[0]}
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

# What the function named like a program does: the name, then the arguments.
__nix_foreign_run() {
  # After a cd the same name can be another file.
  if [[ $1 == */* ]] && ! __nix_foreign_is_foreign "$1"; then
    local IFS=' '
    eval "command -- ${*@Q}"
  elif [[ $__nix_foreign_lines == flat && $BASHPID != "$$" && ${#FUNCNAME[@]} -eq 2 ]]; then
    exec "$__nix_foreign_launcher" -- "$@" # alone in its process: `$!` is the program
  else
    local IFS=' '
    eval "${__nix_foreign_launcher@Q} -- ${*@Q}" # `jobs` shows the words
  fi
}

__nix_foreign_define() {
  # It becomes code, so only names that need no quotes. bash has no functions of other names.
  [[ $1 =~ ^[[:alnum:]_./+,:@%-]+$ && ! -o posix ]] || return 0
  declare -F -- "$1" >/dev/null && return 0
  eval "function $1 { __nix_foreign_run $1 \"\$@\"; }"
  __nix_foreign_defined+=("$1")
}

# A command's name → its file on PATH in REPLY, else false.
__nix_foreign_on_path() {
  local directory IFS=:
  for directory in $PATH; do
    REPLY=${directory:-.}/$1
    [[ -f $REPLY && -x $REPLY ]] && return 0
  done
  return 1
}

# A name in the place of a command that is no path and not known to be native, and how deep it is.
__nix_foreign_look_at_name() {
  if [[ -n ${BASH_ALIASES[$1]-} && $within != *" $1 "* ]]; then
    local within="$within $1 " # there it is no alias
    [[ ${BASH_ALIASES[$1]} != *[\;\(\{\&\|]* ]] || __nix_foreign_lines=many
    __nix_foreign_scan "${BASH_ALIASES[$1]}" $(($2 + 1))
  elif declare -F -- "$1" >/dev/null; then
    local text kept=
    if [[ -z ${__nix_foreign_texts[$1]+.} ]]; then
      text=$(declare -f -- "$1") # once for each function
      __nix_foreign_texts[$1]=
      ((${#text} > 20000)) || __nix_foreign_scan "$text" $(($2 + 1))
      __nix_foreign_texts[$1]=$kept
    else
      __nix_foreign_scan "${__nix_foreign_texts[$1]}" $(($2 + 1))
    fi
  elif [[ $__nix_foreign_builtins == *$'\n'"$1"$'\n'* ]]; then
    # What was learned of names can be wrong after these, so they are looked at each time.
    [[ $1 == @(hash|source|.|eval|alias|unalias|unset|enable|function|trap) || $within == *" $1 "* ]] || __nix_foreign_known[$1]=native
  elif __nix_foreign_on_path "$1"; then
    if __nix_foreign_is_foreign "$REPLY"; then
      __nix_foreign_define "$1"
    elif [[ $within != *" $1 "* ]]; then
      __nix_foreign_known[$1]=native
    fi
  fi
}

# Text of commands, how deep in aliases and functions → functions. What is no command does no harm: it is only looked at.
__nix_foreign_scan() {
  local text=$1 word base command redirect='' at=start
  local -a words bases=('')
  (($2 < 4)) || return 0
  text=${text//[;&|()\`$'\n']/ ; }
  text=${text//=[\"\']/=$'\1'}
  text=${text//[<>]/ > }
  text=${text//[\"\']/ }
  # shellcheck disable=SC2206
  words=($text)
  for word in "${words[@]}"; do
    if [[ $at == nothing || ($at == argument && $word != */*) ]]; then
      [[ $word != ';' ]] || at=start
      continue
    fi
    if [[ -n $redirect ]]; then
      [[ $word == '>' ]] || redirect=
      [[ $word == ';' ]] || continue
    fi
    word=${word#\\}
    case $word in
      ';') at=start && continue ;;
      '>') redirect=1 && continue ;;
      '{' | '!' | then | do | else | elif | if | while | until | time | coproc | -p | [0-9-]) continue ;;
      [A-Za-z_]*=$'\1'*)
        # X="a b" tool: any of the words can be the command.
        [[ $at != start ]] || at=any
        word=${word#*$'\1'}
        [[ -n $word ]] || continue
        ;;
      [A-Za-z_]*=*/*) word=${word#*=} at=value ;;
      [A-Za-z_]*=*) continue ;;
      '$'*)
        [[ $word =~ ^\$\{?([A-Za-z_][A-Za-z_0-9]*)\}?(.*)$ ]] || continue
        word=${!BASH_REMATCH[1]-}${BASH_REMATCH[2]}
        word=${word%% *}
        [[ -n $word ]] || continue
        ;;
      \~/*) word=$HOME/${word:2} ;;
    esac
    command=
    case $at in
      start | any)
        [[ $at == any ]] || at=argument
        command=1
        case $word in
          cd | pushd) at=directory ;;
          eval) __nix_foreign_stale=1 at=start ;;
          hash | source | . | alias | unalias | unset | enable | function | trap) __nix_foreign_stale=1 ;;
          type | declare | export | which) at=nothing ;; # its arguments would be seen to be functions
        esac
        if [[ $word != */* ]]; then
          [[ ${__nix_foreign_known[$word]-} != native ]] || continue
          kept+=" ; $word"
          __nix_foreign_look_at_name "$word" "$2"
          continue
        fi
        ;;
      value) at=start ;; # FOO=./tool; $FOO
      directory)
        at=argument
        [[ ! -d $word ]] || bases+=("$word/")
        ;;
    esac
    [[ $word == */* ]] || continue
    kept+=" ; $word"
    for base in "${bases[@]}"; do
      [[ $word != /* || -z $base ]] || continue
      ! __nix_foreign_is_foreign "$base$word" || __nix_foreign_define "$word"
    done
    # An earlier command of the line can make it.
    [[ -z $command || $2 -ne 0 || $__nix_foreign_lines != many || (-f $word && -x $word) ]] || __nix_foreign_define "$word"
  done
}

# Enter, before the line is accepted. `$1` is `$_`, which stays.
__nix_foreign_enter() {
  # One command that is known to be native, and nothing that could hide another.
  if [[ -z $__nix_foreign_lines && $READLINE_LINE == [[:alnum:]]* && $READLINE_LINE != *[^][:alnum:][:blank:]_.,:@%+*?-]* &&
    ${__nix_foreign_known[${READLINE_LINE%%[[:blank:]]*}]-} == native && $PATH == "$__nix_foreign_path" ]]; then
    __nix_foreign_lines=flat
    : "$1"
    return 0
  fi
  local - && { set -f +xveu; } 2>&-
  [[ -n $READLINE_LINE ]] || return 0
  local line=$READLINE_LINE kept='' within='' IFS=$' \t\n'
  # `history -p` takes the last line for its own, so `!!` is looked up apart.
  if [[ ($line == *'!'[!\ =\(]* || $line == '^'*) && $- == *H* ]]; then
    line+=\;$(fc -ln -1 2>/dev/null)\;$(history -p "$line" 2>/dev/null)
  fi
  if [[ $PATH != "$__nix_foreign_path" ]]; then
    __nix_foreign_known=()
    __nix_foreign_path=$PATH
  fi
  case $__nix_foreign_lines$line in
    flat* | many* | *[\;\(\{\`$'\n']* | *'&&'* | *'||'*) __nix_foreign_lines=many ;;
    *) __nix_foreign_lines=flat ;;
  esac
  [[ $line != *'()'* ]] || __nix_foreign_stale=1
  ((${#line} > 20000)) || __nix_foreign_scan "$line" 0
  [[ -z $__nix_foreign_stale ]] || __nix_foreign_guard_again
  : "$1"
}

__nix_foreign_prompt() {
  local status=${1-$?}
  __nix_foreign_lines=
  # A program that was native can be another one by now.
  if [[ -n $__nix_foreign_stale || $status -eq 127 || $status -eq 126 ]]; then
    __nix_foreign_known=() __nix_foreign_texts=()
    __nix_foreign_stale=
  fi
  if [[ ${#__nix_foreign_defined[@]} -gt 0 ]]; then
    unset -f -- "${__nix_foreign_defined[@]}"
    __nix_foreign_defined=()
  fi
  ((__nix_foreign_guards-- > 0)) || __nix_foreign_at_prompt=__nix_foreign_prompt
  return "$status"
}

# A DEBUG trap takes what Enter runs for the command that was typed; it is kept from seeing that (READLINE_LINE is set
# then) and the prompt's own commands. Traps come late, so the first prompts look for one, and those after commands that
# can set one. Prints commands, for a trap that a function sets or sees is another one.
__nix_foreign_guard() {
  local status=$? text
  text=$(trap -p DEBUG)
  if [[ -n $text && $text != *__nix_foreign_guarded* ]]; then
    eval "set -- $text"
    text="case \${READLINE_LINE+__nix_foreign_guarded}\$BASH_COMMAND in *__nix_foreign_*) ;; *)"$'\n'"$3"$'\n'esac
    printf 'trap -- %q DEBUG\n' "$text"
  fi
  printf '__nix_foreign_prompt %d\n' "$status"
}

__nix_foreign_guard_again() {
  __nix_foreign_guards=2
  # shellcheck disable=SC2016
  __nix_foreign_at_prompt='eval "$(__nix_foreign_guard)"'
}

# A name that is nowhere on PATH, and its arguments. Runs in a process of its own (bash(1), COMMAND EXECUTION).
__nix_foreign_not_found() {
  local directory file=$__nix_foreign_shims/$1
  [[ $1 == */* || ! -f $file || ! -x $file ]] || exec "$file" "${@:2}"
  if [[ $1 != */* && -r $__nix_foreign_directories ]]; then
    while IFS= read -r directory; do
      [[ ! -f $directory/$1 || ! -x $directory/$1 ]] || exec "$__nix_foreign_launcher" -- "$directory/$1" "${@:2}"
    done <"$__nix_foreign_directories"
  fi
  if declare -F __nix_foreign_earlier_handler >/dev/null; then
    __nix_foreign_earlier_handler "$@"
  else
    printf 'bash: %s: command not found\n' "$1" >&2
    return 127
  fi
}

__nix_foreign_install() {
  local - && set +eu
  local keymap IFS=$' \t\n'
  declare -gA __nix_foreign_known=() __nix_foreign_texts=()
  declare -ga __nix_foreign_defined=()
  declare -g __nix_foreign_path=$PATH __nix_foreign_lines='' __nix_foreign_stale='' __nix_foreign_builtins
  __nix_foreign_builtins=$'\n'$(compgen -bk)$'\n'
  local handler
  handler=$(declare -f command_not_found_handle)
  if [[ $handler != *__nix_foreign_not_found* ]]; then
    [[ -z $handler ]] || eval "__nix_foreign_earlier_handler${handler#command_not_found_handle}"
    command_not_found_handle() { __nix_foreign_not_found "$@"; }
  fi
  # A shell without the hook can inherit it. After `&&` the status goes on without an ERR trap.
  # shellcheck disable=SC2016
  [[ ${PROMPT_COMMAND[*]-} == *__nix_foreign_at_prompt* ]] ||
    PROMPT_COMMAND='eval "${__nix_foreign_at_prompt:-(exit $?)}" && : __nix_foreign_'"${PROMPT_COMMAND:+; $PROMPT_COMMAND}"
  declare -ft __nix_foreign_guard # else it does not see the trap
  __nix_foreign_guard_again
  [[ -o emacs || -o vi ]] || return 0
  # Sequences that no key sends: look, then accept.
  for keymap in emacs-standard vi-insert vi-command; do
    [[ $(bind -m $keymap -q accept-line 2>/dev/null) == *'"\C-m"'* ]] || continue
    # shellcheck disable=SC2016
    bind -m $keymap -x '"\e[8463~": __nix_foreign_enter "$_"' 2>/dev/null
    bind -m $keymap '"\e[8464~": accept-line' 2>/dev/null
    bind -m $keymap '"\C-m": "\e[8463~\e[8464~"' 2>/dev/null
    bind -m $keymap '"\C-j": "\e[8463~\e[8464~"' 2>/dev/null
  done
}

if [[ $- == *i* ]]; then
  __nix_foreign_install || :
  export NIX_RUN_FOREIGN_HOOK='@mark@'
fi
