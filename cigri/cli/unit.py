"""The systemd unit of a server for a whole host."""

from pathlib import Path

#: Where it goes.
PLACE = Path("/etc/systemd/system/cigri.service")

_UNIT = """\
# Written by `cigri init --system`; changes of your own belong in `systemctl edit cigri`.
[Unit]
Description=CiGri: campaigns of independent tasks on idle cores
Documentation=https://github.com/oar-team/cigri
After=network.target remote-fs.target nss-user-lookup.target time-sync.target

[Service]
Type=notify
NotifyAccess=main
ExecStart={command} serve --config {config}
{identity}
# The database is checked at each start, which takes a while when it is large.
TimeoutStartSec=10min
WatchdogSec=60
Restart=on-failure
RestartSec=2
StateDirectory=cigri
StateDirectoryMode=0711
RuntimeDirectory=cigri
RuntimeDirectoryPreserve=restart

# Tasks belong to workers that outlive the server: a restart costs no task anything ...
KillMode=process
# ... nor does a task that takes more memory than there is.
OOMPolicy=continue
TasksMax=infinity
LimitNOFILE=65536

# Tasks inherit all of this, so only what no task can want is taken away.
{hardening}
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectHostname=yes
RestrictRealtime=yes
SystemCallFilter=~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap
SystemCallErrorNumber=EPERM
UMask=0022

[Install]
WantedBy=multi-user.target
"""

_ROOT = """\
# Root, as it starts the tasks of each user as that user; of its powers it keeps those for that.
User=root
CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_CHOWN CAP_FOWNER CAP_DAC_OVERRIDE CAP_KILL \
CAP_SYS_NICE"""
_ROOT_HARDENING = """\
# Not NoNewPrivileges, RestrictNamespaces, PrivateTmp or PrivateDevices: containers, shared
# scratch directories and graphics cards are for tasks to use.
ProtectSystem=full"""

_ONE = """\
# An account of its own: tasks on this host run as it, those of other clusters as their users.
User={user}
CapabilityBoundingSet="""
_ONE_HARDENING = """\
NoNewPrivileges=yes
LockPersonality=yes
SystemCallArchitectures=native
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
RestrictNamespaces=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6"""


def text(command: str, config: Path, user: str | None) -> str:
    """Return the unit that runs *command*, as root or as the account *user*."""
    identity, hardening = (
        (_ROOT, _ROOT_HARDENING) if user is None else (_ONE.format(user=user), _ONE_HARDENING)
    )
    return _UNIT.format(command=command, config=config, identity=identity, hardening=hardening)
