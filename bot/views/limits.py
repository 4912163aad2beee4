"""Slack's limits on messages and views, each once.

Source: https://docs.slack.dev/reference/block-kit/blocks,
https://docs.slack.dev/reference/block-kit/block-elements,
https://docs.slack.dev/reference/block-kit/composition-objects and
https://docs.slack.dev/reference/views unless a line names another.
"""

BLOCKS_PER_MESSAGE = 50
BLOCKS_PER_VIEW = 100
SECTION_TEXT = 3000
FIELDS_PER_SECTION = 10
FIELD_TEXT = 2000
HEADER_TEXT = 150
CONTEXT_ELEMENTS = 10
CONTEXT_TEXT = 3000
"""Unpublished; the local workspace and slack_sdk take a text object's limit."""
ACTIONS_ELEMENTS = 25
BLOCK_ID = 255
ACTION_ID = 255
BUTTON_TEXT = 75
BUTTON_VALUE = 2000
URL = 3000
LABEL = 2000
HINT = 2000
PLACEHOLDER = 150
INPUT_TEXT = 3000
OPTIONS = 100
OPTION_TEXT = 75
OPTION_VALUE = 150
MODAL_TITLE = 24
MODAL_BUTTON = 24
PRIVATE_METADATA = 3000
CONFIRM_TITLE = 100
CONFIRM_TEXT = 300
CONFIRM_BUTTON = 30

MESSAGE_TEXT = 4000
"""`chat.update` refuses longer text; `chat.postMessage` cuts it at 40,000.

Source: https://docs.slack.dev/reference/methods/chat.update
"""
