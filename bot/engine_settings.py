"""What the engine is told by the settings, in its own terms."""

from approvals.policy import Policy
from bot.config import Settings
from bot.engine.budgets import Limits, Price
from bot.engine.progress import Timing


def read_policy(settings: Settings) -> Policy:
    """Return the policy that the settings name, or the tiers alone.

    Raises:
        PolicyError: names the place that is wrong.
    """
    if settings.countersign_policy is None:
        return Policy.parse("version: 1")
    return Policy.load(settings.countersign_policy)


def read_timing(settings: Settings) -> Timing:
    return Timing(
        lease_s=settings.countersign_lease_s,
        call_timeout_s=settings.countersign_call_timeout_s,
        retry_base_s=settings.countersign_retry_base_s,
        max_tries=settings.countersign_max_tries,
        down_s=settings.countersign_provider_down_s,
        stale_s=settings.countersign_stale_s,
    )


def read_limits(settings: Settings) -> Limits:
    """Return the budgets of a goal; money counts where the settings know prices."""
    prices = {
        name: Price(prompt, completion)
        for name, (prompt, completion) in settings.countersign_model_prices.items()
    }
    return Limits(
        tasks=settings.countersign_budget_steps,
        calls=settings.countersign_budget_calls,
        writes=settings.countersign_budget_writes,
        recipients=settings.countersign_budget_recipients,
        requests=settings.countersign_budget_requests,
        tokens=settings.countersign_budget_tokens,
        money=settings.countersign_budget_money if prices else None,
        prices=prices,
    )
