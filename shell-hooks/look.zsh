# Text of commands → aliases and functions named like the foreign programs in it.
# Printed before hook.zsh by `nix-foreign hook zsh`; for zsh 5.3 and newer.
#
# A function that answers leaves it in REPLY, which its caller has declared local. What lasts from line to line, and the
# paths, are declared in hook.zsh. What is local while a variable of the user's is read begins with two underscores, so
# as not to hide it.

# True for an executable whose interpreter is missing or is NixOS' stub.
__nix_foreign_is_foreign() {
  emulate -L zsh -o extendedglob -o nomultibyte
  [[ -f $1 && -x $1 && -r $1 ]] || return 1
  local head interpreter match mbegin mend
  local -a words
  sysread -s 4096 head <"$1" || return 1
  if [[ $head == '#!'* ]]; then
    words=(${=${head%%$'\n'*}#\#\!})
    interpreter=${words[1]-}
    [[ $interpreter == /* ]] || return 1
  elif [[ $head == $'\x7fELF'* ]]; then
    # It follows the program headers; Go puts it at the end of the first page.
    interpreter=${${(M)${(@ps:\0:)head}:#/*/ld*.so*}[1]}
    [[ -n $interpreter ]] || return 1
  else
    return 1
  fi
  [[ ! -e $interpreter || :$__nix_foreign_stubs: == *:$interpreter:* ]]
}

# A command's name → REPLY, its file on PATH; else false. What is in $commands can be older than the files.
__nix_foreign_on_path() {
  emulate -L zsh
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

# A word as it is typed → REPLY, what zsh makes of its quotes and of `$name`, `${name[key]:-other}`, `~/` or `=name` at
# its start.
__nix_foreign_expand() {
  local __name=${(Q)1} __base __rest __other
  local -a __values
  case $__name in
    (\$(\{|)[A-Za-z_][A-Za-z_0-9]#(\[((-|)[0-9](#c1,9)|[@*]|[A-Za-z_][A-Za-z_0-9]#)\]|)((:|)-[^\}]#|)(\}|)(|/*))
      __rest=${${__name#?}#\{}
      __name=${(M)__rest##[A-Za-z_][A-Za-z_0-9]#(\[[^]]##\]|)}
      __rest=${__rest#"$__name"}
      __other=${(M)__rest##(:|)-[^\}]#}
      __rest=${${__rest#"$__other"}#\}}
      # A key that is no number is for zsh an expression where the array has no names for keys.
      __base=${__name%%\[*}
      [[ $__name != *\[[A-Za-z_]* || ${parameters[$__base]-} == association* ]] || __name=$__base
      __values=("${(@P)__name}")
      REPLY=${__values[1]:-${__other##(:|)-}}$__rest
      ;;
    ('~/'*) REPLY=$HOME/${__name#??} ;;
    ('='[^=/]##) __nix_foreign_on_path ${__name#?} || REPLY=$__name ;;
    (*) REPLY=$__name ;;
  esac
}

# Text of commands, how deep in aliases and functions, and the one whose text it is or '' → aliases and functions.
# zsh takes the text apart: (Z:C:). A word too many does no harm, for it is only looked at.
__nix_foreign_look() {
  local __depth=$2 __within=$3 __at=start __word __directory __before __direct REPLY
  local __later=${(M)CONTEXT:#cont} # not empty where an earlier command can make a program
  local -a __directories=('')
  (( __depth < 4 && $#1 <= 20000 )) || return 0
  for __word in ${(Z:C:)1}; do
    __direct=$__before __before=
    case $__at:$__word in
      (argument:[^/\`\(\)\{\}!\;\&\|]#) continue ;;
      (*:['(){}!;&|']*) __at=start; continue ;;
      (target:*) __at=start; continue ;;
      (start:[0-9]#['<>'](|['<>&|!']#)) __at=target; continue ;; # of a redirection in front of the command
      # Behind one of these comes a command.
      (start:command) (( ++__nix_foreign_commands )); __before=1; continue ;;
      (start:(if|then|elif|else|while|until|do|time|-p|coproc|nocorrect|noglob|exec|export)) continue ;;
      (start:eval) __at=eval __nix_foreign_stale=1; continue ;;
      (eval:*) __nix_foreign_look ${(Q)__word} $((__depth + 1)) $__within; continue ;;
      (*:*[\`\(]*) __nix_foreign_look ${__word#*[\`\(]} $((__depth + 1)) $__within ;; # a substitution
    esac
    if [[ $__at == start && $__word == [A-Za-z_]*=* ]]; then
      __nix_foreign_expand ${__word#*=}
    else
      __nix_foreign_expand $__word
      case $__at:$REPLY in
        (start:(cd|pushd)) __at=directory; continue ;;
        (start:*/*)
          __at=argument
          [[ -z $__later || __depth -gt 0 || -x $REPLY ]] || __nix_foreign_define_later $REPLY
          ;;
        (start:?*)
          __at=argument
          [[ -n ${__nix_foreign_known[$REPLY]-} ]] || __nix_foreign_look_at_name $REPLY $__word $__depth $__within
          ;;
        (directory:[^-]*)
          __at=argument
          [[ ! -d $REPLY ]] || __directories+=("$REPLY/")
          ;;
      esac
      __later=1
    fi
    [[ $REPLY == */* ]] || continue
    for __directory in "$__directories[@]"; do
      __nix_foreign_is_foreign $__directory$REPLY || continue
      __nix_foreign_define $REPLY
      [[ -z $__direct || __depth -gt 0 ]] || (( ++__nix_foreign_served ))
      __direct=
    done
  done
}

# A command's name without a slash, the word that it was typed as, then the last two as of __nix_foreign_look.
__nix_foreign_look_at_name() {
  local REPLY
  if (( ${+aliases[$2]} )) && [[ $2 != $4 ]]; then # quoted it is no alias
    __nix_foreign_note_shared $aliases[$2]
    __nix_foreign_look "$aliases[$2]" $(($3 + 1)) $2
  elif (( ${+functions[$1]} )); then
    [[ $1 == $4 ]] || __nix_foreign_look "$functions[$1]" $(($3 + 1)) $1
  elif [[ $1 == (hash|rehash|unhash|source|.|alias|unalias|unset|unfunction|function|enable|disable|autoload) ]]; then
    __nix_foreign_stale=1 # what is known of names can be wrong after these
  elif (( ${+builtins[$1]} )); then
    (( ${+aliases[$1]} )) || __nix_foreign_known[$1]=native
  elif __nix_foreign_on_path $1; then
    if [[ $__nix_foreign_wrapped == *" $1 "* ]] || __nix_foreign_is_foreign $REPLY; then
      __nix_foreign_define $1
    elif (( ! ${+aliases[$1]} )); then
      __nix_foreign_known[$1]=native
    fi
  fi
}
