"""Search for the largest set without a conflict: thousands of states at once, with a model or without."""

from jaxgpt.search.arms import ARMS as ARMS
from jaxgpt.search.generations import Searched as Searched
from jaxgpt.search.generations import going_on_or_free as going_on_or_free
from jaxgpt.search.generations import read as read
from jaxgpt.search.generations import search as search
from jaxgpt.search.local_search import Found as Found
from jaxgpt.search.local_search import fill as fill
from jaxgpt.search.local_search import local as local
from jaxgpt.search.moves import Moves as Moves
from jaxgpt.search.orbits import table_bytes as table_bytes
from jaxgpt.search.search_config import SearchConfig as SearchConfig
from jaxgpt.search.searchable import Searchable as Searchable
from jaxgpt.search.searchable import ThreeUniform as ThreeUniform
