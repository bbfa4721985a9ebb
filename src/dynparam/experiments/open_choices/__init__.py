"""Does anything that the thesis leaves open change a slope of Figs. 3.2 and 3.3?"""
