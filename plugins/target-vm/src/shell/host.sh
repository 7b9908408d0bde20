# What the plugin does on a host. Variables: SCOPE (the service's folder), UNIT (the units' name but for the slot), SUPERVISOR, FOLDER (where
# the supervisor looks for its units), ADDRESS (where the service listens).

# Says how a slot's unit is: `up`, `down`, or `absent`.
unit() {
    case $SUPERVISOR in
    runit)
        link=$FOLDER/$UNIT-$1
        [ "$(readlink "$link" 2>/dev/null)" = "$SCOPE/slots/$1/service" ] || {
            echo absent
            return
        }
        said=$(sv status "$link" 2>&1)
        case $said in
        run:*) echo up ;;
        *) echo down ;;
        esac
        ;;
    s6)
        link=$FOLDER/$UNIT-$1
        # A scan that did not see it yet, or never came, has nobody look after it.
        { [ "$(readlink "$link" 2>/dev/null)" = "$SCOPE/slots/$1/service" ] && s6-svok "$link"; } || {
            echo absent
            return
        }
        said=$(s6-svstat -o up "$link" 2>&1)
        case $said in
        true) echo up ;;
        *) echo down ;;
        esac
        ;;
    systemd)
        [ -e "$FOLDER/$UNIT-$1.service" ] || {
            echo absent
            return
        }
        said=$(systemctl show -p ActiveState --value "$UNIT-$1.service" 2>&1)
        case $said in
        active) echo up ;;
        *) echo down ;;
        esac
        ;;
    esac
}

# Has the supervisor run a slot's unit, from wherever it is.
begin() {
    case $SUPERVISOR in
    runit)
        mkdir -p "$FOLDER" || fail "$FOLDER cannot be made"
        ln -sfn "$SCOPE/slots/$1/service" "$FOLDER/$UNIT-$1" || fail "$FOLDER cannot be written"
        # One that waits for its supervisor is started by it; one that was stopped is not.
        sv up "$FOLDER/$UNIT-$1" >/dev/null 2>&1
        ;;
    s6)
        mkdir -p "$FOLDER" || fail "$FOLDER cannot be made"
        ln -sfn "$SCOPE/slots/$1/service" "$FOLDER/$UNIT-$1" || fail "$FOLDER cannot be written"
        command -v s6-svscanctl >/dev/null || fail "the host has no s6"
        # Where nobody scans, as while a host boots, it is not ready, and the log says why.
        s6-svscanctl -a "$FOLDER" 2>/dev/null
        # One that is new is started by its supervisor; one that was stopped is not.
        s6-svc -u "$FOLDER/$UNIT-$1" 2>/dev/null
        ;;
    systemd)
        cp "$SCOPE/slots/$1/unit" "$FOLDER/$UNIT-$1.service" || fail "$FOLDER cannot be written"
        { systemctl daemon-reload && systemctl enable --quiet "$UNIT-$1.service"; } 2>/dev/null || fail "systemd does not take $UNIT-$1"
        systemctl reset-failed "$UNIT-$1.service" 2>/dev/null
        systemctl start --no-block "$UNIT-$1.service" || fail "systemd does not start $UNIT-$1"
        ;;
    esac
}

# Asks a slot's unit to end; after STOP seconds it is killed. Returns whether it has ended.
ended() {
    # By the time since the host was started, which nobody sets; after another start it counts anew.
    now=$(cut -d . -f 1 /proc/uptime)
    asked=$(cat "$SCOPE/slots/$1/stopping" 2>/dev/null)
    [ "${asked:-$((now + 1))}" -le "$now" ] || {
        asked=$now
        keep "$SCOPE/slots/$1/stopping" "$now"
    }
    late=$((now - asked))
    case $SUPERVISOR in
    runit)
        service=$SCOPE/slots/$1/service
        rm -f "$FOLDER/$UNIT-$1"
        # Nobody supervises it: nobody runs it.
        sv status "$service" >/dev/null 2>&1 || return 0
        sv exit "$service" >/dev/null 2>&1
        [ "$late" -lt "$STOP" ] || sv kill "$service" >/dev/null 2>&1
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            sv status "$service" >/dev/null 2>&1 || return 0
            sleep 0.1
        done
        return 1
        ;;
    s6)
        service=$SCOPE/slots/$1/service
        # What cannot be asked may run.
        command -v s6-svok >/dev/null || fail "the host has no s6"
        [ ! -e "$service/supervise" ] || [ -x "$service/supervise" ] || fail "s6 looks after $service as another user"
        rm -f "$FOLDER/$UNIT-$1"
        # Whoever scans ends what has lost its link, log and all; what nobody scans any more is told by itself.
        s6-svscanctl -an "$FOLDER" 2>/dev/null || for of in "$service" "$service/log"; do s6-svc -xd "$of" 2>/dev/null; done
        [ "$late" -lt "$STOP" ] || for of in "$service" "$service/log"; do s6-svc -k "$of" 2>/dev/null; done
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            s6-svok "$service" || s6-svok "$service/log" || return 0
            sleep 0.1
        done
        return 1
        ;;
    systemd)
        systemctl disable --quiet "$UNIT-$1.service" 2>/dev/null
        systemctl stop --no-block "$UNIT-$1.service" 2>/dev/null
        [ "$late" -lt "$STOP" ] || systemctl kill --signal=KILL "$UNIT-$1.service" 2>/dev/null
        case $(systemctl show -p ActiveState --value "$UNIT-$1.service") in
        active | activating | deactivating | reloading) return 1 ;;
        esac
        rm -f "$FOLDER/$UNIT-$1.service"
        systemctl daemon-reload
        return 0
        ;;
    esac
}

# Whether a path of the service answers with success. The first program that can ask does.
answers() {
    if command -v bash >/dev/null; then
        timeout 3 bash -c 'exec 3<>"/dev/tcp/$1/$2" || exit 1
            printf "GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n" "$3" "$1" >&3
            IFS= read -r line <&3
            case $line in "HTTP/1."[01]" 2"*) exit 0 ;; esac
            exit 1' probe "$ADDRESS" "$1" "$2" 2>/dev/null
    elif command -v curl >/dev/null; then
        curl -fsS -m 3 -o /dev/null "http://$ADDRESS:$1$2" 2>/dev/null
    elif command -v wget >/dev/null; then
        wget -q -T 3 -O /dev/null "http://$ADDRESS:$1$2" 2>/dev/null
    else
        fail "the host has none of bash, curl and wget, so whether the service is ready cannot be asked"
    fi
}

# Says what is in a slot.
slot() {
    place=$SCOPE/slots/$1
    [ -e "$place/identity" ] || return 0
    state=$(unit "$1")
    ready=no
    read -r port path <"$place/readiness"
    case $state in
    up)
        if [ "$path" = - ] || answers "$port" "$path"; then ready=yes; fi
        ;;
    esac
    files=ok
    (cd "$place" && sha256sum -c sums) >/dev/null 2>&1 || files=edited
    if [ "$SUPERVISOR" = systemd ] && ! cmp -s "$place/unit" "$FOLDER/$UNIT-$1.service"; then files=edited; fi
    starts=$(wc -l 2>/dev/null <"$place/starts" || echo 0)
    printf 'slot %s %s %s port %s starts %s ready %s files %s unit %s\n' "$1" "$(cat "$place/identity")" "$(cat "$place/side")" "$port" \
        "$starts" "$ready" "$files" "$state"
}

# Says what is here.
look() {
    highest=$(seen)
    case $highest in failed*) fail "${highest#failed }" ;; esac
    echo "fence $highest"
    for sums in "$SCOPE"/releases/*.sums; do
        [ -e "$sums" ] || continue
        name=${sums##*/}
        name=${name%.sums}
        state=whole
        [ -n "$(find "$SCOPE/releases/$name" -type f -newer "$sums" 2>/dev/null | head -n 1)" ] && state=edited
        [ "$(find "$SCOPE/releases/$name" -type f 2>/dev/null | wc -l)" -eq "$(wc -l <"$sums")" ] || state=edited
        echo "release $name $state $(stat -c %Y "$sums")"
    done
    for place in "$SCOPE"/incoming/*; do
        [ ! -d "$place" ] || echo "incoming ${place##*/}"
    done
    slot a
    slot b
    echo done
}

# Says the last lines that a slot's unit wrote.
log() {
    case $SUPERVISOR in
    runit) tail -n 12 "$SCOPE/slots/$1/log/current" 2>/dev/null ;;
    s6)
        tail -n 12 "$SCOPE/slots/$1/log/current" 2>/dev/null
        s6-svscanctl -a "$FOLDER" 2>&1 | sed -n 's/^s6-svscanctl: fatal: .*: /no s6-svscan looks into its folder: /p'
        ;;
    systemd)
        # What the program itself said; where it said nothing, what systemd says of it.
        said=$(journalctl -q "_SYSTEMD_UNIT=$UNIT-$1.service" -n 12 --no-pager -o cat 2>/dev/null)
        printf '%s\n' "${said:-$(journalctl -q -u "$UNIT-$1.service" -n 12 --no-pager -o cat 2>/dev/null)}"
        ;;
    esac | cut -c 1-300 | sed 's/^/line /'
    echo done
}

# Names the sides of what runs: the same release changes sides when it is promoted.
claim() {
    for pair in $SIDES; do
        place=$SCOPE/slots/${pair%%=*}
        [ ! -e "$place/identity" ] || [ "$(cat "$place/side")" = "${pair#*=}" ] || keep "$place/side" "${pair#*=}"
    done
    echo done
}

# Makes room for a release's files, after a look at the space that is left.
prepare() {
    free=$(df -Pk "$SCOPE" | { read -r _ && read -r _ _ _ free _ && echo "$free"; })
    case $free in '' | *[!0-9]*) fail "df does not say how much space is left in $SCOPE" ;; esac
    [ "$free" -ge "$NEED" ] || fail "the release needs $NEED KiB in $SCOPE, $free are left"
    mkdir -p "$SCOPE/releases" "$SCOPE/slots" "$SCOPE/incoming/$DIGEST" || fail "$SCOPE cannot be written"
    [ -z "${SUDO_USER:-}" ] || chown "$SUDO_USER" "$SCOPE/incoming" "$SCOPE/incoming/$DIGEST"
}

# Says how much of a file has come.
have() {
    if [ ! -f "$SCOPE/incoming/$DIGEST/$2" ]; then
        echo have nothing
        return
    fi
    size=$(wc -c <"$SCOPE/incoming/$DIGEST/$2")
    if [ "$size" -gt "$1" ]; then
        rm -f "$SCOPE/incoming/$DIGEST/$2"
        size=nothing
    fi
    echo "have $size"
}

# Compares all checksums, takes away all write permissions, and gives the release its name. FILES are those that may be executed.
seal() {
    from=$SCOPE/incoming/$DIGEST
    to=$SCOPE/releases/$DIGEST
    [ ! -e "$to.sums" ] || {
        echo done
        return
    }
    printf '%s' "$SUMS" >"$from.sums" || fail "$from.sums cannot be written"
    wrong=$(cd "$from" && sha256sum -c "$from.sums" 2>/dev/null | grep -v ': OK$' | head -n 1)
    [ -z "$wrong" ] && (cd "$from" && sha256sum -c "$from.sums" >/dev/null 2>&1) || {
        rm -rf "$from"
        fail "a checksum is another one than that of the artifact: ${wrong:-a file is missing}"
    }
    [ "$(find "$from" -type f | wc -l)" -eq "$(wc -l <"$from.sums")" ] || {
        rm -rf "$from"
        fail "there are more files in $from than in the artifact"
    }
    [ -z "${SUDO_USER:-}" ] || chown -R root "$from"
    find "$from" -type d -exec chmod 755 {} + && find "$from" -type f -exec chmod 444 {} + || fail "$from cannot be made read-only"
    printf '%s' "$FILES" | (cd "$from" && while IFS= read -r file; do chmod 555 "$file" || exit 1; done) || fail "a program cannot be made one"
    sync -f "$from"
    rm -rf "$to"
    mv "$from" "$to" && touch "$from.sums" && mv "$from.sums" "$to.sums" || fail "$to cannot be made"
    echo done
}

# Writes a file of a slot.
file() {
    mkdir -p "$(dirname "$place.new/$2")" && printf '%s' "$3" >"$place.new/$2" && chmod "$1" "$place.new/$2" || fail "$place/$2 cannot be written"
}

# Begins a slot anew: the folder that was there is gone, its files are checked from now on.
fresh() {
    place=$SCOPE/slots/$1
    [ ! -e "$place" ] || ended "$1" || {
        echo busy
        exit 0
    }
    rm -rf "$place" "$place.new"
    mkdir -p "$place.new/config" || fail "$place.new cannot be made"
}

# Gives the configuration to the user that the service runs as.
owned() {
    chown -R "$1" "$place.new/config" || fail "$place/config cannot be given to $1"
}

# Puts the new folder in its place and has it run.
start() {
    (cd "$place.new" && find . -type f | sort | xargs sha256sum >../sums.new && mv ../sums.new sums) || fail "$place cannot be summed up"
    echo "$SIDE" >"$place.new/side"
    sync -f "$place.new"
    mv "$place.new" "$place" || fail "$place cannot be made"
    begin "$1"
    echo done
}

# Has what is there run again: its unit is gone, as after a reboot, or ended.
again() {
    rm -f "$SCOPE/slots/$1/stopping"
    begin "$1"
    echo done
}

# Ends what runs in a slot and empties it.
stop() {
    if [ -e "$SCOPE/slots/$1" ]; then
        ended "$1" || {
            echo busy
            exit 0
        }
        rm -rf "$SCOPE/slots/$1"
    fi
    echo done
}

# Removes releases that nobody needs, and what never became one.
collect() {
    for name in $RELEASES; do
        rm -f "$SCOPE/releases/$name.sums"
        chmod -R u+w "$SCOPE/releases/$name" 2>/dev/null
        rm -rf "$SCOPE/releases/$name" "$SCOPE/incoming/$name" "$SCOPE/incoming/$name.sums"
    done
    echo done
}
