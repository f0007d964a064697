"""Whose database a file is."""

import os
import shutil
from pathlib import Path

import pytest

from cigri.errors import Conflict, UnusableDatabase
from cigri.store import clusters, custody
from cigri.store.database import open_database

MOUNTS = r"""
22 27 0:21 / /proc rw - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
31 27 0:30 / /home rw,relatime shared:1 - nfs4 filer:/home rw
32 31 0:31 / /home/local\040disk rw - xfs /dev/sdb rw
33 27 0:32 / /scratch rw - lustre mds@tcp:/scratch rw
""".strip()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/cigri.db", "ext4"),
        ("/home/ann/.local/state/cigri/cigri.db", "nfs4"),
        ("/home/local disk/cigri.db", "xfs"),
        ("/homeless/cigri.db", "ext4"),
        ("/scratch/cigri.db", "lustre"),
    ],
)
def test_the_file_system_of_a_path(path: str, kind: str) -> None:
    assert custody.file_system(Path(path), MOUNTS) == kind


def test_a_network_file_system_is_refused_with_the_line_to_use() -> None:
    with pytest.raises(UnusableDatabase, match=r"nfs4.*cigri serve --database /var/tmp/cigri-\d+"):
        custody.check_file_system(Path("/home/ann/cigri.db"), MOUNTS)
    custody.check_file_system(Path("/var/lib/cigri.db"), MOUNTS)


def test_a_second_server_learns_who_has_the_database(tmp_path: Path) -> None:
    path = tmp_path / "cigri.db"
    refused = pytest.raises(Conflict, match=f"process {os.getpid()} serves")

    with custody.sole_server(path), refused, custody.sole_server(path):
        pass

    with custody.sole_server(path):
        pass


async def test_a_copy_is_not_served_before_an_administrator_says_so(tmp_path: Path) -> None:
    original, copy = tmp_path / "cigri.db", tmp_path / "copy.db"
    async with open_database(original) as database:
        await custody.take(database, original, adopt=False)
        await custody.take(database, original, adopt=False)
    shutil.copy(original, copy)

    async with open_database(copy) as database:
        with pytest.raises(UnusableDatabase, match="serve --adopt"):
            await custody.take(database, copy, adopt=False)
        await custody.take(database, copy, adopt=True)
        await custody.take(database, copy, adopt=False)
        async with database.read() as db:
            found = await clusters.installation(db)
        assert found is not None
        assert found.epoch == 2
