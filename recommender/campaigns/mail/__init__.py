"""Mails of campaigns: rendered, previewed, made into messages, and handed to a mail server one by one."""
