"""Profile of a workload, and of the device memory it needs: ``callsheet profile``."""

from callsheet_server.tools.profile.profile import Profile, characterise

__all__ = ["Profile", "characterise"]
