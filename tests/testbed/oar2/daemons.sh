# Starting, stopping and asking each daemon: start_NAME, stop_NAME SIGNAL, runs NAME.

runs() {
    case $1 in
        database) pg_ctlcluster "$(postgres_version)" oar2 status >/dev/null 2>&1 ;;
        nodes) lives $run/sshd.pid sshd && listens $ssh_port ;;
        server) lives /run/oar-server.pid Almighty && listens $server_port ;;
        api) lives $run/apache2.pid apache2 && listens $http_port && listens $https_port ;;
    esac
}

# Whether the process of a pid file lives, and is what the file says that it is.
lives() {
    local pid
    pid=$(pid_of "$1")
    [ -n "$pid" ] && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q "$2"
}

pid_of() { [ ! -s "$1" ] || tr -dc 0-9 <"$1"; }

listens() { ss -ltnH "sport = :$1" | grep -q .; }

# Wait up to so many seconds for a command to succeed.
until_() {
    local tenths=$(($1 * 10))
    shift
    while ! "$@" >/dev/null 2>&1; do
        tenths=$((tenths - 1))
        [ $tenths -gt 0 ] || return 1
        sleep 0.1
    done
}

start_database() {
    runs database || pg_ctlcluster "$(postgres_version)" oar2 start {lock}>&- ||
        die "PostgreSQL does not start (see /var/log/postgresql)"
    until_ 30 ask_database postgres 'select 1' || die "PostgreSQL does not answer"
}

start_nodes() {
    rm -f $run/sshd.pid
    /usr/sbin/sshd -f $etc/sshd_config -E $log/sshd.log {lock}>&- || die "sshd does not start"
    until_ 10 listens $ssh_port || die "sshd does not listen on $ssh_port (see $log/sshd.log)"
    local node # The first visit also learns the nodes' keys.
    for node in $(seq "$nodes"); do
        su oar -s /bin/bash -c "ssh -p $ssh_port -e none -o BatchMode=yes node$node true" \
            >>$log/sshd.log 2>&1 || die "oar cannot reach node$node (see $log/sshd.log)"
    done
}

start_server() {
    rm -f /run/oar-server.pid
    oar-server {lock}>&- || die "the OAR server does not start (see /var/log/oar.log)"
    until_ 20 listens $server_port || die "the OAR server does not listen on $server_port (see /var/log/oar.log)"
}

start_api() {
    rm -f $run/apache2.pid
    env -i PATH="$PATH" LANG=C.UTF-8 /usr/sbin/apache2 -f $etc/apache2.conf -k start {lock}>&- ||
        die "apache does not start (see $log/apache-error.log)"
    until_ 20 listens $http_port || die "apache does not listen on $http_port (see $log/apache-error.log)"
}

stop_database() {
    local mode=fast
    [ "$1" != KILL ] || mode=immediate
    ! runs database || pg_ctlcluster "$(postgres_version)" oar2 stop -m $mode ||
        die "PostgreSQL does not stop"
}

stop_nodes() { end $run/sshd.pid sshd "$1" 10; }

stop_server() {
    local signal=$1
    # It puts its own processes away at INT alone.
    [ "$signal" = KILL ] || signal=INT
    end /run/oar-server.pid Almighty "$signal" 30
    [ "$signal" = INT ] || end_all 'Almighty'
}

stop_api() {
    end $run/apache2.pid apache2 "$1" 20
    [ "$1" != KILL ] || end_all "apache2 -f $etc/apache2.conf|oarapi.pl"
}

# Jobs, which outlive the server, and what starts them; ending, they end what they have started.
stop_jobs() {
    local signal pids
    for signal in TERM KILL; do
        pids=$(jobs_of_oar || true)
        [ -n "$pids" ] || return 0
        # shellcheck disable=SC2086 # one word for each
        kill -$signal $pids 2>/dev/null || true
        until_ 3 no_jobs || true
    done
}

jobs_of_oar() { pgrep -u oar -f 'OAREXEC|/usr/lib/oar/|^Almighty'; }

no_jobs() { ! jobs_of_oar; }

end() {
    local file=$1 name=$2 signal=$3 seconds=$4 pid
    pid=$(pid_of "$file")
    if [ -n "$pid" ] && lives "$file" "$name"; then
        kill -"$signal" "$pid"
        until_ "$seconds" gone "$pid" || kill -KILL "$pid" || true
    fi
    rm -f "$file"
}

gone() { ! kill -0 "$1"; }

end_all() {
    local pids
    pids=$(pgrep -u oar -f "$1" || true)
    # shellcheck disable=SC2086 # one word for each
    [ -z "$pids" ] || kill -KILL $pids 2>/dev/null || true
}

heal_nodes() {
    local node
    for node in $(ask_database oar "select distinct network_address from resources where state = 'Suspected'"); do
        oarnodesetting -s Alive -h "$node" >/dev/null
        say "$node was suspected, and is alive again"
    done
}

prove() {
    local api=http://127.0.0.1:$http_port/oarapi made state=none tries=0
    made=$(curl -sS -m 60 $api/jobs.json -H 'X_REMOTE_IDENT: alice' -H 'Content-Type: application/json' \
        -d '{"command":"/bin/true","resources":"/resource_id=1,walltime=0:1:0","name":"testbed-proof"}' |
        sed -n 's/.*"id" : \([0-9]*\).*/\1/p')
    [ -n "$made" ] || die "OAR takes no job (see $log/apache-error.log and /var/log/oar.log)"
    # Others may have filled it; then it waits, and that is no fault.
    while [ $tries -lt 150 ]; do
        state=$(curl -sS -m 60 "$api/jobs/$made.json" -H 'X_REMOTE_IDENT: alice' |
            sed -n 's/.*"state" : "\([A-Za-z]*\)".*/\1/p')
        case $state in
            Terminated)
                say "ready: job $made has run; $api"
                return
                ;;
            Error) die "job $made of alice ended in Error: oarstat -fj $made; /var/log/oar.log" ;;
        esac
        tries=$((tries + 1))
        sleep 0.2
    done
    die "job $made of alice is still $state: oarstat -fj $made; /var/log/oar.log"
}
