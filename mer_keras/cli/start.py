"""What is imported late, since it takes seconds."""

from mer_keras.training.quiet_start import import_keras

__all__ = ["import_keras"]
