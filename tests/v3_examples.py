"""The descriptions that CiGri 3 showed its users."""

#: That of the manual.
MANUAL = """
{
  "name": "Some campaign",
  "nb_jobs": 2,
  "resources": "nodes=1",
  "exec_file": "$HOME/script.sh",
  "output_gathering_method": "scp",
  "output_destination": "my.dataserver.fr",
  "clusters": {
    "tchernobyl": {
    },
    "my.other_cluster.fr": {
    },
    "fukushima": {
      "exec_file": "$HOME/path/script"
    }
  }
}
"""
#: That of the README of CiGri 3, byte for byte.
README = r"""{"name": "povray_demo","resources": "core=1","exec_file": "\$HOME/povray/start.bash",\
"exec_directory": "\$HOME/povray","param_file": "/home/deamon/povray_params.txt",\
"test_mode": "true","type": "best-effort","prologue": ["set -e",\
"source /applis/ciment/v2/env.bash","module load irods","cd \\$HOME",\
"imkdir -p povray_results/\\$CIGRI_CAMPAIGN_ID","iget -r -f povray"],\
"clusters": {"gofree": {"walltime": "00:10:00","max_jobs": 50},\
"fontaine": {"walltime": "00:10:00"},"froggy": {"project": "test","walltime": "00:5:00"},\
"fostino": {"walltime": "00:10:00"}}}""".replace("\\\n", "")
