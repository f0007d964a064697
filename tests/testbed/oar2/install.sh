# Packages, users and names.

readonly packages="oar-server oar-server-pgsql oar-user oar-user-pgsql oar-node oar-restful-api
    oar-common postgresql apache2 libapache2-mod-fcgid openssh-server openssl sudo curl iproute2
    procps apache2-utils"

install_packages() {
    local missing=() name
    for name in $packages; do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "without apt-get, install: ${missing[*]}"
    say "installing ${missing[*]}"
    mkdir -p "$log"
    # Debian starts what it installs, on all addresses; here nothing may start by itself.
    local policy=/usr/sbin/policy-rc.d made=no
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod 755 $policy
        made=yes
    fi
    local done=no
    if apt install "${missing[@]}" || { apt update && apt install "${missing[@]}"; }; then done=yes; fi
    [ $made = no ] || rm -f $policy
    if [ $done = no ]; then
        tail -20 "$log/apt.log" >&2
        die "apt-get could not install OAR (all of it is in $log/apt.log)"
    fi
}

apt() {
    local act=$1
    shift
    local options=(-o DPkg::Lock::Timeout=600 -y)
    [ "$act" = update ] || options+=(--no-install-recommends --no-upgrade)
    apt-get "${options[@]}" "$act" "$@" {lock}>&- >>"$log/apt.log" 2>&1
}

make_places() {
    mkdir -p $etc/ssl $run/fcgidsock $run/tmp $log /run/sshd
    chmod 755 $etc $etc/ssl $run
    chown oar:oar $run $run/fcgidsock $run/tmp
}

configure_names() {
    # A job tells its server of its end at the name of the host.
    name_is 127.0.0.1 "$(hostname)"
    local node user
    for node in $(seq "$nodes"); do name_is "127.0.0.$node" "node$node"; done
    for user in alice bob; do
        id $user >/dev/null 2>&1 || useradd -m -s /bin/bash $user
        # OAR reads outputs as their owner, but asks as somebody else whether they are there.
        chmod 755 "$(getent passwd $user | cut -d: -f6)"
    done
}

name_is() {
    getent ahostsv4 "$2" | grep -q '^127\.' || echo "$1 $2 # oar2-testbed" >>/etc/hosts
}
