"""Commands that write picks and send mails."""
