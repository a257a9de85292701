"""``python -m mer_keras.cli``."""

from mer_keras.cli.main import main

main()
