"""The answer as messages: short, for where people are told, each in the form and within the limits of its receiver."""
