# Lines, one after another in a file → for each what zsh would offer behind it. Arguments: completions, lines, answers.
zmodload zsh/zpty
export COMPLETIONS=$1 LINES_FILE=$2 ANSWERS=$3
: >$ANSWERS
zpty session zsh -f -i
zpty -w session "source ${0:h}/complete-inside.zsh"
while zpty -r session REPLY; do
  [[ $REPLY != *ALL-DONE* ]] || break
done
zpty -d session
