"""``python -m convoscope`` is the same as the ``convoscope`` command."""

from convoscope.cli import main

if __name__ == "__main__":
    main()
