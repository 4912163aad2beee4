"""The rules for Block Kit's composition objects and elements.

Source: https://docs.slack.dev/reference/block-kit/block-elements and
https://docs.slack.dev/reference/block-kit/composition-objects (lengths and counts), compared with
the validators of slack_sdk 3.47.0.
"""

from bot.workspace.schema import (
    Check,
    Field,
    Problems,
    anything,
    array,
    boolean,
    by_type,
    integer,
    may,
    need,
    one_of,
    pattern,
    record,
    string,
)

ID = string(longest=255)
_ACTION_ID = may(string(longest=255, shortest=1))
_DATE = pattern(r"\d{4}-\d{2}-\d{2}", "a date as YYYY-MM-DD")
_TIME = pattern(r"\d{2}:\d{2}", "a time as HH:mm")
_MAX_OPTIONS = 100


def plain(longest: int) -> Check:
    """Return the check of a plain_text object."""
    return by_type({"plain_text": _plain_text(longest)}, what="text object")


def text(longest: int) -> Check:
    """Return the check of a plain_text or mrkdwn object."""
    mrkdwn = record(
        {
            "type": need(anything),
            "text": need(string(longest=longest, shortest=1)),
            "verbatim": may(boolean),
        }
    )
    return by_type({"plain_text": _plain_text(longest), "mrkdwn": mrkdwn}, what="text object")


def _plain_text(longest: int) -> Check:
    return record(
        {
            "type": need(anything),
            "text": need(string(longest=longest, shortest=1)),
            "emoji": may(boolean),
        }
    )


_CONFIRM = record(
    {
        "title": need(plain(100)),
        "text": need(text(300)),
        "confirm": need(plain(30)),
        "deny": need(plain(30)),
        "style": may(one_of({"primary", "danger"})),
    }
)
_OPTION_FIELDS = {
    "text": need(text(75)),
    "value": need(string(longest=150)),
    "description": may(text(75)),
}
_OPTION = record(_OPTION_FIELDS)
_OPTIONS = may(array(_OPTION, most=_MAX_OPTIONS))
_GROUPS = may(
    array(
        record({"label": need(plain(75)), "options": need(array(_OPTION, most=_MAX_OPTIONS))}),
        most=_MAX_OPTIONS,
    )
)
_DISPATCH = record(
    {"trigger_actions_on": may(array(one_of({"on_enter_pressed", "on_character_entered"}), most=2))}
)


def _element(**fields: Field) -> Check:
    common = {
        "type": need(anything),
        "action_id": _ACTION_ID,
        "confirm": may(_CONFIRM),
        "focus_on_load": may(boolean),
    }
    return record({**common, **fields})


_PLACEHOLDER = may(plain(150))
_USERS = array(string(longest=255), most=_MAX_OPTIONS)
_LENGTH = may(integer)


def _select(**fields: Field) -> Check:
    fields_check = _element(
        options=_OPTIONS, option_groups=_GROUPS, placeholder=_PLACEHOLDER, **fields
    )

    def check(value: object, pointer: str, problems: Problems) -> None:
        fields_check(value, pointer, problems)
        if isinstance(value, dict) and ("options" in value) == ("option_groups" in value):
            problems.add(pointer, "must define either `options` or `option_groups`")

    return check


def _typed_input(**fields: Field) -> Check:
    return _element(placeholder=_PLACEHOLDER, dispatch_action_config=may(_DISPATCH), **fields)


BUTTON = _element(
    text=need(plain(75)),
    url=may(string(longest=3000)),
    value=may(string(longest=2000)),
    style=may(one_of({"primary", "danger"})),
    accessibility_label=may(string(longest=75)),
    visible_to_user_ids=may(_USERS),
)
IMAGE = record(
    {
        "type": need(anything),
        "image_url": need(string(longest=3000, shortest=1)),
        "alt_text": need(string(longest=2000)),
    }
)
_PICKERS = {
    "datepicker": _element(placeholder=_PLACEHOLDER, initial_date=may(_DATE)),
    "timepicker": _element(
        placeholder=_PLACEHOLDER, initial_time=may(_TIME), timezone=may(string(longest=100))
    ),
    "datetimepicker": _element(initial_date_time=may(integer)),
}
_CHOICES = {
    "static_select": _select(initial_option=may(_OPTION)),
    "multi_static_select": _select(initial_options=_OPTIONS, max_selected_items=may(integer)),
    "users_select": _element(placeholder=_PLACEHOLDER, initial_user=may(ID)),
    "multi_users_select": _element(
        placeholder=_PLACEHOLDER, initial_users=may(_USERS), max_selected_items=may(integer)
    ),
    "checkboxes": _element(
        options=need(array(_OPTION, most=10)), initial_options=may(array(_OPTION, most=10))
    ),
    "radio_buttons": _element(options=need(array(_OPTION, most=10)), initial_option=may(_OPTION)),
}
_OVERFLOW = _element(
    options=need(array(record({**_OPTION_FIELDS, "url": may(string(longest=3000))}), most=5))
)
_TYPED = {
    "plain_text_input": _typed_input(
        initial_value=may(string(longest=3000)),
        multiline=may(boolean),
        min_length=_LENGTH,
        max_length=_LENGTH,
    ),
    "number_input": _typed_input(
        is_decimal_allowed=need(boolean),
        initial_value=may(string(longest=100)),
        min_value=may(string(longest=100)),
        max_value=may(string(longest=100)),
    ),
    "email_text_input": _typed_input(initial_value=may(string(longest=3000))),
    "url_text_input": _typed_input(initial_value=may(string(longest=3000))),
}
_CLICKED = {"button": BUTTON, "overflow": _OVERFLOW}

IN_ACTIONS = by_type({**_CLICKED, **_CHOICES, **_PICKERS}, what="element")
IN_SECTION = by_type(
    {
        **_CLICKED,
        **_CHOICES,
        "datepicker": _PICKERS["datepicker"],
        "timepicker": _PICKERS["timepicker"],
        "image": IMAGE,
    },
    what="element",
)
IN_INPUT = by_type({**_TYPED, **_CHOICES, **_PICKERS}, what="element")
