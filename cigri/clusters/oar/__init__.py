"""Clusters of OAR, 2.5 and 3."""

from cigri.clusters.oar.driver import OarDriver

__all__ = ["OarDriver"]
