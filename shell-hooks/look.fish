# The name of a command → whether it is a foreign program, and what starts it.
# Printed before hook.fish by `nix-foreign hook fish`.

# True for an executable whose interpreter is missing or is NixOS' stub.
function __nix_foreign_is_foreign
    test -f "$argv[1]" -a -x "$argv[1]" -a -r "$argv[1]"; or return 1
    set -l interpreter
    set -l head
    read -z -n 4 head <$argv[1]
    if string match -q '#!*' -- "$head"
        read head <$argv[1]
        set interpreter (string match -r -g '^#![ \t]*(/[^ \t]+)' -- "$head")
    else if string match -q -r '^\x7fELF' -- "$head" # fish 4 has no `?` in patterns
        # It follows the program headers, which are full of NULs.
        for i in $__nix_foreign_thousand
            read -z head; or break
            string match -q '/*/ld*.so*' -- $head; or continue
            set interpreter $head
            break
        end <$argv[1]
        # Go puts it at the end of the first page.
        test -n "$interpreter"
        or set interpreter (command head -c 4096 -- $argv[1] | string split0 | string match '/*/ld*.so*')[1]
    end
    test -n "$interpreter"; or return 1
    not test -e "$interpreter"; or contains -- $interpreter $__nix_foreign_stubs
end
set -g __nix_foreign_thousand (string split '' (string repeat -n 1000 .))

# The name of a variable of the user's → its values. Nothing is local here that could hide it.
function __nix_foreign_value
    set -q $argv[1]; and string collect -- $$argv[1]
end

# The word at the place of a command → what belongs there; the word itself where it is not foreign.
# Behind it a hint: `command` or `exec` where that is in front of the word, `later` where an earlier command can make
# the file, `function` in the text of one.
function __nix_foreign_replacement
    set -l word (string unescape -- $argv[1]); or set word $argv[1]
    set -l braces (string replace -r '^\{\$(\w+(?:\[[^]]*\])?)\}' '\$$1' -- $argv[1])
    set -l parts (string match -r -g '^"?\$(\w+)(\[-?[1-9]\d{0,8}\]|)(|["/].*)$' -- $braces)
    if set -q parts[1]
        set word (__nix_foreign_value $parts[1])
        test -n "$parts[2]"; and set word $word[(string trim -c '[]' -- $parts[2])]
        set -q word[1]; and set word $word[1](string replace -a '"' '' -- "$parts[3]" | string unescape)
    end
    string match -q '~/*' -- "$word"; and set word $HOME/(string sub -s 3 -- $word)
    set -l answer
    if string match -q '*/*' -- "$word"
        for base in '' $__nix_foreign_bases
            __nix_foreign_is_foreign $base$word; and set answer "$__nix_foreign_start $argv[1]"
        end
        test -z "$answer"; and contains -- "$argv[2]" later function; and not test -f "$word" -a -x "$word"
        and set answer "__nix_foreign_now=(__nix_foreign_decide $argv[1]) \$__nix_foreign_now"
    else if not contains -- "$argv[2]" command exec; and functions -q -- "$word"
        __nix_foreign_change_function $word
    else if set -l file (command -s -- "$word")
        if contains -- "$word" $__nix_foreign_wrapped; or __nix_foreign_is_foreign $file
            set answer "$__nix_foreign_start $argv[1]"
        else if not functions -q -- $word
            set -ga __nix_foreign_native $word
        end
    else
        set answer (__nix_foreign_elsewhere "$word")
    end
    test -n "$answer"; or set answer $argv[1]
    printf '%s\n' $answer
end

# A name that is nowhere on PATH → what starts it, else nothing: a shim, then the registered directories.
function __nix_foreign_elsewhere
    string match -q -r '^(?!\.\.?$)[\w.+@%:, -]+$' -- "$argv[1]"; or return
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

# A file that was not there when the line was typed → the words that start it.
function __nix_foreign_decide
    __nix_foreign_is_foreign "$argv[1]"; and printf '%s\n' $__nix_foreign_launcher --
    printf '%s\n' $argv
end

# Changes a function until the next prompt, where foreign programs are in it.
function __nix_foreign_change_function
    contains -- $argv[1] $__nix_foreign_looked_at; and return
    set -ga __nix_foreign_looked_at $argv[1]
    set -l loaded __nix_foreign_loaded_(string escape --style=var -- $argv[1])
    set -q $loaded; and __nix_foreign_load_again $argv[1] $loaded
    set -l text (functions --no-details -- $argv[1] | string join \e)
    if __nix_foreign_is_fishs_own $argv[1]
        or string match -q -r '^function [^\x1b]* --on-' -- $text
        or test (string length -- "$text") -gt 20000
        set -ga __nix_foreign_native $argv[1]
        return
    end
    __nix_foreign_has_unknown $text $argv[1]; or return
    set -l changed (__nix_foreign_change_commands $text function)
    if test "$changed" != "$text"
        __nix_foreign_note_file $argv[1] $loaded
        functions --copy $argv[1] __nix_foreign_copy_of_$argv[1]
        set -ga __nix_foreign_changed $argv[1]
        string replace -a -- \e \n $changed | source
    else if not set -q $loaded
        __nix_foreign_has_unknown $text $argv[1]; or set -ga __nix_foreign_native $argv[1]
    end
end

# fish loads a function again when its file has changed, but none that was erased, as those that were changed are.
function __nix_foreign_load_again
    set -l loaded $$argv[2]
    test "$(functions --no-details -- $argv[1] | string join \e)" = "$loaded[1]"; or return
    test -r "$loaded[2]"; and test "$(path mtime -- $loaded[2])" != "$loaded[3]"; or return
    source $loaded[2]
    __nix_foreign_note_file $argv
end

# A function that fish loaded, and the name of a variable → its text, its file and the time of that.
function __nix_foreign_note_file
    set -l file (functions --details -- $argv[1])
    contains -- $file $fish_function_path/$argv[1].fish
    and set -g $argv[2] "$(functions --no-details -- $argv[1] | string join \e)" $file (path mtime -- $file)
end

# fish's own functions are scripts of builtins. Since fish 4.1 they have no files, but names as of files in the shell.
function __nix_foreign_is_fishs_own
    set -l file (functions --details -- $argv[1])
    string match -q -- /usr/share/fish/'*' $file
    or string match -q -- 'embedded:*' $file
    or begin
        test -n "$__fish_data_dir"; and string match -q -- "$__fish_data_dir/*" $file
    end
end
