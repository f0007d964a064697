#!/usr/bin/env bash
# A real OAR 2.5 for the tests: Debian's packages, on the loopback interface alone.
#
#   oar2.sh up [--fast]      install what is missing, configure, start what does not run, prove it by a job
#   oar2.sh down [--purge]   stop everything; --purge also forgets its jobs, accounts' files stay
#   oar2.sh start DAEMON...  start one by its name:  database nodes server api
#   oar2.sh stop DAEMON...   stop one
#   oar2.sh kill DAEMON...   stop one without letting it finish anything
#   oar2.sh status           one line for each; ends with 0 if all run
#
# It needs root and apt; a machine that has nothing of it is ready within half a minute.  `up` may be
# repeated at any time and changes nothing that is in order.  --fast: a database that forgets what
# it was told when the machine crashes, for machines that are thrown away.
#
# This is a machine for tests: whoever is on it may act as any of OAR's users.
#   http://127.0.0.1:6668/oarapi         says for whom it acts in X_REMOTE_IDENT: alice or bob
#   http://127.0.0.1:6668/oarapi-priv    basic: alice alicepw, bob bobpw
#   http://127.0.0.1:6668/oarapi-public  nobody
#   https://localhost:6669/oarapi-cigri  with the certificate /etc/oar/testbed/ssl/cigri.{crt,key}
# Two nodes, node1 and node2, with 8 cores each.  PostgreSQL on 5466, the OAR server on 6666, the
# nodes' sshd on 6667.  Configuration in /etc/oar, logs in /var/log/oar.log and /var/log/oar2-testbed.
#
# From the environment: OAR2_NODES, OAR2_CORES (of a node; for a new database), OAR2_SCHED_MIN
# (seconds between two runs of the scheduler; OAR's own default is 5), OAR2_FCGID_STOCK=1 (mod_fcgid
# as it is shipped: it drops one request in fifty, and takes bodies of 128 KiB).
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

readonly nodes=${OAR2_NODES:-2} cores=${OAR2_CORES:-8}
readonly database_port=5466 server_port=6666 ssh_port=6667 http_port=6668 https_port=6669
readonly etc=/etc/oar/testbed run=/run/oar2-testbed log=/var/log/oar2-testbed
readonly daemons="database nodes server api"
fast=no

say() { printf 'oar2: %s\n' "$*"; }
die() {
    printf 'oar2: %s\n' "$*" >&2
    exit 1
}

# The functions of each part: install, configure, fill; and start, stop and ask a daemon.
# shellcheck source=SCRIPTDIR/oar2/install.sh
. "$here/oar2/install.sh"
# shellcheck source=SCRIPTDIR/oar2/configure.sh
. "$here/oar2/configure.sh"
# shellcheck source=SCRIPTDIR/oar2/daemons.sh
. "$here/oar2/daemons.sh"

up() {
    not_a_real_one
    install_packages
    make_places
    configure_names
    configure_oar
    configure_nodes
    configure_api
    local name
    configure_database
    start_database
    fill_database
    for name in nodes server api; do
        runs "$name" || "start_$name"
    done
    configure_resources
    heal_nodes
    prove
}

# The account `oar`, the ports and the configuration of an OAR that others use are not ours to touch.
not_a_real_one() {
    if [ ! -d $etc ] && { lives /run/oar-server.pid Almighty || listens $server_port; }; then
        die "an OAR that is not the tests' runs on this machine: use another one"
    fi
}

down() {
    [ -d $etc ] || die "nothing of the tests' OAR is on this machine"
    local name
    for name in api server jobs nodes database; do
        "stop_$name" TERM
    done
    [ "${1:-}" != --purge ] || purge
}

each() {
    local act=$1 name
    shift
    [ $# -gt 0 ] || die "name one of: $daemons"
    for name; do
        case " $daemons " in *" $name "*) ;; *) die "no daemon is called $name, only: $daemons" ;; esac
        case $act in
            start) runs "$name" || "start_$name" ;;
            stop) "stop_$name" TERM ;;
            kill) "stop_$name" KILL ;;
        esac
    done
    # Nodes that could not be reached are suspected until somebody says otherwise.
    if [ "$act" = start ] && all_run; then heal_nodes; fi
}

status() {
    local name all=0
    for name in $daemons; do
        if runs "$name"; then say "$name runs"; else
            say "$name does not run"
            all=1
        fi
    done
    return $all
}

all_run() { status >/dev/null; }

[ "$(id -u)" = 0 ] || die "only root can bring up OAR"
command=${1:-}
[ $# -eq 0 ] || shift
if [ "$command" != status ]; then
    # Two at a time would start everything twice.  The daemons do not inherit the lock.
    exec {lock}>/run/oar2-testbed.lock
    flock -w 300 "$lock" || die "another one has been at it for five minutes"
fi
case $command in
    up)
        [ "${1:-}" != --fast ] || fast=yes
        up
        ;;
    down) down "$@" ;;
    start | stop | kill) each "$command" "$@" ;;
    status) status ;;
    *) die "say up, down, start, stop, kill or status" ;;
esac
