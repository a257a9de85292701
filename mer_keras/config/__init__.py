"""What an experiment is: strict, typed models, and the YAML files that they are read from.

In: YAML files, profiles and overrides. Out: frozen models. Nothing is read that is not declared.
May be imported by: every room. Imports leaves only.
"""
