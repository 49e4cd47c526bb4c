# Words typed so far → what can follow them, for nix-foreign and nix-run-foreign.
# Printed, with its tables filled in, by `nix-foreign completions fish`. No name begins like those of the hook, which
# `hook --off` removes.

# True where the commands typed are exactly these. Options are none, and no command has one in front of its name.
function _nix_foreign_at
    set -l typed
    for word in (commandline -opc)[2..-1]
        string match -q -- '-*' $word; or set -a typed $word
    end
    set -l count (count $argv)
    test (count $typed) -ge $count; or return 1
    test $count -eq 0; or test "$typed[1..$count]" = "$argv"
end

# The same with nothing behind them.
function _nix_foreign_at_end
    set -l typed
    for word in (commandline -opc)[2..-1]
        string match -q -- '-*' $word; or set -a typed $word
    end
    test "$typed" = "$argv"
end

function _nix_foreign_data
    if string match -q -- '/*' "$XDG_DATA_HOME"
        echo $XDG_DATA_HOME/nix-run-foreign
    else
        echo ~/.local/share/nix-run-foreign
    end
end

function _nix_foreign_shims
    for file in (_nix_foreign_data)/shims/*
        string replace -r '.*/' '' -- $file
    end
end

function _nix_foreign_registered
    set -l file (_nix_foreign_data)/directories
    test -r $file; and cat $file
end

# The words typed from the program on, none where it comes next. False where options can still stand.
function _nix_run_foreign_words
    set -l words (commandline -opc)[2..-1]
    while set -q words[1]
        switch $words[1]
            case @valued@
                set -e words[1]
            case --
                set -e words[1]
                printf '%s\n' $words
                return 0
            case '-?*'
            case '*'
                printf '%s\n' $words
                return 0
        end
        set -e words[1]
    end
    return 1
end

function _nix_run_foreign_before
    not _nix_run_foreign_words >/dev/null
end

# As if the program and its arguments stood alone. fish's own function for this takes our options for its own.
function _nix_run_foreign_rest
    set -l line (string escape -- (_nix_run_foreign_words)) (commandline -ct)
    complete -C " $line" # not the empty word, which it takes for none
end

complete -c nix-foreign -e
complete -c nix-run-foreign -e
complete -c nix-foreign -f
# @commands@
complete -c nix-run-foreign -x -a '(_nix_run_foreign_rest)'
# @launcher@
