# Lines, one after another in a file → for each what bash's rules for its command offer. Arguments: completions, lines.
# shellcheck source=/dev/null
source "$1"
while IFS= read -r line; do
  printf '%s|\n' "$line"
  # As readline does: `=` is a word of its own (COMP_WORDBREAKS).
  read -r -a COMP_WORDS <<<"${line//=/ = }"
  [[ $line != *[\ =] ]] || COMP_WORDS+=('')
  [[ $line != *= ]] || unset 'COMP_WORDS[-1]'
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$line COMP_POINT=${#line} COMPREPLY=()
  rule=$(complete -p -- "${COMP_WORDS[0]}")
  [[ $rule =~ -F\ ([a-z_]+) ]] && "${BASH_REMATCH[1]}" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
  for word in "${COMPREPLY[@]}"; do printf '  %s\n' "$word"; done
done <"$2"
