"""Answering a submitted modal: mend an input, read a sentence, or done."""

from slack_bolt.async_app import AsyncAck

from bot.goals.clicks import Answer, FieldErrors
from bot.views import ids
from bot.views.notes import build_notice_modal
from bot.views.plans import SubmittedForm


async def acknowledge(ack: AsyncAck, outcome: Answer | FieldErrors, form: SubmittedForm) -> None:
    """Close the modal when all went well, otherwise show in it what did not."""
    if not isinstance(outcome, Answer):
        await _show_errors(ack, outcome, form)
    elif outcome.ok:
        await ack()
    else:
        await ack(response_action="update", view=build_notice_modal(outcome.text))


async def _show_errors(ack: AsyncAck, errors: FieldErrors, form: SubmittedForm) -> None:
    """Put each error at its input; Slack refuses one that names no input of the modal."""
    shown: dict[str, str] = {}
    for step_key, field_name, sentence in errors:
        block_id = ids.field_block(step_key, field_name)
        if block_id in form.inputs:
            shown[block_id] = sentence
    if shown:
        await ack(response_action="errors", errors=shown)
        return
    text = "\n".join(sentence for _, _, sentence in errors)
    await ack(response_action="update", view=build_notice_modal(text))
