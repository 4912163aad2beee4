"""Every id that comes back to us in a payload: actions, inputs, modals."""

GOAL_RUN = "goal_run"
GOAL_EDIT = "goal_edit"
GOAL_CANCEL = "goal_cancel"
GOAL_PAUSE = "goal_pause"
GOAL_RESUME = "goal_resume"
GOAL_CHOOSE = "goal_choose"
GOAL_PAGE = "goal_page"
GOAL_UNDO = "goal_undo"
TASK_UNDO = "task_undo"
EXAMPLE = "goal_example"

APPROVAL_APPROVE = "approval_approve"
APPROVAL_EDIT = "approval_edit"
APPROVAL_REJECT = "approval_reject"
APPROVAL_APPROVE_ALL = "approval_approve_all"
APPROVAL_REJECT_ALL = "approval_reject_all"

UNKNOWN_HAPPENED = "unknown_happened"
UNKNOWN_RUN_AGAIN = "unknown_run_again"
UNKNOWN_LEAVE = "unknown_leave"

QUESTION_CHOOSE = "question_choose"
QUESTION_WRITE = "question_write"
QUESTION_LEAVE_OUT = "question_leave_out"

HANDOFF_SETTLED = "handoff_settled"

REMARK_PICK = "remark_pick"
REMARK_NONE = "remark_none"

CONNECTION_CONNECT = "connection_connect"
CONNECTION_DISCONNECT = "connection_disconnect"

DIGEST_NOW = "digest_now"
DIGEST_TIME = "digest_time"
DIGEST_TURN = "digest_turn"

HALT_WANTED = "halt_wanted"
HALT_RESUMED = "halt_resumed"

LINK = "link"
"""A button that only opens a page; its click is acknowledged and nothing else."""

MODAL_PLAN = "modal_plan"
MODAL_CALL = "modal_call"
MODAL_REJECT = "modal_reject"
MODAL_HALT = "modal_halt"
MODAL_NOTICE = "modal_notice"

REASON = "reason"
"""Block and action of the reason for a rejection or a halt."""

INPUT = "input"
"""The action of every input of an edit modal; its block says which step and field it is."""

_FIELD = "field:"
_DROP = "drop:"


def numbered(action_id: str, number: int) -> str:
    """Return an action id that may stand several times in one block."""
    return f"{action_id}:{number}"


def field_block(step_key: str, field_name: str) -> str:
    return f"{_FIELD}{step_key}:{field_name}"


def read_field_block(block_id: str) -> tuple[str, str] | None:
    """Return the step and field of an input's block, None for any other block."""
    if not block_id.startswith(_FIELD):
        return None
    step_key, _, field_name = block_id.removeprefix(_FIELD).rpartition(":")
    return step_key, field_name


def drop_block(step_key: str) -> str:
    return f"{_DROP}{step_key}"


def read_drop_block(block_id: str) -> str | None:
    """Return the step that a drop checkbox belongs to, None for any other block."""
    return block_id.removeprefix(_DROP) if block_id.startswith(_DROP) else None
