"""All experiments, in the order of the report and of the findings."""

from __future__ import annotations

from dynparam.experiments.alignments.stages import EXPERIMENT as ALIGNMENTS
from dynparam.experiments.architecture.stages import EXPERIMENT as ARCHITECTURE
from dynparam.experiments.attentional_boltzmann.stages import EXPERIMENT as ATTENTIONAL_BOLTZMANN
from dynparam.experiments.best_rate.stages import EXPERIMENT as BEST_RATE
from dynparam.experiments.concept_retrieval.stages import EXPERIMENT as CONCEPT_RETRIEVAL
from dynparam.experiments.continual_learning.stages import EXPERIMENT as CONTINUAL_LEARNING
from dynparam.experiments.delay_law.stages import EXPERIMENT as DELAY_LAW
from dynparam.experiments.fluctuations.stages import EXPERIMENT as FLUCTUATIONS
from dynparam.experiments.isometry.stages import EXPERIMENT as ISOMETRY
from dynparam.experiments.lazy_or_rich.stages import EXPERIMENT as LAZY_OR_RICH
from dynparam.experiments.measured_orders.stages import EXPERIMENT as MEASURED_ORDERS
from dynparam.experiments.natural_gradient.stages import EXPERIMENT as NATURAL_GRADIENT
from dynparam.experiments.open_choices.stages import EXPERIMENT as OPEN_CHOICES
from dynparam.experiments.r_sweep.stages import EXPERIMENT as R_SWEEP
from dynparam.experiments.receptive_fields.stages import EXPERIMENT as RECEPTIVE_FIELDS
from dynparam.experiments.sharpness.stages import EXPERIMENT as SHARPNESS
from dynparam.experiments.softmax_fisher.stages import EXPERIMENT as SOFTMAX_FISHER
from dynparam.experiments.through_training.stages import EXPERIMENT as THROUGH_TRAINING
from dynparam.experiments.training_curves.stages import EXPERIMENT as TRAINING_CURVES
from dynparam.experiments.weight_decay.stages import EXPERIMENT as WEIGHT_DECAY

EXPERIMENTS = (
    ARCHITECTURE,
    ALIGNMENTS,
    MEASURED_ORDERS,
    R_SWEEP,
    OPEN_CHOICES,
    TRAINING_CURVES,
    BEST_RATE,
    WEIGHT_DECAY,
    DELAY_LAW,
    FLUCTUATIONS,
    THROUGH_TRAINING,
    LAZY_OR_RICH,
    SHARPNESS,
    SOFTMAX_FISHER,
    ISOMETRY,
    ATTENTIONAL_BOLTZMANN,
    NATURAL_GRADIENT,
    CONTINUAL_LEARNING,
    CONCEPT_RETRIEVAL,
    RECEPTIVE_FIELDS,
)
