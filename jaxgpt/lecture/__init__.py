"""A lecture's figures asked again: each row trains some models and shows what they differ in."""

from jaxgpt.lecture.arm import Arm as Arm
from jaxgpt.lecture.arm_curves import ArmCurves as ArmCurves
from jaxgpt.lecture.arm_table import ArmTable as ArmTable
from jaxgpt.lecture.making import make as make
from jaxgpt.lecture.row import Row as Row
