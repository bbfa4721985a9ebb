"""Does anything that the thesis leaves open change a slope of Figs. 3.2, 3.3, or who trains better?"""
