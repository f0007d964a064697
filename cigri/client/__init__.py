"""CiGri from Python: everything that the command line can do.

    from cigri.client import Client

    with Client() as cigri:
        campaign = cigri.submit({"name": "visc", "exec_file": "~/run.sh", "nb_jobs": 100,
                                 "clusters": {"local": {}}})
        cigri.wait(campaign["id"])
        for row in cigri.results(campaign["id"]):
            print(row["number"], row["state"])

What comes back are the bodies of the REST API (`cigri.client.bodies`); what goes wrong is raised
as one of `cigri.errors`.
"""

from cigri.client.client import Client

__all__ = ["Client"]
