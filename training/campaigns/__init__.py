"""E-mail campaigns on the offline side: files of picks, and the mailer."""
