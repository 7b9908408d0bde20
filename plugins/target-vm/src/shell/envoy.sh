# What the plugin does on a host with Envoy. Variables: SCOPE, ADMIN (Envoy's admin interface), CLUSTER, FOLDER (of the files that Envoy reads),
# ROUTES (yes, or nothing).

# Asks the admin interface.
ask() {
    case $ADMIN in
    /*)
        command -v curl >/dev/null || fail "the host has no curl to speak to $ADMIN"
        curl -sf -m 5 --unix-socket "$ADMIN" "http://admin$1"
        ;;
    *)
        if command -v curl >/dev/null; then
            curl -sf -m 5 --noproxy '*' "http://$ADMIN$1"
        elif command -v wget >/dev/null; then
            wget -q -T 5 -t 1 --no-proxy -O - "http://$ADMIN$1"
        else
            fail "the host has neither curl nor wget to speak to $ADMIN"
        fi
        ;;
    esac 2>/dev/null
}

# Says in one line how some of Envoy is set up; nothing where it has nothing of that kind.
dump() {
    printf '%s ' "$1"
    ask "/config_dump?resource=$2&name_regex=$3" | tr -d '\n'
    echo
}

# Says what is here: the fence, what was ordered last, the clusters with their servers, and the routes in force.
look() {
    highest=$(seen)
    case $highest in failed*) fail "${highest#failed }" ;; esac
    echo "fence $highest"
    [ ! -e "$SCOPE/order" ] || sed 's/^/order /' "$SCOPE/order"
    said=$(ask /clusters) || true
    case $said in
    failed*) fail "${said#failed }" ;;
    '') echo "silent nobody answers at $ADMIN" ;;
    *)
        printf '%s\n' "$said" | grep -E '::(hostname|health_flags|weight|rq_active|rq_total)::' | sed -n -e "s/^$CLUSTER::/host &/p" \
            -e "s/^$CLUSTER-stable::/host &/p" -e "s/^$CLUSTER-candidate::/host &/p"
        [ ! -e "$SCOPE/counts" ] || sed 's/^/count /' "$SCOPE/counts"
        for kind in static_clusters dynamic_active_clusters; do dump clusters "$kind" "$CLUSTER(-stable%7C-candidate)%3F"; done
        [ -z "$ROUTES" ] || dump routes dynamic_route_configs "$CLUSTER"
        ;;
    esac
    echo done
}

claim() {
    echo done
}

# Writes down what is ordered, and gives Envoy its files, each renamed into its place: the servers of the sides, the routes, and the servers by weight.
apply() {
    [ -z "$ORDER" ] || keep "$SCOPE/order" "$ORDER"
    [ -z "$STABLE" ] || keep "$FOLDER/$CLUSTER-stable.json" "$STABLE"
    [ -z "$CANDIDATE" ] || keep "$FOLDER/$CLUSTER-candidate.json" "$CANDIDATE"
    [ -z "$TABLE" ] || keep "$FOLDER/$CLUSTER-routes.json" "$TABLE"
    keep "$FOLDER/$CLUSTER.json" "$SERVERS"
    # From here on it is counted who is given what.
    keep "$SCOPE/counts" "$(ask /clusters | sed -n "s/^$CLUSTER::\(.*\)::rq_total::\([0-9]*\)$/\1 \2/p")"
    echo done
}
