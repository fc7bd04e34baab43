"""What a language model knows, and how it learns it: analyses of runs and of models."""

from jaxgpt.lab.attribution import METHODS as METHODS
from jaxgpt.lab.attribution import Attribution as Attribution
from jaxgpt.lab.attribution import attribute as attribute
from jaxgpt.lab.captured import Captured as Captured
from jaxgpt.lab.captured import capture as capture
from jaxgpt.lab.faithfulness import Faithfulness as Faithfulness
from jaxgpt.lab.faithfulness import faithfulness as faithfulness
from jaxgpt.lab.fine_tuning import FineTuning as FineTuning
from jaxgpt.lab.fine_tuning import fine_tune as fine_tune
from jaxgpt.lab.frequencies import Frequencies as Frequencies
from jaxgpt.lab.frequencies import frequencies as frequencies
from jaxgpt.lab.loss_curve import LossCurve as LossCurve
from jaxgpt.lab.loss_curve import loss_curve as loss_curve
from jaxgpt.lab.loss_matrix import LossMatrix as LossMatrix
from jaxgpt.lab.loss_matrix import loss_matrix as loss_matrix
from jaxgpt.lab.samples import Samples as Samples
from jaxgpt.lab.samples import samples as samples
from jaxgpt.lab.subject import Subject as Subject
from jaxgpt.lab.subject import kept as kept
from jaxgpt.lab.surprise import Entropy as Entropy
from jaxgpt.lab.surprise import NextTokens as NextTokens
from jaxgpt.lab.surprise import entropy as entropy
from jaxgpt.lab.surprise import next_tokens as next_tokens
from jaxgpt.lab.variability import Variability as Variability
from jaxgpt.lab.variability import variability as variability
