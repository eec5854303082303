"""What several commands share: options about the source, outputs, progress, and how a failure is
told.

Imports the stages, never a command.
"""
