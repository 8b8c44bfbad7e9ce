"""From the authors' text to the two notebook folders, and back.

course/*.py  --parse-->  notebook  --execute-->  solutions/*.ipynb  --nbgrader-->  weeks_01-12/*.ipynb
"""
