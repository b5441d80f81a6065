"""The policy pack: `pulumi preview --policy-pack policy`."""

import sealed
from pulumi_policy import EnforcementLevel, PolicyPack
from rules import RULES

sealed.keep_seals()
PolicyPack("better-together", RULES, EnforcementLevel.MANDATORY)
