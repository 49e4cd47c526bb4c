# Words typed so far → what can follow them, for nix-foreign and nix-run-foreign.
# Printed, with its tables filled in, by `nix-foreign completions fish`.

# True where the commands typed are exactly these. Options are none, and no command has one in front of its name.
function __nix_foreign_at
    set -l typed
    for word in (commandline -opc)[2..-1]
        string match -q -- '-*' $word; or set -a typed $word
    end
    set -l count (count $argv)
    test (count $typed) -ge $count; or return 1
    test $count -eq 0; or test "$typed[1..$count]" = "$argv"
end

# The same with nothing behind them.
function __nix_foreign_at_end
    set -l typed
    for word in (commandline -opc)[2..-1]
        string match -q -- '-*' $word; or set -a typed $word
    end
    test "$typed" = "$argv"
end

function __nix_foreign_data
    if string match -q -- '/*' "$XDG_DATA_HOME"
        echo $XDG_DATA_HOME/nix-run-foreign
    else
        echo ~/.local/share/nix-run-foreign
    end
end

function __nix_foreign_shims
    for file in (__nix_foreign_data)/shims/*
        string replace -r '.*/' '' -- $file
    end
end

function __nix_foreign_registered
    set -l file (__nix_foreign_data)/directories
    test -r $file; and cat $file
end

# True before the program: from there on everything is the program's own.
function __nix_run_foreign_before
    set -l skipped 0
    for word in (commandline -opc)[2..-1]
        if test $skipped -eq 1
            set skipped 0
        else if contains -- $word @valued@
            set skipped 1
        else if test "$word" = --
            return 1
        else if not string match -q -- '-?*' $word
            return 1
        end
    end
end

complete -c nix-foreign -e
complete -c nix-run-foreign -e
complete -c nix-foreign -f
# @commands@
complete -c nix-run-foreign -x -a '(__fish_complete_subcommand @valued@)'
# @launcher@
