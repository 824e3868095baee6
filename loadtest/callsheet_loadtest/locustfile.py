"""Everything Locust is to find: the users, the shape of the load, the options and thresholds."""

from callsheet_loadtest.run_events import Shape
from callsheet_loadtest.users import GameUser, ModUser, ObserverUser

__all__ = ["GameUser", "ModUser", "ObserverUser", "Shape"]
