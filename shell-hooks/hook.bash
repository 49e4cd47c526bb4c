# shellcheck shell=bash
# A typed line → functions named like the foreign programs in it, which start these through the launcher.
# Printed, with its paths filled in, by `nix-foreign hook bash`; for bash 4.4 and newer.
#
# bash has no hook between reading a line and running it, and its command_not_found_handle does not hear of programs
# that are there and cannot start. So Enter first runs __nix_foreign_enter (bind -x), then accepts the line as it is:
# a function may be named `./tool`, and pipes, redirections, loops and jobs then treat it as any command.
# The next Enter removes the functions.

__nix_foreign_launcher='@launcher@'
__nix_foreign_stubs='@stubs@'
__nix_foreign_nix_ld='@nix-ld@'
__nix_foreign_shims='@shims@'
__nix_foreign_directories='@directories@'
__nix_foreign_wrapped=' @wrapped@ ' # names that are started through the launcher though they are native

if [[ -n $__nix_foreign_nix_ld ]]; then
  # What --off puts back, with `=` before it: what was there before a hook was loaded here, or in a shell above.
  [[ -v __nix_foreign_earlier_nix_ld ]] ||
    export __nix_foreign_earlier_nix_ld="${!__nix_foreign_nix_ld+=${!__nix_foreign_nix_ld}}"
  export "$__nix_foreign_nix_ld=$__nix_foreign_launcher"
fi

# What the function named like a program does: the name, then the arguments.
__nix_foreign_run() {
  # After a cd the same name can be another file.
  if [[ $1 == */* ]] && ! { __nix_foreign_is_foreign "$1"; } 2>/dev/null; then
    local IFS=' '
    eval "command -- ${*@Q}"
  elif [[ -z $__nix_foreign_shared && $BASHPID != "$$" && ${#FUNCNAME[@]} -eq 2 ]]; then
    __nix_foreign_exec "$__nix_foreign_launcher" -- "$@" # nothing else is to run in this process: `$!` is the program
  else
    local IFS=' '
    eval "${__nix_foreign_launcher@Q} -- ${*@Q}" || __nix_foreign_tell $? "$@" # `jobs` shows the words
  fi
}

# exec in a process that is not one of ( ). In any other bash takes one off SHLVL, and makes 0 of what is no number.
__nix_foreign_exec() {
  [[ ${SHLVL-} != [1-9]?([0-9])?([0-9]) ]] || SHLVL=$((SHLVL + 1))
  exec "$@"
}

# ld.so ends with 127 what it cannot start, and by then nothing of the launcher is left to say more. The status, then
# the program and its arguments; returns the status.
__nix_foreign_tell() {
  local IFS=' ' program=$2 words=${*:3}
  [[ $program != *[![:alnum:]_./+,:@%=-]* ]] || program=${2@Q}
  [[ $words != *[![:alnum:]_./+,:@%=\ -]* ]] || words=${*@Q} words=${words#* * }
  [[ $1 != 127 || ! -t 1 || ! -t 2 ]] ||
    printf 'nix-run-foreign: %s ended with 127; what it misses: nix-foreign doctor %s --%s\n' "$2" "$program" "${words:+ $words}" >&2
  return "$1"
}

# A program's name → a function of that name, until the next Enter.
__nix_foreign_define() {
  # It becomes code, so only names that need no quotes. bash has no functions of other names.
  [[ -n $1 && $1 != *[![:alnum:]_./+,:@%~#=-]* && $1 != [~#]* && ! -o posix ]] || return 0
  [[ $1 == */* || $1 != *[~#=]* ]] || return 0
  declare -F -- "$1" &>/dev/null && return 0
  eval "function $1 { __nix_foreign_run ${1@Q} \"\$@\"; }" # quoted: bash expands `a=~/tool` as an argument, too
  __nix_foreign_defined+=("$1")
}

# Enter, before the line is accepted. The arguments are `$?` and `$_`, which stay as they are.
__nix_foreign_enter() {
  # One command that is known to be native, nothing that could hide another, and nothing to take back.
  [[ $1 != 12[67] && -z ${__nix_foreign_defined-}$__nix_foreign_stale && $READLINE_LINE == [[:alnum:]]* &&
    $READLINE_LINE != *[^][:alnum:][:blank:]_.,:@%+*?-]* &&
    ${__nix_foreign_known[${READLINE_LINE%% *}]-} == native && $PATH == "$__nix_foreign_path" ]] ||
    __nix_foreign_look_at_line "$1"
  : "$2"
}

# True while a line runs, whose `read -e` has the same key. HISTCMD is one less then than before a line (bash 5.2 and
# newer, get_histcmd in variables.c); `\!` is not, and both are 1 before the first line, and where there is no history.
__nix_foreign_line_runs() {
  local __history='\!'
  ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 502)) &&
    [[ $HISTCMD == 0 || ($HISTCMD == "${__history@P}" && $HISTCMD != 1) ]]
}

# VS Code sets its DEBUG trap after ~/.bashrc, and takes the first command after a prompt for the line: that is Enter's.
# What it calls passes over Enter from now on, and is ready for the line of this one.
__nix_foreign_pass_vscode() {
  local __name __body
  for __name in __vsc_preexec_only __vsc_preexec_all; do
    declare -F "$__name" >/dev/null || continue
    __body=$(declare -f "$__name")
    [[ $__body != *READLINE_LINE* ]] || continue
    eval "$__name() { [[ ! -v READLINE_LINE ]] || return 0; ${__body#*\{}"
    __vsc_in_command_execution=0
  done
}

# Looks at what was typed. `$1` is the status of the line before.
__nix_foreign_look_at_line() {
  local - && { set -f +xveu; } 2>&-
  ! __nix_foreign_line_runs || return 0
  [[ -n $__nix_foreign_number ]] || __nix_foreign_pass_vscode # the first Enter
  local __line=$READLINE_LINE __number='\#' IFS=$' \t\n'
  local -a __reply
  # bash counts commands; where the number is the same, this is the rest of the one that the last line began.
  if [[ ${__number@P} != "$__nix_foreign_number" ]]; then
    __nix_foreign_number=${__number@P}
    __nix_foreign_take_back
    # A program that was native can be another one by now.
    [[ -z $__nix_foreign_stale && $1 != 12[67] ]] || __nix_foreign_forget
  fi
  [[ -n $__line ]] || return 0
  [[ $PATH == "$__nix_foreign_path" ]] || __nix_foreign_forget
  # `history -p` takes the last line for its own, so `!!` is looked up apart. `$!` is none of history's.
  if [[ (${__line//'$!'/} == *'!'[!\ =\(]* || $__line == '^'*) && $- == *H* ]]; then
    __line+=\;$(fc -ln -1 2>/dev/null)\;$(history -p "$__line" 2>/dev/null)
  fi
  case $__nix_foreign_line$__line in
    single* | several*) __nix_foreign_line=several __nix_foreign_shared+=1 ;;
    *[\;\(\{\`$'\n']* | *'&&'* | *'||'*) __nix_foreign_line=several ;;
    *) __nix_foreign_line=single ;;
  esac
  # No other line starts a process.
  [[ $__line != *[\&\|\(\`]* && $__line != *coproc* ]] || __nix_foreign_note_shared "$__line"
  [[ $__line != *'()'* ]] || __nix_foreign_stale=1
  __nix_foreign_words "$__line"
  __nix_foreign_look 0 '' "${__reply[@]}"
}

# Text of commands: notes where a process that it starts can have more to do than one command, and where it can be one
# of ( ). bash tells the time of a program after it.
__nix_foreign_note_shared() {
  case "$1 " in
    *[\(\)\{\`]* | *'&&'* | *'||'* | *time[$' \t\n']* | *do[$' \t\n']* | *then[$' \t\n']* | *eval[$' \t\n']*)
      __nix_foreign_shared+=1
      ;;
  esac
  [[ $1 != *\(* ]] || __nix_foreign_shared+=\(
}

# What was made for one line.
__nix_foreign_take_back() {
  __nix_foreign_line=none __nix_foreign_shared=
  [[ ${#__nix_foreign_defined[@]} -eq 0 ]] || unset -f -- "${__nix_foreign_defined[@]}"
  __nix_foreign_defined=()
}

# What was learned of names.
__nix_foreign_forget() {
  __nix_foreign_known=() __nix_foreign_bodies=()
  __nix_foreign_path=$PATH __nix_foreign_stale=
}

# A name that is nowhere on PATH, and its arguments. Runs in a process of its own (bash(1), COMMAND EXECUTION).
__nix_foreign_not_found() {
  local __directory __file=$__nix_foreign_shims/$1
  local -a __directories __words=()
  if [[ $1 != */* && -f $__file && -x $__file ]]; then
    __words=("$__file" "${@:2}")
  elif [[ $1 != */* && -r $__nix_foreign_directories ]]; then
    # Read before the loop: what feeds a loop is also the stdin of what is started in it.
    mapfile -t __directories <"$__nix_foreign_directories"
    for __directory in "${__directories[@]}"; do
      __file=$__directory/$1
      [[ -f $__file && -x $__file ]] || continue
      __words=("$__nix_foreign_launcher" -- "$__file" "${@:2}")
      break
    done
  fi
  if ((${#__words[@]} > 0)); then
    # In a function, whose text was not looked at for this, it can be the process of a ( ).
    [[ $__nix_foreign_line == none || $__nix_foreign_shared == *\(* || ${#FUNCNAME[@]} -ne 2 ]] ||
      __nix_foreign_exec "${__words[@]}"
    exec "${__words[@]}"
  elif declare -F __nix_foreign_earlier_handler >/dev/null; then
    __nix_foreign_earlier_handler "$@"
  else
    printf 'bash: %s: command not found\n' "$1" >&2
    return 127
  fi
}

__nix_foreign_install() {
  local - && set +eu
  local keymap handler key keys IFS=$' \t\n'
  # Names of commands that are native, and of functions with the words that matter in them.
  declare -gA __nix_foreign_known=() __nix_foreign_bodies=()
  # The functions that this line has, and whether it shares its processes among commands; also where it loads the hook
  # again.
  __nix_foreign_defined+=() __nix_foreign_shared+=
  # Commands of this line: none, single or several. Stale: not empty after what can change the meaning of names.
  declare -g __nix_foreign_line=none __nix_foreign_stale='' __nix_foreign_number='' __nix_foreign_path=$PATH
  declare -g __nix_foreign_builtins
  __nix_foreign_builtins=$'\n'$(compgen -bk)$'\n'
  handler=$(declare -f command_not_found_handle)
  if [[ $handler != *__nix_foreign_not_found* ]]; then
    [[ -z $handler ]] || eval "__nix_foreign_earlier_handler${handler#command_not_found_handle}"
    command_not_found_handle() { __nix_foreign_not_found "$@"; }
  fi
  [[ -o emacs || -o vi ]] || return 0
  # Sequences that no key sends: look, then accept.
  for keymap in emacs-standard vi-insert vi-command; do
    keys=$(bind -m $keymap -q accept-line 2>/dev/null)
    [[ $keys == *'"\C-m"'* ]] || continue
    # Under `set -x` bash writes down what this runs.
    # shellcheck disable=SC2016
    bind -m $keymap -x '"\e[8463~": { __nix_foreign_enter $? "$_"; } 2>/dev/null' 2>/dev/null
    bind -m $keymap '"\e[8464~": accept-line' 2>/dev/null
    for key in '"\C-m"' '"\C-j"'; do
      [[ $keys != *"$key"* ]] || bind -m $keymap "$key: \"\\e[8463~\\e[8464~\"" 2>/dev/null
    done
  done
}

if [[ $- == *i* ]]; then
  __nix_foreign_install || :
  export NIX_RUN_FOREIGN_HOOK='@mark@'
fi
