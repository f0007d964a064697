"""CiGri for programs that have an event loop: `cigri.aio.connect()`."""

from cigri.client.aio import Campaign, Cigri, Task, Tasks, connect

__all__ = ["Campaign", "Cigri", "Task", "Tasks", "connect"]
