"""What retention removes, in words for people: pages and the command show the same."""

KINDS = {
    "receipts": "receipts shortened to code, status and time",
    "bodies": "messages without their text",
    "numbers": "messages without their number",
    "archive": "messages moved into archive files",
    "archives": "archive files written again with less in them",
    "comments": "comments without their text",
    "contents": "texts that recurring sends said",
    "filters": "saved filters of messages",
    "drafts": "unsent drafts without their recipients",
    "uploads": "uploaded files",
    "versions": "old versions of audiences",
    "inbound": "incoming SMS",
    "conversations": "conversations without their number",
    "callbacks": "callbacks in the log",
    "answers": "stored answers of the API",
    "unmatched": "receipts in quarantine or without a message",
    "refused": "refused receipts and incoming SMS",
    "refused_requests": "refused requests of API keys",
}
