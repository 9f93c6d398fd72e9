"""What an experiment caused: from purchases and assignments to effects with their uncertainty."""
