"""All listeners on one Bolt app, in the order in which Bolt asks them."""

from slack_bolt.async_app import AsyncApp

from bot.listeners import middleware, rest
from bot.listeners.approvals import ApprovalListeners
from bot.listeners.commands import CommandListeners
from bot.listeners.connections import ConnectionListeners
from bot.listeners.goals import GoalListeners
from bot.listeners.halts import HaltListeners
from bot.listeners.handoffs import HandoffListeners
from bot.listeners.home import HomeListeners
from bot.listeners.messages import MessageListeners
from bot.listeners.plans import PlanListeners
from bot.listeners.questions import QuestionListeners
from bot.listeners.remarks import RemarkListeners
from bot.listeners.services import Services
from bot.listeners.unknown import UnknownListeners


def register_listeners(app: AsyncApp, services: Services) -> None:
    """Register the gate, the error boundary, every listener, and last the catch-all."""
    middleware.register(app, services)
    for listeners in (
        MessageListeners(services),
        GoalListeners(services),
        PlanListeners(services),
        ApprovalListeners(services),
        QuestionListeners(services),
        UnknownListeners(services),
        HandoffListeners(services),
        RemarkListeners(services),
        HaltListeners(services),
        ConnectionListeners(services),
        HomeListeners(services),
        CommandListeners(services),
    ):
        listeners.register(app)
    rest.register(app)
