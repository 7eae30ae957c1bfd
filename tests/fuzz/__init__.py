"""Every parser against bytes that nobody meant: only its own refusal may escape, and what it writes it reads."""
