# Configuration files, the database, and the resources in it.

configure_oar() {
    local conf=/etc/oar/oar.conf
    [ -e $conf.dist ] || cp -p $conf $conf.dist
    cp -p $conf.dist $conf.new
    set_key DB_TYPE Pg
    set_key DB_HOSTNAME 127.0.0.1
    set_key DB_PORT $database_port
    set_key DB_BASE_NAME oar
    set_key DB_BASE_LOGIN oar
    set_key DB_BASE_PASSWD oar2pass
    set_key DB_BASE_LOGIN_RO oar_ro
    set_key DB_BASE_PASSWD_RO oar2ropass
    set_key SERVER_HOSTNAME 127.0.0.1
    set_key SERVER_PORT $server_port
    set_key LOG_LEVEL 2
    set_key DEPLOY_HOSTNAME 127.0.0.1
    set_key COSYSTEM_HOSTNAME 127.0.0.1
    set_key OPENSSH_CMD "/usr/bin/ssh -p $ssh_port -e none"
    set_key MAX_CONCURRENT_JOBS_STARTING_OR_TERMINATING 25
    # Every node is always in order, unless a job finds that it is not.
    unset_key PINGCHECKER_SENTINELLE_SCRIPT_COMMAND
    set_key PINGCHECKER_GENERIC_COMMAND /bin/true
    set_key FINAUD_FREQUENCY 0
    # Containers have no cpusets to give.
    unset_key JOB_RESOURCE_MANAGER_PROPERTY_DB_FIELD
    unset_key JOB_RESOURCE_MANAGER_FILE
    unset_key CPUSET_PATH
    set_key SCHEDULER_JOB_SECURITY_TIME 1
    set_key SCHEDULER_MIN_TIME_BETWEEN_2_CALLS "${OAR2_SCHED_MIN:-0}"
    set_key SCHEDULER_GANTT_HOLE_MINIMUM_TIME 1
    set_key SCHEDULER_TIMEOUT 60
    set_key SCHEDULER_NB_PROCESSES "$(nproc)"
    set_key JOBDEL_SOFTWALLTIME 30
    set_key JOBDEL_WALLTIME 60
    set_key API_TRUST_IDENT 1
    if cmp -s $conf $conf.new; then
        rm -f $conf.new
    else
        ! runs server || say "oar.conf has changed: down and up to have it read"
        mv -f $conf.new $conf
        chown oar:root $conf
        chmod 600 $conf
    fi
    # Debian's server listens on all addresses.
    sed -i 's|IO::Socket::INET->new(LocalPort=> \$serverport,|IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort=> $serverport,|' \
        /usr/lib/oar/Almighty
    grep -q 'LocalAddr *=> *"127.0.0.1"' /usr/lib/oar/Almighty ||
        die "this version of OAR would listen on all addresses (see /usr/lib/oar/Almighty)"
}

set_key() {
    local file=/etc/oar/oar.conf.new
    if grep -qE "^#?$1=" $file; then
        sed -i -E "0,/^#?$1=.*/s||$1=\"$2\"|" $file
    else
        echo "$1=\"$2\"" >>$file
    fi
}

unset_key() { sed -i "s|^$1=|#&|" /etc/oar/oar.conf.new; }

configure_nodes() {
    [ -s /var/lib/oar/.ssh/id_rsa ] || die "OAR has no key in /var/lib/oar/.ssh: install oar-common again"
    [ -s /etc/oar/oar_ssh_host_rsa_key ] || ssh-keygen -q -t rsa -N '' -f /etc/oar/oar_ssh_host_rsa_key
    {
        echo "Port $ssh_port"
        printf 'ListenAddress 127.0.0.%d\n' $(seq "$nodes")
        cat "$here/oar2/sshd_config"
    } >$etc/sshd_config
}

configure_api() {
    local made=$etc/ssl name subject
    if [ ! -s $made/cigri.key ]; then
        x509 req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/O=oar2-testbed/CN=testbed CA" \
            -keyout $made/ca.key -out $made/ca.crt
        for name in server cigri; do
            subject=localhost
            [ $name = server ] || subject=CIGRI
            x509 req -newkey rsa:2048 -nodes -subj "/O=oar2-testbed/OU=CIMENT/CN=$subject" \
                -keyout $made/$name.key -out $made/$name.csr
            x509 x509 -req -in $made/$name.csr -CA $made/ca.crt -CAkey $made/ca.key \
                -CAcreateserial -days 3650 -out $made/$name.crt -extfile <(extension $name)
        done
        chmod 644 $made/*.crt $made/cigri.key
        chmod 600 $made/ca.key $made/server.key
    fi
    { htpasswd -nbB -C 5 alice alicepw && htpasswd -nbB -C 5 bob bobpw; } | grep : >$etc/api-users
    chown oar $etc/api-users
    chmod 600 $etc/api-users
    [ -e /etc/mime.types ] || touch /etc/mime.types
    # Its own limits are those of nobody's cluster, unless a test is about them.
    local limits=$here/oar2/mod_fcgid.conf
    [ "${OAR2_FCGID_STOCK:-0}" = 0 ] || limits=/dev/null
    cat "$here/oar2/apache2.conf" $limits >$etc/apache2.conf
}

x509() { openssl "$@" 2>>$log/openssl.log || die "openssl failed (see $log/openssl.log)"; }

extension() {
    if [ "$1" = server ]; then
        echo 'subjectAltName=DNS:localhost,IP:127.0.0.1'
    else
        echo 'extendedKeyUsage=clientAuth'
    fi
}

configure_database() {
    local version
    version=$(postgres_version)
    if ! pg_lsclusters -h | grep -q "^$version *oar2 "; then
        say "making the database cluster $version/oar2"
        pg_createcluster -p $database_port -e UTF8 --locale C.UTF-8 --start-conf manual \
            "$version" oar2 >$log/pg.log 2>&1 || die "pg_createcluster failed (see $log/pg.log)"
    fi
    local conf=/etc/postgresql/$version/oar2/conf.d/oar2.conf
    mkdir -p "${conf%/*}"
    {
        echo "listen_addresses = '127.0.0.1'"
        echo "max_connections = 200"
        [ $fast = no ] || printf '%s = off\n' fsync synchronous_commit full_page_writes
    } >"$conf"
}

postgres_version() {
    local found
    found=$(pg_lsclusters -h 2>/dev/null | awk '$2 == "oar2" { print $1 }' | tail -1)
    if [ -z "$found" ]; then
        found=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -V | tail -1)
    fi
    echo "$found"
}

fill_database() {
    ask_database postgres "alter role postgres password 'oar2admin'"
    if ! oar-database --check >/dev/null 2>&1; then
        say "making OAR's tables"
        oar-database --create --db-admin-user=postgres --db-admin-pass=oar2admin \
            >$log/oar-database.log 2>&1 || true
        oar-database --check >>$log/oar-database.log 2>&1 || {
            tail -20 $log/oar-database.log >&2
            die "oar-database --create failed"
        }
    fi
}

configure_resources() {
    [ "$(ask_database oar 'select count(*) from resources')" = 0 ] || return 0
    say "making $nodes nodes of $cores cores"
    local property node cpuset core=0
    for property in cpu core mem; do oarproperty -a $property >/dev/null; done
    for property in host cluster; do oarproperty -a $property -c >/dev/null; done
    for node in $(seq "$nodes"); do
        for cpuset in $(seq 0 $((cores - 1))); do
            core=$((core + 1))
            oarnodesetting -a -h "node$node" -p "host=node$node" -p cluster=testbed -p "cpu=$node" \
                -p "core=$core" -p "cpuset=$cpuset" -p mem=2048 >/dev/null
        done
    done
}

ask_database() {
    su postgres -s /bin/bash -c "psql -X -q -t -A -p $database_port $1" <<<"$2"
}

purge() {
    local version
    version=$(postgres_version)
    if pg_lsclusters -h 2>/dev/null | grep -q "^$version *oar2 "; then
        pg_dropcluster "$version" oar2
    fi
    [ ! -e /etc/oar/oar.conf.dist ] || mv -f /etc/oar/oar.conf.dist /etc/oar/oar.conf
    rm -rf $etc $run $log
    [ ! -e /var/log/oar.log ] || : >/var/log/oar.log
    # Not in place: a container's /etc/hosts may be mounted.
    local kept
    kept=$(grep -v '# oar2-testbed$' /etc/hosts)
    printf '%s\n' "$kept" >/etc/hosts
    say "its jobs and its configuration are gone; the packages and the users are still there"
}
