"""Any endpoint that speaks the OpenAI protocol, as an engine."""
