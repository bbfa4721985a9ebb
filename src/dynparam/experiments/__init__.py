"""One folder for each question of the thesis or beyond: settings, measurement, judgement, figure, words.

An experiment imports the wings below, and never another experiment.
"""
