# Lines, one after another in a file → for each what fish would offer behind it. Arguments: completions, lines.
source $argv[1]
while read -l line
    echo "$line|"
    for offer in (complete -C $line)
        echo "  "(string split -f 1 \t -- $offer)
    end
end <$argv[2]
