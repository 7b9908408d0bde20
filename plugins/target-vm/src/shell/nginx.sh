# What the plugin does on a host with nginx. Variables: SCOPE, PROGRAM, CONFIGURATION (or nothing), PIDFILE, UPSTREAM, INCLUDE (the file with the
# upstream's servers), ROUTES (the file with the routes, or nothing), VARIABLE (that the routes are told by).

# Runs nginx's program with its configuration.
nginx_with() {
    if [ -n "$CONFIGURATION" ]; then "$PROGRAM" -c "$CONFIGURATION" "$@"; else "$PROGRAM" "$@"; fi
}

# Finds the workers that take requests, and counts those that only finish theirs.
workers() {
    taking=
    ending=0
    master=$(cat "$PIDFILE" 2>/dev/null) || return 0
    for worker in $(cat "/proc/$master/task/$master/children" 2>/dev/null); do
        case $(tr '\0' ' ' <"/proc/$worker/cmdline" 2>/dev/null) in
        *'worker process is shutting down'*) ending=$((ending + 1)) ;;
        *'worker process'*) taking="$taking $worker" ;;
        esac
    done
}

# Says the checksum of the files that nginx was given.
given() {
    cat "$INCLUDE" ${ROUTES:+"$ROUTES"} 2>/dev/null | sha256sum
}

# Says what of the routes nginx's configuration, which is read here, does not use.
lacking() {
    found=$(cat)
    case $found in *"# configuration file $ROUTES:"*) ;; *) echo "lacks \`include $ROUTES\`" ;; esac
    case $found in *"proxy_pass http://\$$VARIABLE;"*) ;; *) echo "lacks \`proxy_pass http://\$$VARIABLE;\`" ;; esac
    case $found in *"proxy_pass http://\$${VARIABLE}_copy\$request_uri;"*) ;; *) echo "lacks \`proxy_pass http://\$${VARIABLE}_copy\$request_uri;\`" ;; esac
}

# Says what is here: the fence, what was ordered last, the upstream's block, its servers, its routes, and whether nginx runs with them.
look() {
    highest=$(seen)
    case $highest in failed*) fail "${highest#failed }" ;; esac
    echo "fence $highest"
    [ ! -e "$SCOPE/order" ] || sed 's/^/order /' "$SCOPE/order"
    workers
    if [ -z "$taking" ]; then
        echo "silent nginx does not run by $PIDFILE"
    else
        echo "ending $ending"
        nginx_with -T 2>/dev/null | sed -n "/^[[:space:]]*upstream[[:space:]]*${UPSTREAM}[[:space:]]*{/,/}/p" | sed 's/^/block /'
        [ "$(given)" = "$(cat "$SCOPE/loaded" 2>/dev/null)" ] || echo unloaded
        sed -n 's/^server /server /p' "$INCLUDE" 2>/dev/null
        if [ -n "$ROUTES" ]; then
            nginx_with -T 2>/dev/null | lacking
            sed 's/^/route /' "$ROUTES" 2>/dev/null
        fi
    fi
    echo done
}

claim() {
    echo done
}

# Writes down what is ordered, gives nginx the servers as a file that is renamed into its place, and waits until new workers run with it.
apply() {
    [ -z "$ORDER" ] || keep "$SCOPE/order" "$ORDER"
    for file in "$INCLUDE" ${ROUTES:+"$ROUTES"}; do cp "$file" "$SCOPE/before-${file##*/}" 2>/dev/null || : >"$SCOPE/before-${file##*/}"; done
    [ -z "$TABLE" ] || keep "$ROUTES" "$TABLE"
    keep "$INCLUDE" "$SERVERS"
    said=$(nginx_with -t -q 2>&1) || {
        for file in "$INCLUDE" ${ROUTES:+"$ROUTES"}; do cp "$SCOPE/before-${file##*/}" "$file"; done
        fail "nginx refuses its configuration: $(printf '%s' "$said" | head -n 1)"
    }
    workers
    before=" $taking "
    nginx_with -s reload 2>/dev/null || fail "nginx does not take the signal to reload"
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
        workers
        for worker in $taking; do
            case $before in
            *" $worker "*) ;;
            *)
                keep "$SCOPE/loaded" "$(given)"
                echo done
                return
                ;;
            esac
        done
        sleep 0.1
    done
    fail "nginx runs on with its old configuration; its error log says why"
}
