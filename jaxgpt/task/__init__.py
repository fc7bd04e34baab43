"""What a task is: its examples, splits, scores and files."""

from jaxgpt.task.base import SPLITS as SPLITS
from jaxgpt.task.base import Example as Example
from jaxgpt.task.base import Share as Share
from jaxgpt.task.base import Split as Split
from jaxgpt.task.base import Task as Task
from jaxgpt.task.base import shuffled as shuffled
from jaxgpt.task.diagnosis import Diagnosis as Diagnosis
