"""Search for the largest set without a conflict: thousands of states at once on the device."""

from jaxgpt.search.local_search import Found as Found
from jaxgpt.search.local_search import fill as fill
from jaxgpt.search.local_search import local as local
from jaxgpt.search.moves import Moves as Moves
from jaxgpt.search.orbits import table_bytes as table_bytes
from jaxgpt.search.searchable import Searchable as Searchable
