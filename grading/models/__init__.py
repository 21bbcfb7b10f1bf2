"""What grading keeps: policies, assessments, cycles with their runs, grades with their records."""

from grading.models.assessment import Assessment, BudgetState
from grading.models.cycle import IN_FORCE, ChunkState, Cycle, CycleState, GradingRun, RunChunk, RunState
from grading.models.grade import Cause, Grade, GradeRecord
from grading.models.policy import (
    BandKind,
    GradingPolicy,
    GradingPolicyQuerySet,
    PolicyBand,
    PolicyLineRule,
    RequiredMargin,
    Scheme,
)

__all__ = [
    "IN_FORCE",
    "Assessment",
    "BandKind",
    "BudgetState",
    "Cause",
    "ChunkState",
    "Cycle",
    "CycleState",
    "Grade",
    "GradeRecord",
    "GradingPolicy",
    "GradingPolicyQuerySet",
    "GradingRun",
    "PolicyBand",
    "PolicyLineRule",
    "RequiredMargin",
    "RunChunk",
    "RunState",
    "Scheme",
]
