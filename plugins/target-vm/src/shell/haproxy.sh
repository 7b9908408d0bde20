# What the plugin does on a balancer's host. Variables: SCOPE, SOCKET (of HAProxy's runtime API), BACKEND, STATE (the file that HAProxy reads
# when it starts, or nothing).

# Asks HAProxy, with the first program that can. Its exit status says nothing about what HAProxy made of it: the answer does.
ask() {
    case $SOCKET in
    /*)
        if command -v socat >/dev/null; then
            printf '%s\n' "$1" | timeout 5 socat -t 5 - "UNIX-CONNECT:$SOCKET"
        elif command -v perl >/dev/null; then
            timeout 5 perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$!\n"; print $s "$ARGV[1]\n";
                shutdown $s, 1; print while <$s>' "$SOCKET" "$1"
        else
            fail "the host has neither socat nor perl to speak to $SOCKET; a stats socket on 127.0.0.1:PORT needs bash alone"
        fi
        ;;
    *)
        if command -v bash >/dev/null; then
            timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2" || exit 1; printf "%s\n" "$3" >&3; cat <&3' ask "${SOCKET%:*}" "${SOCKET##*:}" "$1"
        elif command -v socat >/dev/null; then
            printf '%s\n' "$1" | timeout 5 socat -t 5 - "TCP:$SOCKET"
        else
            fail "the host has neither bash nor socat to speak to $SOCKET"
        fi
        ;;
    esac 2>/dev/null
}

# Says what is here: the fence, what was ordered last, and what HAProxy says.
look() {
    highest=$(seen)
    case $highest in failed*) fail "${highest#failed }" ;; esac
    echo "fence $highest"
    [ ! -e "$SCOPE/order" ] || sed 's/^/order /' "$SCOPE/order"
    said=$(ask "show stat $BACKEND 6 -1") || said=
    case $said in
    '# '*)
        printf '%s\n' "$said" | sed 's/^/stat /'
        [ ! -e "$SCOPE/counts" ] || sed 's/^/count /' "$SCOPE/counts"
        ;;
    failed*) fail "${said#failed }" ;;
    '') echo "silent nobody answers at $SOCKET" ;;
    *) echo "silent $said" | head -n 1 ;;
    esac
    echo done
}

claim() {
    echo done
}

# Writes down what is ordered, has HAProxy do it, a line of COMMANDS after the other, and keeps its state for its next start. A server that is still
# used is not removed, which the next look shows.
apply() {
    said=
    [ -z "$ORDER" ] || keep "$SCOPE/order" "$ORDER"
    [ -z "$COMMANDS" ] || said=$(printf '%s\n' "$COMMANDS" | while IFS= read -r commands; do ask "$commands" || echo "nothing"; done |
        grep -v -e '^New server registered\.$' -e '^Server deleted\.$' -e '^Server still has connections' -e '^$' | head -n 1)
    if [ -n "$said" ]; then
        added=$(printf '%s\n' "$COMMANDS" | tr ';' '\n' | sed -n 's/^add server \([^ ]*\) .*/ \1/p' | head -n 3 | tr -d '\n')
        fail "HAProxy says: $said${added:+; it was to add$added}"
    fi
    # From here on it is counted who is given what.
    [ -z "$COMMANDS" ] || keep "$SCOPE/counts" "$(ask "show stat $BACKEND 4 -1" | cut -d , -f 2,8 | tr , ' ')"
    if [ -n "$STATE" ]; then
        kept=$(ask "show servers state")
        case $kept in
        1*) keep "$STATE" "$kept" ;;
        *) fail "HAProxy does not say its servers' state" ;;
        esac
    fi
    echo done
}
