# A fish with the hook → the fish as it was. Printed by `nix-foreign hook fish --off`.
functions -q __nix_foreign_prompt; and __nix_foreign_prompt
if test -n "$__nix_foreign_earlier_nix_ld"
    set -gx $__nix_foreign_nix_ld (string sub -s 2 -- $__nix_foreign_earlier_nix_ld)
else if test -n "$__nix_foreign_nix_ld"
    set -e $__nix_foreign_nix_ld
end
set -e NIX_RUN_FOREIGN_HOOK
for mode in default insert
    for key in \r \n
        bind -M $mode --user $key 2>/dev/null | string match -q '*__nix_foreign_*'; or continue
        bind -e -M $mode $key
        set -l earlier __nix_foreign_earlier_{$mode}_(string escape -- $key | string sub -s 2)
        set -q $earlier; and bind -M $mode $key $$earlier
    end
end
set -l names (functions -a | string match '__nix_foreign_*')
set -q names[1]; and functions -e $names
set names (set --names | string match '__nix_foreign_*')
set -q names[1]; and set -e $names
true
