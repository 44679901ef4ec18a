"""`python -m regui` is `regui`."""

from regui.cli import main

if __name__ == "__main__":
    main()
