# Text of commands → whether foreign programs are in it, and the same text with the launcher in front of them.
# Printed before hook.fish by `nix-foreign hook fish`.

set -g __nix_foreign_thousand (string split '' (string repeat -n 1000 .))
# The words at the places of commands, and some that are at none.
set -g __nix_foreign_starts '(?:^|[;|&()\n])\s*(?:(?:and|or|not|!|time|if|else|while|begin|do|exec|builtin|\w+=(?:"(?:[^"\\\\]|\\\\.)*"|\'(?:[^\'\\\\]|\\\\.)*\'|\\\\.|[^\s;|&()"\'\\\\])*)\s+)*(?=((?:command\s+)?(?:\\\\.|"(?:[^"\\\\]|\\\\.)*"|\'(?:[^\'\\\\]|\\\\.)*\'|[^\s;|&()])+))'
set -g __nix_foreign_tokens '\\\\.|\'(?:[^\'\\\\]|\\\\.)*\'|"|\$\(|\x1b|[();|&<>]|[ \t]+|[^\s\x1b\'"\\\\$();|&<>]+|.'

# True for an executable whose interpreter is missing or is NixOS' stub.
function __nix_foreign_is_foreign
    test -f "$argv[1]" -a -x "$argv[1]" -a -r "$argv[1]"; or return 1
    set -l interpreter
    set -l head
    read -z -n 4 head <$argv[1]
    if string match -q '#!*' -- "$head"
        read head <$argv[1]
        set interpreter (string match -r -g '^#! *(/[^ \t]+)' -- "$head")
    else if string match -q '?ELF' -- "$head"
        # It follows the program headers, which are full of NULs.
        for i in $__nix_foreign_thousand
            read -z head; or break
            string match -q '/*/ld*.so*' -- $head; or continue
            set interpreter $head
            break
        end <$argv[1]
    end
    test -n "$interpreter"; or return 1
    not test -e "$interpreter"; or contains -- $interpreter $__nix_foreign_stubs
end

# A name that is nowhere on PATH → what starts it, else nothing: a shim, then the registered directories.
function __nix_foreign_elsewhere
    contains -- "$argv[1]" '' . ..; and return
    if test -f $__nix_foreign_shims/$argv[1] -a -x $__nix_foreign_shims/$argv[1]
        string escape -- $__nix_foreign_shims/$argv[1]
    else if test -r $__nix_foreign_directories
        while read -l directory
            test -f $directory/$argv[1] -a -x $directory/$argv[1]; or continue
            string join ' ' -- $__nix_foreign_start (string escape -- $directory/$argv[1])
            return
        end <$__nix_foreign_directories
    end
end

# A word in the place of a command → what belongs there instead, in __nix_foreign_instead; false where it stays.
# Behind it: `command` where that is in front of the word, `later` where an earlier command can make the file.
function __nix_foreign_wants
    set -g __nix_foreign_instead
    contains -- command $argv[2..]; or not contains -- $argv[1] $__nix_foreign_native; or return 1
    set -l word (string unescape -- $argv[1]); or set word $argv[1]
    if string match -q '$*' -- $word
        set -l name (string match -r -g '^\$(\w+)$' -- $word); or return 1
        set word $$name[1]
        set -g __nix_foreign_unsure 1
        test -n "$word[1]"; or return 1
        set word $word[1]
    end
    string match -q '~/*' -- $word; and set word $HOME/(string sub -s 3 -- $word)
    if string match -q '*/*' -- $word
        set -g __nix_foreign_unsure 1
        set -l bases ''
        string match -q '/*' -- $word; or set -a bases $__nix_foreign_bases
        for base in $bases
            __nix_foreign_is_foreign $base$word; or continue
            set -g __nix_foreign_instead "$__nix_foreign_start $argv[1]"
            return 0
        end
        contains -- later $argv[2..]; and not test -f "$word" -a -x "$word"; or return 1
        set -g __nix_foreign_instead "__nix_foreign_now=(__nix_foreign_decide $argv[1]) \$__nix_foreign_now"
        return 0
    end
    if not contains -- command $argv[2..]; and functions -q -- $word
        __nix_foreign_look_at_function $word
        return 1
    end
    set -l file (command -s -- $word)
    if test -z "$file"
        string match -q -r '^[\w.+@%:, -]+$' -- $word; or return 1
        set -g __nix_foreign_instead (__nix_foreign_elsewhere $word)
        test -n "$__nix_foreign_instead"
        return
    end
    if not __nix_foreign_is_foreign $file
        functions -q -- $word; or set -ga __nix_foreign_native $word
        return 1
    end
    set -g __nix_foreign_instead "$__nix_foreign_start $argv[1]"
end

# A file that was not there when the line was typed → the words that start it.
function __nix_foreign_decide
    __nix_foreign_is_foreign "$argv[1]"; and printf '%s\n' $__nix_foreign_launcher --
    printf '%s\n' $argv
end

# Changes a function until the next prompt, where foreign programs are in it.
function __nix_foreign_look_at_function
    if contains -- $argv[1] $__nix_foreign_looked_at
        set -g __nix_foreign_unsure 1
        return
    end
    set -ga __nix_foreign_looked_at $argv[1]
    set -l text (functions --no-details -- $argv[1] | string collect)
    # fish's own are scripts of builtins.
    if string match -q -r '^/usr/share/fish/|^embedded:' -- (functions --details -- $argv[1])
        or test -n "$__fish_data_dir"; and string match -q "$__fish_data_dir/*" -- (functions --details -- $argv[1])
        or string match -q -r '^function [^\n]* --on-' -- $text
        or test (string length -- "$text") -gt 20000
        set -ga __nix_foreign_native $argv[1]
        return
    end
    set -l was $__nix_foreign_unsure
    set -g __nix_foreign_unsure
    if __nix_foreign_scan $text
        set -l changed (__nix_foreign_rewrite $text function | string collect)
        if test "$changed" != "$text"
            functions --copy $argv[1] __nix_foreign_kept_$argv[1]
            set -ga __nix_foreign_changed $argv[1]
            eval $changed
        end
    else if test -z "$__nix_foreign_unsure"
        set -ga __nix_foreign_native $argv[1]
    end
    set -ga __nix_foreign_unsure $was
end

# True for text with a foreign program at the place of a command. Quotes are not looked at, so it can be none.
function __nix_foreign_scan
    set -l found 1
    set -l later
    string match -q -r '[;&\n]' -- (string join \n -- $argv | string collect); and set later later
    for word in (string match -r -a -g $__nix_foreign_starts -- $argv)
        contains -- $word $__nix_foreign_native; and continue
        switch $word
            case cd pushd
                for directory in (string match -r -a -g '\b(?:cd|pushd)\s+([^\s;|&()]+)' -- $argv)
                    test -d $directory; and set -ga __nix_foreign_bases $directory/
                end
            case source . eval function functions alias funced funcsave
                # What was learned of names can be wrong after these.
                set -g __nix_foreign_stale 1
            case 'command *' command\t'*'
                __nix_foreign_wants (string replace -r '^command\s+' '' -- $word) command; and set found 0
            case '*'
                __nix_foreign_wants $word $later; and set found 0
        end
    end
    return $found
end

# Commands → the same with what belongs at the places of commands. Quoted text but `$(...)` stays, and so does what is
# in a function, which outlives the line, unless the text is one (`function` behind it). A line break is ESC meanwhile.
function __nix_foreign_rewrite
    set -l out ''
    set -l word ''
    set -l at start # start, argument, or the rest of FOO=... in front of a command
    set -l quotes out # a stack: out of or in double quotes
    set -l places start # a stack: where `(` was
    set -l hints # what is known of the next command
    set -l depth 0 # of blocks, in a function
    set -l own $argv[2] # the function that the text is
    set -l later
    set -l target # the next word is a redirection's
    for token in (string match -r -a -- $__nix_foreign_tokens (string replace -a -- \n \e $argv[1] | string collect)) ' '
        if test $quotes[-1] = in
            if test $token = '$('
                if test $at = start
                    set at argument
                    string match -q -r '^\w+=' -- $word; and set at rest
                end
                set -a quotes out
                set -a places $at
                set out $out$word$token
                set word ''
                set at start
            else
                test $token = '"'; and set quotes[-1] out
                set word $word$token
            end
            continue
        end
        switch $token
            case '"'
                set quotes[-1] in
                set word $word$token
                continue
            case ' *' \t'*' ';' '|' '&' '(' ')' '<' '>' '$(' \e
            case '*'
                set word $word$token
                continue
        end
        if test -n "$word" -a -n "$target"
            set target
        else if test -n "$word" -a "$at" = start
            if contains -- $word and or not time if while else begin do command exec builtin '!'
                contains -- $word command exec builtin; and set hints $word
                # `else if` goes on with a block.
                test $depth -gt 0; and contains -- $word if while begin; and test "$hints" != else
                and set depth (math $depth + 1)
                test $word = else; and set hints else
            else if string match -q -r '^\w+=' -- $word
                contains -- $token '(' '$('; and set at rest
            else
                set at argument
                switch $word
                    case function
                        test -n "$own"; or set depth (math $depth + 1)
                        set own
                    case for switch
                        test $depth -gt 0; and set depth (math $depth + 1)
                    case end
                        test $depth -gt 0; and set depth (math $depth - 1)
                    case case set functions type alias
                    case '*'
                        contains -- command $hints; or contains -- exec $hints; or set -a hints $later
                        test $depth -eq 0; and __nix_foreign_wants $word $hints; and set word $__nix_foreign_instead
                end
            end
        end
        set out $out$word$token
        set word ''
        test $at = rest; and not contains -- $token '(' '$('; and set at start
        switch $token
            case '(' '$('
                set target
                set -a quotes out
                set -a places $at
                set at start
            case '<' '>'
                set target yes
                string match -q '*&>' -- $out; and set at argument
            case ';' '|' '&' \e
                string match -q -r '[<>]&$' -- $out; and continue
                set target
                set at start
                set hints
                test $token = '|' -o -n "$argv[2]"; or set later later
            case ')'
                if test (count $quotes) -gt 1
                    set at $places[-1]
                    set -e quotes[-1]
                    set -e places[-1]
                end
        end
    end
    string replace -a -- \e \n (string sub -e -1 -- "$out$word") | string collect
end
