# A typed line → the line with the launcher in front of the foreign programs in it; history keeps what was typed.
# Printed, with its paths filled in, by `nix-foreign hook fish`; for fish 3.4 and newer.
#
# A function of fish has no slash in its name and cannot run in the background, so Enter changes the line. In functions
# that the line calls, the same words are changed until the next prompt. fish_command_not_found is left alone: what runs
# in it writes to stderr and ends with 127, so names that are nowhere are changed as well.

set -g __nix_foreign_launcher '@launcher@'
set -g __nix_foreign_stubs (string split ':' '@stubs@')
set -g __nix_foreign_nix_ld '@nix-ld@'
set -g __nix_foreign_shims '@shims@'
set -g __nix_foreign_directories '@directories@'
set -g __nix_foreign_thousand (string split '' (string repeat -n 1000 .))
# The words at the places of commands, and some that are at none.
set -g __nix_foreign_starts '(?:^|[;|&()\n])\s*(?:(?:and|or|not|!|time|if|else|while|begin|do|command|exec|builtin|\w+=(?:"(?:[^"\\\\]|\\\\.)*"|\'(?:[^\'\\\\]|\\\\.)*\'|\\\\.|[^\s;|&()"\'\\\\])*)\s+)*([^\s;|&()]+)'
set -g __nix_foreign_tokens '\\\\.|\'(?:[^\'\\\\]|\\\\.)*\'|"|\$\(|\x1b|[();|&<>]|[ \t]+|[^\s\x1b\'"\\\\$();|&<>]+|.'

test -z "$__nix_foreign_nix_ld"; or set -gx $__nix_foreign_nix_ld $__nix_foreign_launcher

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
    if test -x $__nix_foreign_shims/$argv[1]
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
function __nix_foreign_wants
    set -g __nix_foreign_instead
    contains -- $argv[1] $__nix_foreign_native; and return 1
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
        return 1
    end
    if functions -q -- $word
        __nix_foreign_look_at_function $word
        return 1
    end
    set -l file (command -s -- $word)
    if test -z "$file"
        string match -q -r '^[\w.+@%:,-]+$' -- $word; or return 1
        set -g __nix_foreign_instead (__nix_foreign_elsewhere $word)
        test -n "$__nix_foreign_instead"
        return
    end
    if not __nix_foreign_is_foreign $file
        set -ga __nix_foreign_native $word
        return 1
    end
    set -g __nix_foreign_instead "$__nix_foreign_start $argv[1]"
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
        set -l changed (__nix_foreign_rewrite $text | string collect)
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
            case '*'
                __nix_foreign_wants $word; and set found 0
        end
    end
    return $found
end

# Commands → the same with what belongs at the places of commands. Quoted text but `$(...)` stays. A line break is ESC
# meanwhile.
function __nix_foreign_rewrite
    set -l out ''
    set -l word ''
    set -l at start
    set -l quotes out # a stack: out of or in double quotes
    set -l places start # a stack: where `(` was
    for token in (string match -r -a -- $__nix_foreign_tokens (string replace -a -- \n \e $argv[1] | string collect)) ' '
        if test $quotes[-1] = in
            if test $token = '$('
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
        if test -n "$word" -a "$at" = start
            if contains -- $word and or not time if while else begin do command exec builtin '!'
            else if string match -q -r '^\w+=' -- $word
            else
                set at argument
                if not contains -- $word for switch case end set function functions type alias
                    __nix_foreign_wants $word; and set word $__nix_foreign_instead
                end
            end
        end
        set out $out$word$token
        set word ''
        switch $token
            case '(' '$('
                set -a quotes out
                set -a places $at
                set at start
            case ';' '|' '&' \e
                set at start
            case ')'
                if test (count $quotes) -gt 1
                    set at $places[-1]
                    set -e quotes[-1]
                    set -e places[-1]
                end
        end
    end
    string replace -a -- \e \n (string sub -e -1 -- "$out") | string collect
end

# Enter, or Ctrl-J, as `$argv[1]` says. What is typed is looked at, then what the key did before is done.
function __nix_foreign_enter
    set -l lines (commandline)
    if test -n "$lines"
        if test "$PATH" != "$__nix_foreign_path"
            __nix_foreign_forget
        end
        if string match -q -r '^\S+$' -- "$lines"; and abbr -q -- $lines
            # fish would put the abbreviation's text there after this.
            set -l text (abbr --show | string match -r -g '^abbr -a -- '(string escape --style=regex -- $lines)' (.+)$' | string unescape)
            and commandline -r -- $text
            and set lines (commandline)
        end
        if __nix_foreign_scan $lines; and commandline --is-valid; and not commandline --paging-mode
            __nix_foreign_change (string join \n -- $lines | string collect)
        end
    end
    set -l mode $fish_bind_mode
    # In vi mode a new line begins with inserting.
    if test "$mode" = default; and string match -q -r '_(vi|hybrid)_' -- "$fish_key_bindings"
        set fish_bind_mode insert
    end
    set -l earlier __nix_foreign_earlier_{$mode}_$argv[1]
    set -q $earlier; or commandline -f execute
    for command in $$earlier
        contains -- $command (bind --function-names); and commandline -f $command; or eval $command
    end
end

# A typed line is changed.
function __nix_foreign_change
    set -l changed (__nix_foreign_rewrite $argv[1] | string collect)
    test "$changed" != "$argv[1]"; or return
    # fish does not keep lines that begin with a space. What it keeps in memory only, nobody else can put there.
    if test -z "$fish_private_mode"; and not set -q fish_history; or test -n "$fish_history"
        string match -q ' *' -- $argv[1]; or set -g __nix_foreign_typed $argv[1]
        set changed " $changed"
    end
    commandline -r -- $changed
end

function __nix_foreign_forget
    set -g __nix_foreign_native (builtin -n | string match -v -r '^(cd|source|\.|eval|function|functions)$') do
    set -g __nix_foreign_path "$PATH"
    set -g __nix_foreign_start (string escape -- $__nix_foreign_launcher)" --"
    set -l named (command -s -- nix-run-foreign)
    and test "$named" -ef "$__nix_foreign_launcher"; and set -g __nix_foreign_start 'nix-run-foreign --'
    set -g __nix_foreign_stale
end

function __nix_foreign_prompt --on-event fish_prompt
    # A program that was native can be another one by now.
    if contains -- $status 127 126 || test -n "$__nix_foreign_stale"
        __nix_foreign_forget
    end
    if set -q __nix_foreign_looked_at[1]
        for name in $__nix_foreign_changed
            functions -e $name
            functions --copy __nix_foreign_kept_$name $name
            functions -e __nix_foreign_kept_$name
        end
        set -g __nix_foreign_changed
        set -g __nix_foreign_looked_at
    end
    set -q __nix_foreign_bases[1]; and set -g __nix_foreign_bases
    set -q __nix_foreign_typed; and __nix_foreign_remember
    set -q __nix_foreign_unmerged; and __nix_foreign_merge
    true
end

# What was typed goes to the end of history's file (in the form of fish 2 and 3: history_file.cpp).
function __nix_foreign_remember
    set -l typed $__nix_foreign_typed
    set -e __nix_foreign_typed
    if string match -q -r '^([4-9]|\d\d)\.' -- $version
        history append -- $typed
        return
    end
    set -l session fish
    set -q fish_history; and test "$fish_history" != default; and set session $fish_history
    set -l data $HOME/.local/share
    test -n "$XDG_DATA_HOME"; and set data $XDG_DATA_HOME
    set -l text (string replace -a '\\' '\\\\' -- $typed | string join '\\n')
    test -d $data/fish; or return
    printf '%s\n' "- cmd: $text" "  when: "(date +%s) >>$data/fish/{$session}_history
    set -g __nix_foreign_unmerged $typed
end

# fish merges at most once in a second, then this is for the next prompt.
function __nix_foreign_merge
    history merge
    contains -- $__nix_foreign_unmerged $history[1..5]; and set -e __nix_foreign_unmerged
    true
end

if status is-interactive
    __nix_foreign_forget
    set -gx NIX_RUN_FOREIGN_HOOK fish:$__nix_foreign_launcher
    for mode in default insert
        for key in \r \n
            set -l letter (string escape -- $key | string sub -s 2)
            set -l was (bind -M $mode --user $key 2>/dev/null | string match -r -g ' (?:\\\\[rn]|enter|ctrl-j) (.+)$')
            test -n "$was"; and not string match -q '*__nix_foreign_*' -- $was
            and eval set -g __nix_foreign_earlier_{$mode}_$letter $was
            bind -M $mode $key "__nix_foreign_enter $letter"
        end
    end
end
