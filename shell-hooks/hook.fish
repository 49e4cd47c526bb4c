# A typed line → the line with the launcher in front of the foreign programs in it; history keeps what was typed.
# Printed, with its paths filled in, by `nix-foreign hook fish`; for fish 3.6 and newer.
#
# A function of fish has no slash in its name and cannot run in the background, so Enter changes the line. In functions
# that the line calls, the same words are changed until the next prompt. fish_command_not_found is left alone: what runs
# in it writes to stderr and ends with 127, so names that are nowhere are changed as well.

set -g __nix_foreign_launcher '@launcher@'
set -g __nix_foreign_stubs (string split ':' '@stubs@')
set -g __nix_foreign_nix_ld '@nix-ld@'
set -g __nix_foreign_shims '@shims@'
set -g __nix_foreign_directories '@directories@'
set -g __nix_foreign_wrapped (string split ' ' -- '@wrapped@') # names that the launcher starts though they are native
set -g __nix_foreign_appends (string match -r '^(?:[4-9]|\d\d)\.' -- $version) # not empty where `history append` is
set -g __nix_foreign_plain '^(?!(?:and|or|not|time|if|while|else|begin|command|exec|builtin)(?:[ \t]|$))(?<word>[\w.+-]+)(?:[ \t][\w \t.,:@%+?*-]*)?$'

if test -n "$__nix_foreign_nix_ld"
    # What --off puts back, with `=` before it: what was there before a hook was loaded here, or in a shell above.
    set -q __nix_foreign_earlier_nix_ld
    or set -gx __nix_foreign_earlier_nix_ld (set -q $__nix_foreign_nix_ld; and echo "="$$__nix_foreign_nix_ld)
    set -gx $__nix_foreign_nix_ld $__nix_foreign_launcher
end

# Enter, before what the key did before; false where that is not to be done.
function __nix_foreign_enter
    set -q __nix_foreign_reading; and return 0
    set -l lines (commandline)
    set -l word # the expression sets it
    # One command that is known to be native, and nothing that could hide another.
    if not set -q lines[2]; and string match -q -r $__nix_foreign_plain -- "$lines"; and contains -- $word $__nix_foreign_native
    else if test -n "$lines"; and not __nix_foreign_look_at_lines $lines
        # Ends a list of completions, and no more. Enter does just that where one of them is selected.
        commandline -f suppress-autosuggestion accept-autosuggestion
        return 1
    end
    # In vi mode a new line begins with inserting.
    test "$fish_bind_mode" = default -a "$fish_key_bindings" != fish_default_key_bindings
    and string match -q -r '_(vi|hybrid)_' -- "$fish_key_bindings"
    and set fish_bind_mode insert
    return 0
end

# `read` and `vared` have the same keys, and what they are answered is no command. A prompt takes this back, which does
# not follow a binding that reads.
function __nix_foreign_read --on-event fish_read
    test (status current-command) = fish; or set -g __nix_foreign_reading
end

# Changes what was typed, where foreign programs are in it. False while a list of completions is shown: the line may not
# run where one is selected, and fish does not tell.
function __nix_foreign_look_at_lines
    set -g __nix_foreign_after
    set -l text (string join \e -- $argv)
    if abbr -q -- "$text"
        # fish would put the abbreviation's text there after this.
        set -l expanded (abbr --show | string match -r -g '^abbr -a -- '(string escape --style=regex -- $text)' (.+)$' | string unescape)
        and commandline -r -- $expanded
        and set text (commandline | string join \e)
    end
    commandline --is-valid; and test (string length -- "$text") -le 20000; and __nix_foreign_has_unknown $text; or return 0
    set -l changed (__nix_foreign_change_commands $text)
    test "$changed" != "$text"; or return 0
    commandline --paging-mode; and return 1
    set -g __nix_foreign_started (commandline | string collect)
    set -g __nix_foreign_ran (string replace -a \e \n -- $changed | string collect)
    # What fish keeps in memory only, nobody else can put there.
    if test -z "$fish_private_mode"; and begin; not set -q fish_history; or test -n "$fish_history"; end
        string match -q ' *' -- $text; or set -g __nix_foreign_typed (commandline | string collect)
        __nix_foreign_can_be_forgotten $__nix_foreign_ran; or set __nix_foreign_ran " $__nix_foreign_ran"
    end
    commandline -r -- $__nix_foreign_ran
end

# True where a line that ran can be taken out of history again, and was not there before. Others begin with a space, and
# then fish does not keep them, nor does atuin.
function __nix_foreign_can_be_forgotten
    test -n "$__nix_foreign_appends"
    and test -z "$(builtin history search --exact --case-sensitive --max 1 -- $argv[1] | string collect)"
end

# What was learned of names is learned again.
function __nix_foreign_forget --on-variable PATH
    set -g __nix_foreign_native (builtin -n | string match -v -r '^(cd|source|\.|eval|function|functions)$') do
    set -g __nix_foreign_start (string escape -- $__nix_foreign_launcher)" --"
    set -l named (command -s -- nix-run-foreign)
    and test "$named" -ef "$__nix_foreign_launcher"; and set -g __nix_foreign_start 'nix-run-foreign --'
    set -g __nix_foreign_stale
end

# ld.so ends with 127 what it cannot start; by then nothing of the launcher is left to say more. Only for a line that
# is one command, whose status and output this is.
function __nix_foreign_tell
    set -q __nix_foreign_started; and isatty stdout; and isatty stderr; or return
    set -l words (string match -r -g '^([^\s|&;<>()$*?"\']+)((?: [^|&;<>()$*?\e]*)?)$' -- $__nix_foreign_started)
    or return
    echo "nix-run-foreign: $words[1] ended with 127; what it misses: nix-foreign doctor $words[1] --$words[2]" >&2
end

# What was done for one line is taken back.
function __nix_foreign_prompt --on-event fish_prompt
    set -l code $status
    set -e __nix_foreign_reading
    # A program that was native can be another one by now.
    contains -- $code 127 126; and __nix_foreign_forget
    test $code -eq 127; and __nix_foreign_tell
    set -e __nix_foreign_started
    set -q __nix_foreign_after; or return
    set -e __nix_foreign_after
    test -n "$__nix_foreign_stale"; and __nix_foreign_forget
    for name in $__nix_foreign_changed
        functions -e $name
        functions --copy __nix_foreign_copy_of_$name $name
        functions -e __nix_foreign_copy_of_$name
    end
    set -g __nix_foreign_changed
    set -g __nix_foreign_looked_at
    set -g __nix_foreign_bases
    set -q __nix_foreign_typed; and __nix_foreign_remember
    set -q __nix_foreign_unmerged; and __nix_foreign_merge
end

# What was typed goes to the end of history's file (in the form of fish 2 and 3: history_file.cpp).
function __nix_foreign_remember
    set -l typed $__nix_foreign_typed
    set -e __nix_foreign_typed
    if test -n "$__nix_foreign_appends"
        # fish forgets a line that begins with a space only while nothing comes behind it.
        builtin history delete --exact --case-sensitive -- $__nix_foreign_ran
        builtin history append -- $typed
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
    if contains -- $__nix_foreign_unmerged $history[1..5]
        set -e __nix_foreign_unmerged
    else
        set -g __nix_foreign_after
    end
end

# Before the first prompt after the hook was loaded: all who bind Enter when a shell starts have done so.
function __nix_foreign_bind --on-event fish_prompt
    functions -e __nix_foreign_bind
    functions -q fish_prompt # loads its file, which may bind Enter, as tide's does
    for mode in default insert
        set -l enter
        for key in \r \n
            set -l letter (string escape -- $key | string sub -s 2)
            set -l was (bind -M $mode --user $key 2>/dev/null | string match -r -g ' (?:\\\\[rn]|enter|ctrl-j) (.+)$')
            set -l earlier __nix_foreign_earlier_{$mode}_$letter
            if test -n "$was"; and not string match -q '*__nix_foreign_*' -- $was
                # Ctrl-J that does something else than Enter.
                test $key = \n; and not string match -q '*execute*' -- $was; and test "$was" != "$enter"; and continue
                eval set -g $earlier $was
            end
            set enter $was
            set -l then
            for command in (set -q $earlier; and string collect -- $$earlier; or echo execute)
                contains -- $command (bind --function-names); and set command "commandline -f $command"
                set -a then $command
            end
            bind -M $mode $key "__nix_foreign_enter; and begin; $(string join '; ' -- $then); end"
        end
    end
end

if status is-interactive
    __nix_foreign_forget
    set -gx NIX_RUN_FOREIGN_HOOK '@mark@'
end
