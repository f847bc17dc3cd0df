"""Policies that need not be written by hand: the plain ones of most resources, and those of the platform's own."""

from fullmakt.altinn.resources.policies.platform import PlatformResource, platform_resources
from fullmakt.altinn.resources.policies.standard import consent_policy, standard_policy

__all__ = ["PlatformResource", "consent_policy", "platform_resources", "standard_policy"]
