"""`python -m carelab …` where the package is installed: see that the environment is up to date, then run."""

from carelab.bootstrap import main

if __name__ == "__main__":
    main()
