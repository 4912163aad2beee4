"""The local Slack workspace: a Web API subset, signed delivery and a browser page.

It knows nothing of the bot it serves; the bot reaches it over HTTP only, as it reaches Slack.
"""
