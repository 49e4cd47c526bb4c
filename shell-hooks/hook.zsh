# A typed line → aliases and functions named like the foreign programs in it, which start these through the launcher.
# Printed, with its paths filled in, by `nix-foreign hook zsh`; for zsh 5.3 and newer.
#
# When the line editor is done with a line and before zsh reads it, the line is looked at (zle-line-finish). An alias
# may be named `./tool`; a function of that name serves where aliases do not count: quoted words, parameters, functions.
# History keeps what was typed, and all of it is gone at the next prompt.

typeset -g __nix_foreign_launcher='@launcher@'
typeset -g __nix_foreign_stubs='@stubs@'
typeset -g __nix_foreign_nix_ld='@nix-ld@'
typeset -g __nix_foreign_shims='@shims@'
typeset -g __nix_foreign_directories='@directories@'
typeset -g __nix_foreign_wrapped=' @wrapped@ ' # names that are started through the launcher though they are native

if [[ -n $__nix_foreign_nix_ld ]]; then
  # What --off puts back, with `=` before it: what was there before a hook was loaded here, or in a shell above.
  if (( ! ${+__nix_foreign_earlier_nix_ld} )); then
    typeset -gx __nix_foreign_earlier_nix_ld=
    (( ! ${+parameters[$__nix_foreign_nix_ld]} )) || __nix_foreign_earlier_nix_ld="=${(P)__nix_foreign_nix_ld}"
  fi
  export "$__nix_foreign_nix_ld=$__nix_foreign_launcher"
fi

# A program's name → an alias, where it needs no quotes, and a function of that name, until the next prompt.
__nix_foreign_define() {
  local name=$1
  if (( ! ${+aliases[$name]} )) && [[ $name == ${(q)name} ]]; then
    aliases[$name]="${(q)__nix_foreign_launcher} -- ${(q)name}"
    __nix_foreign_aliases+=("$name")
  fi
  __nix_foreign_define_later $name
}

# The same for a file that the line itself may make a program: only when it is started one sees what it is.
__nix_foreign_define_later() {
  if (( ! ${+functions[$1]} )); then
    functions[$1]="__nix_foreign_run ${(q)1} \"\$@\""
    __nix_foreign_functions+=("$1")
  fi
}

# What the function named like a program does: the name, then the arguments.
__nix_foreign_run() {
  # After a cd the same name can be another file.
  if [[ $1 != */* ]] || __nix_foreign_is_foreign "$1"; then
    # Nothing else is to run in this process: `$!` is the program.
    (( __nix_foreign_shared || ! ZSH_SUBSHELL || ${#funcstack[@]} != 2 )) || exec "$__nix_foreign_launcher" -- "$@"
    "$__nix_foreign_launcher" -- "$@"
  elif [[ ! -e $1 ]]; then
    # As zsh says it where there is no function.
    print -ru2 -- "zsh: no such file or directory: $1"
    return 127
  elif [[ -d $1 && -o autocd && $# -eq 1 ]]; then
    cd -- "$1"
  elif [[ -d $1 || ! -x $1 ]]; then
    print -ru2 -- "zsh: permission denied: $1"
    return 126
  else
    command "$@"
  fi
}

# The line editor is done with a line.
__nix_foreign_finish() {
  # One command that is known to be native, and nothing that could hide another.
  [[ $BUFFER == [[:alnum:]]* && $BUFFER != *[^][:alnum:][:blank:]_.,:@%+*?-]* &&
    ${__nix_foreign_known[${BUFFER%% *}]-} == native && $PATH == $__nix_foreign_path ]] || __nix_foreign_look_at_line
  __nix_foreign_finish_earlier "$@"
}

# Calls what had the widget before ours. Never false: a list of add-zle-hook-widget would end with it.
__nix_foreign_finish_earlier() {
  ! __nix_foreign_find_earlier || zle $__nix_foreign_widget -N -- "$@" || return 0
}

# → __nix_foreign_widget, the latest widget before ours that is not running; else false. One that is running has called
# ours: it came later, and a hook that was loaded again took the widget from it.
__nix_foreign_find_earlier() {
  emulate -L zsh
  local -i number
  for (( number = __nix_foreign_earlier; number > 0; number-- )); do
    typeset -g __nix_foreign_widget=__nix_foreign_earlier_$number
    (( $funcstack[(Ie)${widgets[$__nix_foreign_widget]#user:}] )) || return 0
  done
  return 1
}

__nix_foreign_look_at_line() {
  emulate -L zsh -o extendedglob
  # What vared and select read is no command.
  [[ -n $BUFFER && $CONTEXT == (start|cont) ]] || return 0
  local __line=$BUFFER
  __nix_foreign_typed=$BUFFER
  # An expansion of history is looked up; zle has no way to ask for it.
  [[ $__line != *'!'[^\ =\(]* ]] || __line+=" ; ${(j. ; .)${(@v)history[(R)*]}[1,20]}"
  if [[ $PATH != $__nix_foreign_path || $__line == *'()'* ]]; then
    __nix_foreign_known=() __nix_foreign_path=$PATH
  fi
  # How often `command` is in the lines of this command, and how often one of ours follows it.
  if [[ $CONTEXT == cont ]]; then
    __nix_foreign_shared=1
  else
    typeset -gi __nix_foreign_commands=0 __nix_foreign_served=0 __nix_foreign_shared=0
    [[ $__line != (*['&|(`']*|*coproc*) ]] || __nix_foreign_note_shared $__line # no other line starts a process
  fi
  __nix_foreign_look $__line 0 ''
  (( ! __nix_foreign_commands )) || __nix_foreign_define_command
}

# Text of commands: notes where a process that it starts can have more to do than one command; behind `&&` it has not.
__nix_foreign_note_shared() {
  [[ "$1 " != (*['(){`']*|*(time|do|then|eval|for|foreach|while|until|select|repeat|if)[$' \t\n']*) ]] ||
    __nix_foreign_shared=1
}

# Behind `command` functions do not count, and aliases only where it is one itself that ends with a blank. Then they all
# do, so it is one only where nothing else can follow it.
__nix_foreign_define_command() {
  if (( __nix_foreign_served != __nix_foreign_commands )) || [[ -n $__nix_foreign_stale ]]; then
    (( ! ${__nix_foreign_aliases[(Ie)command]} )) || unalias command
    __nix_foreign_aliases=("${(@)__nix_foreign_aliases:#command}")
  elif (( ! ${+aliases[command]} )); then
    aliases[command]='command '
    __nix_foreign_aliases+=(command)
  fi
}

# ld.so ends with 127 what it cannot start; by then nothing of the launcher is left to say more. Only for a line that
# is one command, whose status and output this is.
__nix_foreign_tell() {
  emulate -L zsh
  local name=${__nix_foreign_aliases[1]-${__nix_foreign_functions[1]-}} line=$__nix_foreign_typed
  [[ -n $name && -t 1 && -t 2 && ($line == $name || $line == "$name "*) && $line != *['|&;<>()$`']* ]] || return 0
  print -ru2 -- "nix-run-foreign: $name ended with 127; what it misses: nix-foreign doctor $name --${line#$name}"
}

# Before a prompt: what one line had is taken back.
__nix_foreign_precmd() {
  local code=$? name
  emulate -L zsh
  # A program that was native can be another one by now.
  if [[ -n $__nix_foreign_stale || $code -eq 127 || $code -eq 126 ]]; then
    __nix_foreign_known=() __nix_foreign_stale=
  fi
  [[ $code -ne 127 ]] || __nix_foreign_tell
  # The first prompt: where this was loaded for all users, ~/.zshrc came after it.
  [[ -n $__nix_foreign_prompted ]] || __nix_foreign_take_line_end
  __nix_foreign_prompted=1
  [[ -n ${__nix_foreign_functions-} ]] || return 0
  for name in $__nix_foreign_aliases; do unalias -- $name; done
  for name in $__nix_foreign_functions; do unfunction -- $name; done
  __nix_foreign_aliases=() __nix_foreign_functions=()
  return 0
}

# A name that zsh could not start, and its arguments. Runs in a process of its own (zshmisc(1), COMMAND EXECUTION).
__nix_foreign_not_found() {
  local directory REPLY
  local -a directories
  trap - ZERR # it is for the shell itself to call
  if [[ $1 != */* && $1 != (|.|..) ]]; then
    # After `command`, or of a line that the line editor did not see.
    ! __nix_foreign_on_path "$1" || ! __nix_foreign_is_foreign "$REPLY" || exec "$__nix_foreign_launcher" -- "$@"
    directory=$__nix_foreign_shims
    [[ ! -f $directory/$1 || ! -x $directory/$1 ]] || exec "$directory/$1" "${@:2}"
    if [[ -r $__nix_foreign_directories ]]; then
      # What feeds a loop is also the stdin of a program that is started in it.
      while IFS= read -r directory; do directories+=("$directory"); done <"$__nix_foreign_directories"
      for directory in "${directories[@]}"; do
        [[ ! -f $directory/$1 || ! -x $directory/$1 ]] || exec "$__nix_foreign_launcher" -- "$directory/$1" "${@:2}"
      done
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
  # Names of commands that are native, and the PATH for which they are; what one line has, also where it loads this.
  typeset -gA __nix_foreign_known=()
  typeset -g __nix_foreign_path=$PATH
  typeset -ga __nix_foreign_aliases __nix_foreign_functions
  typeset -gi __nix_foreign_shared
  # Not empty after what can change the meaning of names; and the last line that was looked at.
  typeset -g __nix_foreign_stale= __nix_foreign_typed=
  if [[ ${functions[command_not_found_handler]-} != *__nix_foreign_not_found* ]]; then
    (( ! ${+functions[command_not_found_handler]} )) ||
      functions[__nix_foreign_earlier_handler]=$functions[command_not_found_handler]
    command_not_found_handler() { __nix_foreign_not_found "$@"; }
  fi
  add-zsh-hook precmd __nix_foreign_precmd
  typeset -gi __nix_foreign_earlier # how many widgets were before ours
  typeset -g __nix_foreign_prompted=
  __nix_foreign_take_line_end
}

# The widget for the end of a line becomes ours, and calls the one that was there.
__nix_foreign_take_line_end() {
  local top=${widgets[zle-line-finish]-}
  [[ $top != user:__nix_foreign_finish ]] || return 0
  [[ -z $top || $top == ${widgets[__nix_foreign_earlier_$__nix_foreign_earlier]-} ]] ||
    zle -A zle-line-finish __nix_foreign_earlier_$((++__nix_foreign_earlier))
  zle -N __nix_foreign_finish
  zle -A __nix_foreign_finish zle-line-finish
}

if [[ -o interactive ]]; then
  __nix_foreign_install
  export NIX_RUN_FOREIGN_HOOK='@mark@'
fi
