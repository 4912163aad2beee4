"""Requests to a language model. Only `bot.llm.client` imports `openai`: it costs half a second."""
