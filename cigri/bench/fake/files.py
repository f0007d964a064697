"""The users' homes of the fake OAR, in memory or real, as its `media` calls show them."""

import shutil
from collections.abc import Iterator
from pathlib import Path


class Homes:
    """Files by absolute path, as the nodes see them; `/home` is *real* if that is given."""

    def __init__(self, real: Path | None) -> None:
        self._real = real
        self._kept: dict[str, bytes] = {}

    @staticmethod
    def path(asked: str, user: str) -> str:
        """Return the absolute path that is meant by what follows `/media` in a request."""
        path = "/" + asked.lstrip("/")
        return path.replace("/~/", f"/home/{user}/", 1) if path.startswith("/~/") else path

    def on_disk(self, path: str) -> Path:
        """
        Return where a file really lies.

        Raises:
            FileNotFoundError: It is not below the homes.
        """
        real, home = self._real, "/home/"
        if real is None or not path.startswith(home) or ".." in path.split("/"):
            raise FileNotFoundError(path)
        return real / path.removeprefix(home)

    def read(self, path: str) -> bytes | None:
        """Return a file, `None` if it is not there."""
        if self._real is None:
            return self._kept.get(path)
        try:
            return self.on_disk(path).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def there(self, path: str) -> bool:
        """Return whether there is a file or a directory."""
        if self._real is None:
            return path in self._kept or any(True for _ in self._within(path))
        return self.on_disk(path).exists()

    def write(self, path: str, data: bytes) -> None:
        """Write a file and the directories that it needs."""
        if self._real is None:
            self._kept[path] = data
            return
        file = self.on_disk(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    def list(self, path: str) -> list[tuple[str, bool, int]] | None:
        """Return name, whether it is a directory, and size of what is in a directory."""
        if self._real is None:
            below = {name[len(path.rstrip("/")) + 1 :]: data for name, data in self._within(path)}
            names = sorted({name.partition("/")[0] for name in below})
            return [(name, name not in below, len(below.get(name, b""))) for name in names] or None
        directory = self.on_disk(path)
        if not directory.is_dir():
            return None
        found = sorted(directory.iterdir())
        return [(file.name, file.is_dir(), file.stat().st_size) for file in found]

    def remove(self, path: str) -> bool:
        """Remove a file or all of a directory; return whether it was there."""
        if self._real is None:
            doomed = [name for name, _ in self._within(path)] + [path] * (path in self._kept)
            for name in doomed:
                del self._kept[name]
            return bool(doomed)
        file = self.on_disk(path)
        there = file.exists()
        if file.is_dir():
            shutil.rmtree(file)
        elif there:
            file.unlink()
        return there

    def _within(self, path: str) -> Iterator[tuple[str, bytes]]:
        inside = path.rstrip("/") + "/"
        return ((name, data) for name, data in list(self._kept.items()) if name.startswith(inside))
