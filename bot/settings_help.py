"""How to mend a variable that is missing or wrong: one sentence for each."""

REMEDIES = {
    "COUNTERSIGN_ENCRYPTION_KEY": (
        "Make one with `openssl rand -base64 32`, keep it apart from the database's backups, and "
        "never change it: connections made with it could not be read any more."
    ),
    "COUNTERSIGN_URL": (
        "Set it to the address where Slack and browsers reach Countersign, for example "
        "https://countersign.example.com."
    ),
    "SLACK_BOT_TOKEN": (
        "Copy the Bot User OAuth Token from your Slack app, page OAuth & Permissions."
    ),
    "SLACK_SIGNING_SECRET": (
        "Copy the Signing Secret from your Slack app, page Basic Information."
    ),
    "DATABASE_URL": (
        "Name a PostgreSQL, for example postgresql://user:password@host/countersign, or leave it "
        "out: then an embedded one is used."
    ),
    "COUNTERSIGN_POLICY": "Set it to the path of a policy file, or leave it out.",
}
