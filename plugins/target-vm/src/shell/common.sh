# What every script of the plugin begins with. The whole script is one block: a shell that got half of it does nothing. Said on standard
# output, a line each: what was found, and at the end `done`, `superseded FENCE`, `busy`, or `failed WHY`.
umask 022
export LC_ALL=C

fail() {
    printf 'failed %s\n' "$*"
    exit 0
}

# Writes a file whole or not at all: beside its place, flushed, then renamed. On a full disk the room that was kept for that is given away: the way
# back from what has filled it begins with such a file.
keep() {
    written "$1" "$2" || { rm -f "$SCOPE/spare" && written "$1" "$2"; } || fail "$1 cannot be written"
}

written() {
    { printf '%s\n' "$2" >"$1.new" && sync "$1.new" && mv -f "$1.new" "$1"; } 2>/dev/null
}

# Says the highest fence that was seen here; 0 where there is none. What is not a number is nobody's fence.
seen() {
    found=0
    [ -e "$SCOPE/fence" ] && { found=$(cat "$SCOPE/fence") || fail "$SCOPE/fence cannot be read"; }
    case $found in
    '' | *[!0-9]*) fail "$SCOPE/fence holds no number" ;;
    esac
    printf '%s' "$found"
}

# Takes the lock and holds the fence against the highest one that was seen; a higher one is written down before anything is done.
guard() {
    mkdir -p "$SCOPE" || fail "$SCOPE cannot be made"
    [ -e "$SCOPE/spare" ] || head -c 65536 /dev/zero >"$SCOPE/spare" 2>/dev/null || true
    exec 9>>"$SCOPE/lock" || fail "$SCOPE/lock cannot be opened"
    flock -w 4 9 || {
        echo busy
        exit 0
    }
    highest=$(seen)
    case $highest in failed*)
        echo "$highest"
        exit 0
        ;;
    esac
    if [ "$FENCE" -lt "$highest" ]; then
        echo "superseded $highest"
        exit 0
    fi
    [ "$FENCE" -eq "$highest" ] || keep "$SCOPE/fence" "$FENCE"
}
