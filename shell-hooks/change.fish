# Text of commands → the same text with the launcher in front of the foreign programs in it.
# Printed before look.fish and hook.fish by `nix-foreign hook fish`.
#
# A function that answers prints its answer. A text is one line here, in which ESC (\x1b) stands for a line break.

# Regular expressions, of parts. `(?&parenthesized)` is the group that DEFINE defines; fish sets a variable of that name
# in the function that uses it, so each declares one. `*+` and `++` do not give back what they matched.
set -l escaped '\\\\.'
set -l single "'(?:[^'\\\\]|\\\\.)*+'"
set -l double '"(?:[^"\\\\$]|\\\\.|\$(?&parenthesized)?)*+"'
set -l define '(?(DEFINE)(?<parenthesized>\((?:'"$escaped|$single|$double"'|(?&parenthesized)|[^()\'"\\\\])*+\)))'
set -l substitution '\$?(?&parenthesized)'
set -l unit "$escaped|$single|$double|$substitution"
set -l word '(?!#)(?:'$unit'|[^\s\x1b;|&<>()\'"\\\\])++'
# What can be between the start of a command and its name.
set -l keyword '(?:and|or|not|!|time|if|else|while|begin|\{|exec|builtin|command)'
set -l assignment '\w+=(?:'$word')?'
set -l redirection '\d*[<>]+[&?]?\s*'$word
set -l prefix "(?:(?:$keyword|$assignment|$redirection)"'[\s\x1b]+)*'
# What is behind the name, to the end of the command; `2>&1` and `&>` do not end it.
set -l comment '(?<![^\s\x1b;|&])#[^\x1b]*'
set -l rest "(?:$unit|$comment"'|[<>]&|&>|[^;|&\x1b])*+'

# A command: what is in front of its name, its name, and the rest. All matches together are the text.
set -g __nix_foreign_command $define'([\s\x1b;|&]*'$prefix')((?:'$word')?)('$rest')'
# The names of commands wherever they can be, in quotes too.
set -g __nix_foreign_names $define'(?:^|[;|&(\x1b])(?=\s*'$prefix'('$word'))'
# The units of a text, outside of double quotes and inside.
set -g __nix_foreign_units "$define(?:$unit"'|[^$()\'"\\\\]+|.)'
set -g __nix_foreign_quoted_units "$define(?:$escaped|"'\$(?&parenthesized)|[^$\\\\]+|.)'

# True for a text with a command that is not known to be native; the other arguments are names to be passed over.
function __nix_foreign_has_unknown
    set -l parenthesized
    for word in (string match -r -a -g -- $__nix_foreign_names $argv[1])
        contains -- $word $__nix_foreign_native $argv[2..]; or return 0
    end
    return 1
end

# Changes the commands of a text. What is in a function that is typed outlives the line, so from the word `function` on
# a text stays, unless `function` is the second argument: then the text is one.
function __nix_foreign_change_commands
    set -l parenthesized
    set -l own $argv[2]
    set -l hint $argv[2] # what __nix_foreign_replacement is told of the place
    set -l stays
    set -l out ''
    set -l piece # the three of a command
    for part in (string match -r -a -g -- $__nix_foreign_command $argv[1])
        set -a piece $part
        set -q piece[3]; or continue
        set -l before $piece[1]
        set -l word $piece[2]
        set -l rest $piece[3]
        set piece
        test -n "$out"; and string match -q -r '^\s*[;&\x1b]|^\s*\|\|' -- $before; and set hint later
        switch $word
            case '' $__nix_foreign_native
            case function
                set -g __nix_foreign_stale 1
                test -n "$own"; or set stays 1
                set own
            case cd pushd
                for directory in (string match -r -a '[^\s()]+' -- $rest)
                    test -d $directory; and set -ga __nix_foreign_bases $directory/
                end
            case source . eval functions alias funced funcsave
                # What was learned of names can be wrong after these.
                set -g __nix_foreign_stale 1
                test $word = eval -a -z "$stays"; and set rest (__nix_foreign_change_evaluated $rest)
            case '*'
                test -n "$stays"
                or set word (__nix_foreign_replacement $word (string match -r '\b(?:command|exec)\b' -- $before; or echo $hint))
        end
        if test -z "$stays"
            string match -q '*(*' -- $before; and set before (__nix_foreign_change_units $__nix_foreign_units $before)
            string match -q '*(*' -- $rest; and set rest (__nix_foreign_change_units $__nix_foreign_units $rest)
        end
        set out "$out$before$word$rest"
    end
    printf '%s\n' $out
end

# Changes the commands in what `eval` is given, where that is one text that keeps its meaning in quotes.
function __nix_foreign_change_evaluated
    set -l literal '(?:[^\'"\\\\$()]|\$(?=\w))+'
    set -l parts (string match -r -g '^(\s+)([\'"]?)('$literal')\2(\s*(?:\d?[<>][^\'"\\\\$()]*)?)$' -- $argv[1])
    set -q parts[4]; and set parts[3] (__nix_foreign_change_commands $parts[3])
    if set -q parts[4]; and string match -q -r '^'$literal'$' -- $parts[3]
        printf '%s\n' "$parts[1]$parts[2]$parts[3]$parts[2]$parts[4]"
    else
        printf '%s\n' $argv[1]
    end
end

# Changes the commands of the substitutions in a text, which is taken apart by the expression in front of it.
function __nix_foreign_change_units
    set -l parenthesized
    set -l out ''
    for unit in (string match -r -a -- $argv[1] $argv[2])
        switch $unit
            case '(*)' '$(*)'
                set -l inner (string match -r -g '^(\$?\()(.*)\)$' -- $unit)
                set out "$out$inner[1]"(__nix_foreign_change_commands $inner[2])")"
            case '"*$(*"'
                set -l inner (string sub -s 2 -e -1 -- $unit)
                set out "$out\""(__nix_foreign_change_units $__nix_foreign_quoted_units $inner)\"
            case '*'
                set out "$out$unit"
        end
    end
    printf '%s\n' $out
end
