"""Errors of the approvals package."""


class ApprovalError(Exception):
    """An approval cannot go the way it was asked to."""


class PolicyError(ApprovalError):
    """policy.yaml does not say what to do; mend the place that the message names."""


class IllegalTransitionError(ApprovalError):
    """An approval cannot move from its status to the wanted one; this is a defect."""


class PermitError(ApprovalError):
    """A permit cannot be given or spent for this call; nothing runs."""
