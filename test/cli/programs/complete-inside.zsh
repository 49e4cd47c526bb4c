# In an interactive zsh: answers every line of $LINES_FILE by its own completion, in $ANSWERS.
autoload -Uz compinit && compinit -u -D
source $COMPLETIONS
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
    builtin compadd "$@"
    return
  fi
  local -a offered
  builtin compadd -O offered "$@"
  [[ -z $offered ]] || print -rl -- "${(@)offered/#/  }" >>$ANSWERS
  builtin compadd "$@"
}
collect() { _main_complete; compstate[insert]=; compstate[list]=; }
zle -C collect complete-word collect
answer-all() {
  local line
  for line in "${(@f)$(<$LINES_FILE)}"; do
    print -r -- "$line|" >>$ANSWERS
    BUFFER=$line CURSOR=${#line}
    zle collect
  done
  BUFFER=
  print -r -- ALL-DONE
  exit
}
zle -N answer-all
bindkey '^T' answer-all
zle-line-init() { zle answer-all; }
zle -N zle-line-init
