"""``python -m mer_keras.cli``."""

from mer_keras.cli.main import main

if __name__ == "__main__":
    main()
