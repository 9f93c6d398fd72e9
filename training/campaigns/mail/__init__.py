"""The mailer: messages rendered from templates and handed to an SMTP server."""
